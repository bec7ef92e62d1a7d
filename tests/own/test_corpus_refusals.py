"""What the loader refuses, where it says that the fault is, and in which words."""

from __future__ import annotations

from pathlib import Path

import pytest
from corpus_specimens import EVERY_KEY, IN_ORDER, complaints_about, load, write

from lossproof.corpus.complaints import CorpusError
from lossproof.corpus.reading import load_corpus

# Each stands as line 6 in the case that is otherwise in order, and is the only thing wrong.
LINES = [
    ("titel: again", "did you mean 'title'?"),
    ("title: again", "the key 'title' stands twice, first in line 4"),
    ("expect: {sum: 1_000}", "'1_000' without quotes is ambiguous"),
    ("expect: {sum: 012}", "'012' without quotes is ambiguous"),
    ("expect: {sum: 1:30}", "'1:30' without quotes is ambiguous"),
    ("expect: {sum: 0x10}", "'0x10' without quotes is ambiguous"),
    ("expect: {sum: 0o7}", "'0o7' without quotes is ambiguous"),
    ("expect: {sum: nan}", "'nan' without quotes is ambiguous"),
    ("expect: {sum: -inf}", "'-inf' without quotes is ambiguous"),
    ("expect: {sum: .NaN}", "'.NaN' without quotes is ambiguous"),
    ("expect: {sum: .Inf}", "'.Inf' without quotes is ambiguous"),
    ("expect: {sum: ~}", "'~' without quotes is ambiguous"),
    ("expect: {sum: 2001-01-01}", "'2001-01-01' without quotes is ambiguous"),
    ("expect: {sum: 0x1p-3}", "put it in quotes: '0x1p-3'"),
    ("expect: {sum: '1.5'}", "the number '1.5' stands in quotes; remove the quotes"),
    ("expect: {sum: one}", "expect.sum is a text ('one') but must be a number"),
    ("expect: {sum: 1.2.3}", "expect.sum is a text ('1.2.3') but must be a number"),
    ("expect: {sum: true}", "expect.sum is a boolean ('true') but must be a number"),
    ("expect: {sum: }", "expect.sum is nothing but must be a number"),
    ("expect: {sum: 1e99999}", "the exponent of '1e99999' is beyond every floating-point format"),
    ("expect: {sum: 1e400}", "'1e400' is beyond every floating-point format"),
    (f"expect: {{sum: {'1' * 2000}}}", "a number of more than 1000 characters"),
    ("expect: {none: [1, [2]]}", "expect.none is a ragged list"),
    ("expect: {none: [[1, 2], [3]]}", "item 1 is 1 long, item 0 2 long"),
    ("expect: {summ: 1}", "'summ' is no reduction that the case runs in (expect); did you mean 'sum'?"),
    ("expect: {batchmean: 1}", "'batchmean' is no reduction"),
    ("expect: {sum: {float23: 1}}", "did you mean 'float32'?"),
    ("expect: {}", "expect is empty"),
    ("gradient: {sum: {inptu: [1]}}", "did you mean 'input'?"),
    ("gradient: {sum: [1]}", "gradient.sum is a list but must be a mapping"),
    ("bias: yes", "'yes' without quotes is ambiguous; write true or false"),
    ("rounded: on", "'on' without quotes is ambiguous"),
    ("rounded: True", "'True' without quotes is ambiguous"),
    ("rounded: 'true'", "rounded is a text ('true') but must be true or false"),
    ("bias: true", "make an argument with 'uniform'"),
    ("params: {wieght: [1, 2]}", "'wieght' is no parameter of the loss (params); did you mean 'weight'?"),
    ("params: {ignore_index: Null}", "'Null' without quotes is ambiguous"),
    ("params: {reduction: summ}", "did you mean 'sum'?"),
    ("params: {weight: {fil: 1, shape: [2]}}", "did you mean 'fill'?"),
    ("params: {weight: {fill: 1}}", "lacks the key 'shape'"),
    ("params: {weight: {fill: 1, shape: [-2]}}", "write a whole number of at least 0"),
    ("params: {weight: {fill: 1, shape: [2.0]}}", "is 2.0 but must be a whole number"),
    ("params: {weight: {fill: 1, shape: [10000, 1001]}}", "more than 10000000 elements"),
    ("params: {weight: {fill: 1, shape: [0, 99999999999999]}}", "more than 10000000 elements"),
    ("params: {weight: {uniform: [4, -4], shape: [2], seed: 1}}", "no pair of a lower and a higher"),
    ("params: {weight: {uniform: [1], shape: [2], seed: 1}}", "no pair of a lower and a higher"),
    ("params: {weight: {uniform: [0, .inf], shape: [2], seed: 1}}", "no pair of a lower and a higher"),
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
    ("params: {weight: {concatenate: [[1], [[2]]], dim: 0}}", "whose shapes differ beside dim 0"),
    ("params: {weight: {concatenate: [], dim: 0}}", "joins nothing"),
    ("params: {weight: {dtype: int23, data: [1]}}", "did you mean 'int32'?"),
    ("params: {weight: {dtype: int64, data: [1.5]}}", "1.5 is no int64"),
    ("params: {weight: {dtype: uint8, data: [256]}}", "256 is no uint8"),
    ("loss: CrosEntropyLoss", "'CrosEntropyLoss', which is not known; did you mean 'CrossEntropyLoss'?"),
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
    ("raises: {when: call, kind: index, torch: {type: E, match: '('}}", "is no regular expression"),
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
    ("1: x", "'1' is no name but stands as a key"),
    ("on: x", "'on' is no name but stands as a key"),
    ("[a]: x", "a key is a list or a mapping"),
    ("<<: {rounded: false}", "'<<' merges another mapping"),
    (r'drifted: {was: "\0", since: "2"}', "an invisible character (U+0000)"),
    ("drifted: {was: '', since: '2'}", "drifted.was is an empty text"),
]

