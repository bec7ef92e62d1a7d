"""Mistakes in case files, each with the words in which it is refused."""

from __future__ import annotations

import os
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

# Each stands as line 6 in the case that is otherwise in order, and is the only thing wrong.
LINES = [
    ("titel: again", "did you mean 'title'?"),
    ("title: again", "the key 'title' appears twice, first on line 4"),
    ("expect: {sum: 1_000}", "'1_000' is ambiguous without quotes"),
    ("expect: {sum: 012}", "'012' is ambiguous without quotes"),
    ("expect: {sum: 1:30}", "'1:30' is ambiguous without quotes"),
    ("expect: {sum: 0x10}", "'0x10' is ambiguous without quotes"),
    ("expect: {sum: 0o7}", "'0o7' is ambiguous without quotes"),
    ("expect: {sum: nan}", "'nan' is ambiguous without quotes"),
    ("expect: {sum: -inf}", "'-inf' is ambiguous without quotes"),
    ("expect: {sum: .NaN}", "'.NaN' is ambiguous without quotes"),
    ("expect: {sum: .Inf}", "'.Inf' is ambiguous without quotes"),
    ("expect: {sum: ~}", "'~' is ambiguous without quotes"),
    ("expect: {sum: 2001-01-01}", "'2001-01-01' is ambiguous without quotes"),
    ("expect: {sum: 0x1p-3}", "put it in quotes: '0x1p-3'"),
    ("expect: {sum: '1.5'}", "the number '1.5' is in quotes; remove the quotes"),
    ("expect: {sum: one}", "expect.sum is a text ('one') but must be a number"),
    ("expect: {sum: 1.2.3}", "expect.sum is a text ('1.2.3') but must be a number"),
    ("expect: {sum: true}", "expect.sum is a boolean ('true') but must be a number"),
    ("expect: {sum: }", "expect.sum is nothing but must be a number"),
    ("expect: {sum: 1e99999}", "the exponent of '1e99999' is beyond every floating-point format"),
    ("expect: {sum: 1e400}", "'1e400' is beyond every floating-point format"),
    (f"expect: {{sum: {'1' * 2000}}}", "a number of more than 1000 characters"),
    ("expect: {none: [1, [2]]}", "expect.none is a ragged list"),
    ("expect: {none: [[1, 2], [3]]}", "item 1 is 1 long, item 0 2 long"),
    ("expect: {summ: 1}", "'summ' is not a reduction that the case runs in (expect); did you mean 'sum'?"),
    ("expect: {batchmean: 1}", "'batchmean' is not a reduction"),
    ("expect: {sum: {float23: 1}}", "did you mean 'float32'?"),
    ("expect: {}", "expect is empty"),
    ("gradient: {sum: {inptu: [1]}}", "did you mean 'input'?"),
    ("gradient: {sum: [1]}", "gradient.sum is a list but must be a mapping"),
    ("bias: yes", "'yes' is ambiguous without quotes; write true or false"),
    ("rounded: on", "'on' is ambiguous without quotes"),
    ("rounded: True", "'True' is ambiguous without quotes"),
    ("rounded: 'true'", "rounded is a text ('true') but must be true or false"),
    ("bias: true", "make an argument with 'uniform'"),
    ("params: {wieght: [1, 2]}", "'wieght' is not a parameter of the loss (params); did you mean 'weight'?"),
    ("params: {ignore_index: Null}", "'Null' is ambiguous without quotes"),
    ("params: {reduction: summ}", "did you mean 'sum'?"),
    ("params: {weight: {fil: 1, shape: [2]}}", "did you mean 'fill'?"),
    ("params: {weight: {fill: 1}}", "lacks the key 'shape'"),
    ("params: {weight: {fill: 1, shape: [-2]}}", "write a whole number of at least 0"),
    ("params: {weight: {fill: 1, shape: [2.0]}}", "is 2.0 but must be a whole number"),
    ("params: {weight: {fill: 1, shape: [10000, 1001]}}", "more than 10000000 elements"),
    ("params: {weight: {fill: 1, shape: [0, 99999999999999]}}", "more than 10000000 elements"),
    (f"params: {{weight: {{fill: 1, shape: [{', '.join('1' * 33)}]}}}}", "more than 32 dimensions"),
    ("params: {weight: {fill: 1, shape: [4294967296, 4294967296]}}", "more than 10000000 elements"),
    ("expect: {sum: 1e400000}", "the exponent of '1e400000' is beyond every floating-point format"),
    (f"expect: {{sum: {'1' * 100_000}}}", "a number of more than 1000 characters"),
    ("params: {weight: {uniform: [4, -4], shape: [2], seed: 1}}", "not a pair of a lower and a higher"),
    ("params: {weight: {uniform: [1], shape: [2], seed: 1}}", "not a pair of a lower and a higher"),
    ("params: {weight: {uniform: [0, .inf], shape: [2], seed: 1}}", "not a pair of a lower and a higher"),
    ("params: {weight: {uniform: [0, 1], shape: [2], seed: -1}}", "params.weight.seed is -1"),
    (
        "params: {weight: {uniform: [0, 1], shape: [2], seed: 18446744073709551616}}",
        "at most 18446744073709551615",
    ),
    ("params: {weight: {index: 0, shape: [2], seed: 1}}", "at least 1"),
    ("params: {weight: {softmax: [1, 2]}}", "lacks the key 'dim'"),
    ("params: {weight: {softmax: [1, 2], dim: 1}}", "dim is 1 but the tensor has 1 dimensions"),
    ("params: {weight: {reshape: [1, 2], shape: [3]}}", "shape is [3] but the tensor has 2 elements"),
    ("params: {weight: {permute: [[1, 2]], dims: [0, 0]}}", "name each dimension once"),
    ("params: {weight: {concatenate: [[1], [[2]]], dim: 0}}", "whose shapes differ outside dim 0"),
    ("params: {weight: {concatenate: [], dim: 0}}", "joins nothing"),
    ("params: {weight: {dtype: int23, data: [1]}}", "did you mean 'int32'?"),
    ("params: {weight: {dtype: int64, data: [1.5]}}", "1.5 is not of dtype int64"),
    ("params: {weight: {dtype: uint8, data: [256]}}", "256 is not of dtype uint8"),
    ("loss: CrosEntropyLoss", "'CrosEntropyLoss', which is not known; did you mean 'CrossEntropyLoss'?"),
    ("upstream: [1, x]", "upstream is a text ('x') but must be a number"),
    ("upstream: [[1, 2], [3]]", "upstream is a ragged list"),
    ("upstream: {fil: 1, shape: [2]}", "did you mean 'fill'?"),
    ("upstream: {fill: 1, shape: [2], dtype: float64}", "leave the dtype out"),
    ("upstream: {index: 2, shape: [2], seed: 1}", "upstream is of int64"),
    ("upstream: {complex: [[1, 2], [0, 1]]}", "upstream is complex"),
    ("upstream: [1, 2]", "upstream has shape [2], the result with reduction mean []"),
    ("upstream: 2", "upstream has shape [], the result with reduction none [2]"),
    ("reductions: [mean, mean]", "names 'mean' more than once"),
    ("reductions: []", "reductions is an empty list"),
    ("reductions: mean", "reductions is a text ('mean') but must be a list"),
    ("dtypes: [int64]", "'int64', which is not known"),
    ("flags: [Unheard]", "flags[0] is 'Unheard', which is not known"),
    ("source: {document: 002_76d7, place: x}", "source lacks the key 'claim'"),
    ("source: {document: 002_76d7, place: x, claim: D2-6}", "write it like D002-6"),
    ("source: {document: 002_76d7, place: x, claim: D003-6}", "is not of the document '002_76d7'"),
    ("raises: {when: later, kind: index, torch: {type: E, match: m}}", "raises.when is 'later'"),
    ("raises: {when: call, kind: indx, torch: {type: E, match: m}}", "did you mean 'index'?"),
    ("raises: {when: call, kind: index, torch: {type: E, match: '('}}", "is not a regular expression"),
    ("raises: {when: call, kind: index, torch: {type: '1', match: m}}", "write the name of a class"),
    ("raises: {when: call, kind: index}", "raises lacks the key 'torch'"),
    ("warns: {when: call, kind: option, torch: [UserWarning]}", "warns.torch is a list"),
    ("same_as: {loss: NLLLoss}", "same_as lacks the key 'why'"),
    ("same_as: {why: because}", "same_as changes nothing of the case's call"),
    ("same_as: {loss: NLLLos, why: because}", "did you mean 'NLLLoss'?"),
    ("same_as: {loss: Softmax, why: because}", "Softmax does not take the case's arguments"),
    ("same_as: {sum: [{reduction: sum}], loss: NLLLoss, why: w}", "both 'sum' and 'loss'"),
    ("same_as: {sum: [], why: w}", "same_as.sum is an empty list"),
    ("same_as: {args: {input: [1]}, why: w}", "same_as.args lacks the argument 'target'"),
    ("same_as: {reduction: batchmean, why: w}", "same_as.reduction is 'batchmean'"),
    ("differs_from: {params: {wieght: [1, 2]}, why: w}", "did you mean 'weight'?"),
    ("erratum: {says: 1.8, because: w}", "must be numbers by reduction, or a text"),
    ("erratum: {says: {mean: 1.8}}", "erratum lacks the key 'because'"),
    ("drifted: {was: 8, since: '2.0'}", "drifted.was is a number ('8') but must be a text; put it in quotes"),
    ("drifted: {was: &a x, since: '2'}", "'&a' is an anchor"),
    ("drifted: {was: !!str x, since: '2'}", "'tag:yaml.org,2002:str' is a tag"),
    ("drifted: {was: ! x, since: '2'}", "'!' is a tag"),
    ("1: x", "'1' is a key but not a name"),
    ("on: x", "'on' is a key but not a name"),
    ("[a]: x", "a key is a list or a mapping"),
    ("<<: {rounded: false}", "'<<' merges another mapping"),
    (r'drifted: {was: "\0", since: "2"}', "an invisible character (U+0000)"),
    ("drifted: {was: '', since: '2'}", "drifted.was is an empty text"),
]

