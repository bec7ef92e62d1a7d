"""What the loader refuses, where it says that the fault is, and in which words."""

from __future__ import annotations

from pathlib import Path

import pytest
from corpus_mistakes import LINES
from corpus_specimens import IN_ORDER, complaints_about, load, write

from lossproof.corpus.complaints import CorpusError
from lossproof.corpus.reading import load_corpus

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
    ("a directive", "%YAML 1.1\n---\n" + IN_ORDER, 1, None, "a line with '%' is a YAML directive"),
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
    ("bad indentation", IN_ORDER + "   bias: true\n", 6, None, "indented too little or too much"),
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
        "a case with 'module' cannot have 'args'",
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
        "'not two' is not a key of flags.F; if it is the rest of a text with a comma, put that text in quote",
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
    assert f"a case with 'raises' cannot have '{other.partition(':')[0]}'" in said


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
    assert "'sum' is not a reduction that the case runs in" in said


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
    assert "is in use at cases/a.yaml:3" in found[0].problem


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


def test_a_file_of_history_that_tells_no_release_is_refused(tmp_path: Path) -> None:
    folder = write(tmp_path, good=IN_ORDER) / "history"
    folder.mkdir()
    for name in ("torch-2.13.0.json", "torch-latest.json", "2.13.0.json"):
        (folder / name).write_text("{}")
    found = complaints_about(tmp_path)
    assert [one.file for one in found] == ["cases/history/2.13.0.json", "cases/history/torch-latest.json"]
    assert "the file's name does not name a release; name it like torch-2.13.0.json" in str(found[0])