TAKEN = IN_ORDER.replace("one", "two")
# Whole files: what is written, and the complaint's line, case and words.
FILES: list[tuple[str, str | bytes, int | None, str | None, str]] = [
    ("empty", "", None, None, "the file is empty"),
    ("only a comment", "# nothing\n", None, None, "the file is empty"),
    ("a list", "- a\n", 1, None, "the file is a list but must be a mapping"),
    ("no cases", "loss: NLLLoss\n", 1, None, "the file lacks the key 'cases'"),
    ("an empty list of cases", "cases: []\n", 1, None, "cases is an empty list"),
    ("a case that is a text", "cases: [x]\n", 1, None, "the case is a text ('x') but must be a mapping"),
    ("two documents", IN_ORDER + "---\n" + TAKEN, 6, "one", "a second document begins here"),
    ("a directive", "%YAML 1.1\n---\n" + IN_ORDER, 1, None, "a line with '%' directs YAML"),
    ("not UTF-8", IN_ORDER.encode() + b"# \xe9\n", 6, None, "the file is not UTF-8"),
    ("UTF-16", IN_ORDER.encode("utf-16"), 1, None, "byte order mark"),
    ("a mark of UTF-8", b"\xef\xbb\xbf" + IN_ORDER.encode(), 1, None, "byte order mark"),
    ("NUL", IN_ORDER + "# \0\n", 6, None, "invisible character (U+0000)"),
    ("a control character", IN_ORDER + "# \x07\n", 6, None, "invisible character (U+0007)"),
    ("a direction override", IN_ORDER + "# \u202e\n", 6, None, "invisible character (U+202E)"),
    ("a tab", IN_ORDER + "\tbias: true\n", 6, None, "invisible character (tab); use spaces"),
    ("too large", b"#" * 10_000_001, None, None, "larger than 10 MB"),
    ("too deep", "cases: " + "[" * 50 + "]" * 50, 1, None, "deeper than 40 levels"),
    ("absurdly deep", "cases: " + "[" * 100_000, 1, None, "deeper than 40 levels"),
    ("a colon", IN_ORDER + "    drifted: a: b\n", 6, None, "there is a second ': ' here"),
    ("an open quote", IN_ORDER + "    drifted: 'a\n", 7, None, "a quotation mark is not closed"),
    ("an open bracket", "cases: [1, 2\nloss: x\n", 2, None, "a list in brackets is not closed"),
    ("an open brace", "cases: {a: 1\nloss: x\n", 2, None, "a mapping in braces is not closed"),
    ("bad indentation", IN_ORDER + "   bias: true\n", 6, None, "too far to the left or to the right"),
    ("a stray character", "cases: @x\n", 1, None, "this character cannot begin a text"),
    ("an unknown alias", "cases: *x\n", 1, None, "'*x' is an alias"),
    (
        "a bad id",
        IN_ORDER.replace("one", "One"),
        3,
        "One",
        "small letters and digits joined by single hyphens",
    ),
    ("a long id", IN_ORDER.replace("one", "x" * 81), 3, "x" * 81, "at most 80 characters"),
    ("no id", IN_ORDER.replace("id: one", "rounded: false"), 3, None, "the case lacks the key 'id'"),
    (
        "no title",
        IN_ORDER.replace("title: a case in order", "rounded: false"),
        3,
        "one",
        "lacks the key 'title'",
    ),
    ("a number for a title", IN_ORDER.replace("a case in order", "1.5"), 4, "one", "put it in quotes"),
    ("no loss", IN_ORDER.replace("loss: CrossEntropyLoss\n", ""), 2, "one", "names a loss; add 'loss: ...'"),
    ("an unknown loss", IN_ORDER.replace("CrossE", "crosse"), 1, None, "did you mean 'CrossEntropyLoss'?"),
    (
        "no args",
        IN_ORDER.replace("args: {", "drifted: {was: x, since: x} # "),
        3,
        "one",
        "the case has no args",
    ),
    (
        "an argument too few",
        IN_ORDER.replace(", target: [0, 1]", ""),
        5,
        "one",
        "lacks the argument 'target'",
    ),
    (
        "an argument too many",
        IN_ORDER.replace("target:", "targets: 1, target:"),
        5,
        "one",
        "did you mean 'target'?",
    ),
    ("a text for a tensor", IN_ORDER.replace("[0, 1]", "x"), 5, "one", "args.target is a text ('x')"),
    (
        "an unused flag",
        "flags: {F: {bug: b, severity: low, why: w}}\n" + IN_ORDER,
        1,
        None,
        "uses the flag 'F'",
    ),
    (
        "a module claim with args",
        IN_ORDER + "    module: {aspect: class_chain, expected: [A]}\n",
        5,
        "one",
        "'args' stands in a case with 'module'",
    ),
    (
        "rounding kept silent",
        IN_ORDER.replace("3]]", "0.1]]"),
        3,
        "one",
        "args.input holds 0.1, which float64, float32",
    ),
    ("rounding without need", IN_ORDER + "    rounded: true\n", 3, "one", "remove 'rounded'"),
    (
        "an unknown severity",
        "flags:\n  F: {bug: b, severity: hgih, why: w}\n" + IN_ORDER + "    flags: [F]\n",
        2,
        None,
        "did you mean 'high'?",
    ),
    (
        "a text torn by its comma",
        "flags:\n  F: {bug: b, severity: low, why: one, not two}\n" + IN_ORDER + "    flags: [F]\n",
        2,
        None,
        "'not two' is no key of flags.F; if it is the rest of a text with a comma, put that text in quotes",
    ),
]