LAUGHS = "\n".join(
    ["a: &a [lol, lol, lol, lol, lol, lol, lol, lol, lol]"]
    + [f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]" for old, new in pairwise("abcdefghi")]
)

CASE = """\
loss: MSELoss
cases:
  - id: mse-hostile
    title: {title}
    args: {{input: [1, 2], target: [1, 3]}}
    dtypes: [float64]
"""


def _huge(path: Path) -> None:
    with path.open("wb") as stream:
        stream.write(b"loss: MSELoss\ncases:\n")
        line = b"  - {id: one, title: again, args: {input: [1], target: [2]}}\n"
        for _ in range(100):
            stream.write(line * (1_000_000 // len(line) + 1))


def _inside(path: Path) -> None:
    """A folder with the name of a file; what is in it is read."""
    path.mkdir()
    (path / "inner.yaml").write_text("loss: [")


def _loop(path: Path) -> None:
    other = path.with_name("other-loop.yaml")
    path.symlink_to(other)
    other.symlink_to(path)


# A file's name, how it is made, and what is said of it.
HOSTILE: dict[str, tuple[Callable[[Path], object], str]] = {
    "huge.yaml": (_huge, "larger than 10 MB"),
    "deep.yaml": (lambda path: path.write_text("[" * 1_000_000), "nest deeper than 40 levels"),
    "deep-block.yaml": (
        lambda path: path.write_text("\n".join(" " * depth + "a:" for depth in range(2000))),
        "nest deeper than 40 levels",
    ),
    "laughs.yaml": (lambda path: path.write_text(LAUGHS), "is an alias"),
    "utf16.yaml": (lambda path: path.write_text(CASE.format(title="x"), "utf-16"), "byte order mark"),
    "utf16-bare.yaml": (lambda path: path.write_text(CASE.format(title="x"), "utf-16-le"), "(U+0000)"),
    "nul.yaml": (lambda path: path.write_bytes(b"loss: MSELoss\x00\n"), "(U+0000)"),
    "bom.yaml": (lambda path: path.write_text(CASE.format(title="x"), "utf-8-sig"), "byte order mark"),
    "nested.yaml": (
        lambda path: path.write_text(f"a: {'{softmax: ' * 200}[1, 2]{', dim: 0}' * 200}"),
        "nest deeper than 40 levels",
    ),
    "repeated.yaml": (
        lambda path: path.write_text(
            CASE.format(title="x").replace("[float64]", f"[{', '.join(['float64'] * 100_000)}]")
        ),
        "dtypes names 'float64' more than once",
    ),
    "outer.yaml": (_inside, "/inner.yaml:2: a value is missing"),
    "latin.yaml": (lambda path: path.write_bytes(b"loss: \xe9\n"), "not UTF-8"),
    "loop.yaml": (_loop, "Too many levels of symbolic links"),
    "pipe.yaml": (lambda path: os.mkfifo(path), "not a regular file"),
    "folder.yaml": (lambda path: path.symlink_to("/dev/zero"), "not a regular file"),
    "tag.yaml": (lambda path: path.write_text("!!python/object/apply:os.system ['true']"), "is a tag"),
    "control.yaml": (lambda path: path.write_text(CASE.format(title='"a\\x07b"')), "(U+0007)"),
    "override.yaml": (lambda path: path.write_text(CASE.format(title='"a\\u202eb"')), "(U+202E)"),
    "override-bare.yaml": (lambda path: path.write_text(CASE.format(title="a\u202eb")), "(U+202E)"),
}