def only_complaint(root: Path, text: str | bytes) -> tuple[int | None, str | None, str]:
    found = complaints_about(root, x=text)
    assert len(found) == 1, "\n".join(map(str, found))
    assert found[0].file == "cases/x.yaml"
    return found[0].line, found[0].case, str(found[0])


@pytest.mark.parametrize(("line", "words"), LINES, ids=[line[:60] for line, _ in LINES])
def test_a_bad_line_is_refused(tmp_path: Path, line: str, words: str) -> None:
    where, case, said = only_complaint(tmp_path, IN_ORDER + f"    {line}\n")
    assert (where, case) == (6, "one")
    assert words in said
    assert said.startswith("cases/x.yaml:6: [one] ")


@pytest.mark.parametrize(
    ("text", "line", "case", "words"), [entry[1:] for entry in FILES], ids=[entry[0] for entry in FILES]
)
def test_a_bad_file_is_refused(
    tmp_path: Path, text: str | bytes, line: int | None, case: str | None, words: str
) -> None:
    where, whose, said = only_complaint(tmp_path, text)
    assert (where, whose) == (line, case)
    assert words in said


@pytest.mark.parametrize(
    "other", ["expect: {sum: 1}", "gradient: {sum: {input: [1]}}", "same_as: {reduction: sum, why: w}"]
)
def test_a_refusal_states_no_result(tmp_path: Path, other: str) -> None:
    raises = "    raises: {when: call, kind: index, torch: {type: E, match: m}}\n"
    line, case, said = only_complaint(tmp_path, IN_ORDER + raises + f"    {other}\n")
    assert (line, case) == (7, "one")
    assert f"'{other.partition(':')[0]}' stands in a case with 'raises'" in said


def test_an_alias_is_refused_where_it_stands(tmp_path: Path) -> None:
    text = IN_ORDER.replace("input: [", "input: &a [").replace("[0, 1]", "*a")
    assert [(one.line, one.case) for one in complaints_about(tmp_path, x=text)] == [(5, "one"), (5, "one")]


def test_a_dtype_that_the_case_leaves_out_expects_nothing(tmp_path: Path) -> None:
    text = IN_ORDER + "    dtypes: [float64]\n    expect: {sum: {float32: 1}}\n"
    line, _, said = only_complaint(tmp_path, text)
    assert line == 7
    assert "float32, in which the case does not run" in said


def test_a_reduction_that_the_case_leaves_out_expects_nothing(tmp_path: Path) -> None:
    text = IN_ORDER + "    reductions: [mean]\n    expect: {sum: 1}\n"
    line, _, said = only_complaint(tmp_path, text)
    assert line == 7
    assert "'sum' is no reduction that the case runs in" in said


def test_all_complaints_come_at_once_and_in_order(tmp_path: Path) -> None:
    first = (
        IN_ORDER + "    titel: x\n    expect: {sum: on, mean: [1, [2]]}\n" + TAKEN.partition("cases:\n")[2]
    )
    second = IN_ORDER.replace("CrossEntropyLoss", "Nothing")
    found = complaints_about(tmp_path, b=second, a=first.replace("title: a case in order", "bias: no"))
    assert [(one.file, one.line, one.case) for one in found] == [
        ("cases/a.yaml", 3, "one"),
        ("cases/a.yaml", 4, "one"),
        ("cases/a.yaml", 6, "one"),
        ("cases/a.yaml", 7, "one"),
        ("cases/a.yaml", 7, "one"),
        ("cases/a.yaml", 8, "two"),
        ("cases/a.yaml", 9, "two"),
        ("cases/b.yaml", 1, None),
        ("cases/b.yaml", 3, "one"),
    ]
    with pytest.raises(CorpusError) as caught:
        load(tmp_path)
    assert str(caught.value).splitlines() == [str(one) for one in found]


def test_every_invisible_character_of_a_file_is_named(tmp_path: Path) -> None:
    found = complaints_about(tmp_path, x="a:\tb\n# fine\nc:\x00d\n")
    assert [one.line for one in found] == [1, 3]


def test_an_id_is_unique_in_the_corpus(tmp_path: Path) -> None:
    found = complaints_about(tmp_path, a=IN_ORDER, b="\n" + IN_ORDER)
    assert [(one.file, one.line, one.case) for one in found] == [("cases/b.yaml", 4, "one")]
    assert "stands already at cases/a.yaml:3" in found[0].problem


def test_a_complaint_is_one_line_whatever_was_written(tmp_path: Path) -> None:
    found = complaints_about(tmp_path, x=IN_ORDER + '    "ti\\ntle": x\n')
    assert len(str(found[0]).splitlines()) == 1


def test_a_link_that_leads_to_itself_is_refused(tmp_path: Path) -> None:
    folder = write(tmp_path, good=IN_ORDER)
    (folder / "loop.yaml").symlink_to(folder / "loop.yaml")
    assert [one.file for one in complaints_about(tmp_path)] == ["cases/loop.yaml"]


def test_a_linked_folder_is_refused(tmp_path: Path) -> None:
    folder = write(tmp_path, good=IN_ORDER)
    (folder / "loop").symlink_to(folder)
    assert [one.file for one in complaints_about(tmp_path)] == ["cases/loop"]


def test_a_folder_with_the_name_of_a_file_is_walked(tmp_path: Path) -> None:
    folder = write(tmp_path)
    (folder / "x.yaml").mkdir()
    (folder / "x.yaml" / "y.yaml").write_text(IN_ORDER)
    assert [case.file for case in load(tmp_path).cases] == ["cases/x.yaml/y.yaml"]


def test_a_file_with_another_ending_is_not_passed_over(tmp_path: Path) -> None:
    folder = write(tmp_path, good=IN_ORDER)
    (folder / "other.yml").write_text(IN_ORDER)
    assert [one.file for one in complaints_about(tmp_path)] == ["cases/other.yml"]


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="cases: the folder cannot be read"):
        load_corpus(tmp_path / "cases")


DEFECT = """\
defects:
  - case: weighted-mean
    subject: torch.functional
    observed: "1"
    expected: "2"
    why: because
    kind: defect
"""
DEFECT_CHANGES = [
    ("case: weighted-mean", "case: weighted-man", 2, "did you mean 'weighted-mean'?"),
    ("kind: defect", "kind: bug", 7, "kind is 'bug', which is not known"),
    ("kind: defect", "kind: defect\n    link: http://x", 8, "begins with https://"),
    ("kind: defect", "kind: defect\n    dtypes: [int8]", 8, "dtypes[0] is 'int8'"),
    ("kind: defect", "kind: defect\n    dtypes: float32", 8, "must be a list"),
    ("kind: defect", "kind: defect\n    reductions: [men]", 8, "did you mean 'mean'?"),
    ("kind: defect", "kind: defect\n    untill: '2.13'", 8, "did you mean 'until'?"),
    ("kind: defect", "kind: defect\n    since: 2.x", 8, "since is '2.x'; write the numbers of a release"),
    ("kind: defect", "kind: defect\n    since: '>=2.1'", 8, "since is '>=2.1'; write the numbers"),
    (
        "kind: defect",
        "kind: defect\n    until: 2.10",
        8,
        "until is a number ('2.10') but must be a text; put",
    ),
    (
        "kind: defect",
        "kind: defect\n    since: '2.14'\n    until: '2.13'",
        9,
        "no release is both since '2.14'",
    ),
    ("kind: defect", "kind: defect\n    until: '2.13.0'\n    since: '2.13.1'", 9, "and until '2.13.0'; mend"),
    ('observed: "1"', "observed: nan", 4, "without quotes is ambiguous"),
    ("why: because", "why: because\n    elements: 0", 7, "elements is 0"),
    ("why: because", "why: because\n    elements: [1.5]", 7, "elements[0] is 1.5"),
    ('observed: "1"', "observed: []", 4, "observed is an empty list"),
    ('observed: "1"', "observed: {budgets: many}", 4, "must be a number"),
    ("    why: because\n", "", 2, "lacks the key 'why'"),
]


@pytest.mark.parametrize(("old", "new", "line", "words"), DEFECT_CHANGES)
def test_a_bad_known_defect_is_refused(tmp_path: Path, old: str, new: str, line: int, words: str) -> None:
    found = complaints_about(tmp_path, x=EVERY_KEY, known_defects=DEFECT.replace(old, new))
    assert [(one.file, one.line) for one in found] == [("cases/known-defects.yaml", line)]
    assert words in str(found[0])
    assert found[0].case == (
        "weighted-man" if "weighted-man\n" in DEFECT.replace(old, new) else "weighted-mean"
    )


@pytest.mark.parametrize(
    ("defaults", "words"),
    [
        ("{case: weighted-mean}", "'case' is no key of defaults"),
        ("{observed: 1}", "'observed' is no key of defaults"),
        ("{since: 2.10}", "since is a number ('2.10') but must be a text; put it in quotes"),
        ("{since: '2.14', until: '2.13'}", "no release is both since '2.14' and until '2.13'"),
        ("[kind]", "defaults is a list but must be a mapping"),
        ("{}", "defaults is empty"),
    ],
)
def test_bad_defaults_are_refused_once(tmp_path: Path, defaults: str, words: str) -> None:
    entries = DEFECT + DEFECT.removeprefix("defects:\n")
    found = complaints_about(tmp_path, x=EVERY_KEY, known_defects=f"defaults: {defaults}\n{entries}")
    assert [(one.line, one.case) for one in found] == [(1, None)]
    assert words in str(found[0])


def test_an_entry_that_contradicts_the_defaults_is_named(tmp_path: Path) -> None:
    late = DEFECT.replace("kind: defect", "kind: defect\n    since: '2.14'")
    found = complaints_about(tmp_path, x=EVERY_KEY, known_defects=f"defaults: {{until: '2.13'}}\n{late}")
    assert [(one.line, one.case) for one in found] == [(9, "weighted-mean")]


def test_a_file_of_history_that_tells_no_release_is_refused(tmp_path: Path) -> None:
    folder = write(tmp_path, good=IN_ORDER) / "history"
    folder.mkdir()
    for name in ("torch-2.13.0.json", "torch-latest.json", "2.13.0.json"):
        (folder / name).write_text("{}")
    found = complaints_about(tmp_path)
    assert [one.file for one in found] == ["cases/history/2.13.0.json", "cases/history/torch-latest.json"]
    assert "the file's name tells no release; call it like torch-2.13.0.json" in str(found[0])
