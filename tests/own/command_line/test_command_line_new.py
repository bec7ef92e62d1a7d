"""``new``: a call that a person types becomes a case."""

from __future__ import annotations

import math
import re
from fractions import Fraction
from pathlib import Path

import pytest
from command_lines import CASES, CE, Said, folder_of_cases, started, typed
from repository import ROOT

from lossproof.checks.certification import certify
from lossproof.corpus.numeral import parse_numeral
from lossproof.corpus.reading import load_corpus

NEW = ("new", *CE, "--id", "ce-mine", "--title", "a case of mine")


@pytest.fixture
def cases(tmp_path: Path) -> Path:
    return folder_of_cases(tmp_path)


def _new(cases: Path, *words: str) -> Said:
    return typed(*NEW, "--corpus", str(cases), "--file", str(cases / "some.yaml"), *words)


def test_new_prints_a_case_with_certified_digits(cases: Path) -> None:
    said = typed(*NEW, "--corpus", str(cases))
    assert said.status == 0
    assert said.lines == [
        "  - id: ce-mine",
        "    title: a case of mine",
        "    args: {input: [[1, 2], [3, 4]], target: [0, 1]}",
        "    expect: {none: [1.313261688, 0.3132616875], mean: 0.8132616875, sum: 1.626523375}",
    ]


def test_a_new_case_is_added_to_a_file_and_holds(cases: Path) -> None:
    before = (cases / "some.yaml").read_bytes()
    said = _new(cases, "--gradient", "--weight", "[1, 2.5]", "--flags", "[Unstable]")
    assert said.status == 0, said.text
    assert "case ce-mine added, 7 cases in all" in said.text
    assert (cases / "some.yaml").read_bytes().startswith(before)
    *earlier, case = load_corpus(cases).cases
    assert len(earlier) == 6
    assert case.id == "ce-mine"
    assert [flag.name for flag in case.flags] == ["Unstable"]
    assert set(case.expect) == set(case.gradient) == {"none", "mean", "sum"}
    records = certify(case)
    assert len(records) == 6
    assert {record.outcome for record in records} == {"agree"}
    assert typed("check", str(cases / "some.yaml"), "--corpus", str(cases)).status == 0


def test_a_new_case_of_the_suites_own_file_is_verified_with_it(tmp_path: Path) -> None:
    cases = tmp_path / "cases"
    cases.mkdir()
    copy = cases / "l1.yaml"
    copy.write_bytes((ROOT / "cases/losses/l1.yaml").read_bytes())
    words = ("L1Loss", "--input", "[1, 2.5]", "--target", "[0, 4]", "--id", "l1-mine", "--title", "mine, too")
    said = typed("new", *words, "--file", str(copy))
    assert said.status == 0, said.text
    folders = ("--corpus", str(cases), "--reports", str(tmp_path / "reports"), "-p", "no:cacheprovider")
    finished = started("verify", *folders, "--cases", "l1-mine", "--dtypes", "float32")
    assert finished.returncode == 0, finished.stdout
    assert "Everything conforms" in finished.stdout


def test_numbers_that_a_dtype_cannot_hold_are_said_to_be_rounded(cases: Path) -> None:
    said = _new(cases, "--label_smoothing", "0.1")
    assert "rounded" not in said.text
    finished = started(
        "new", "L1Loss", "--input", "[0.1]", "--target", "[0]", "--id", "l1-tenth", "--title", "a tenth",
        "--corpus", str(cases),
    )  # fmt: skip
    assert finished.returncode == 0
    assert "    rounded: true\n" in finished.stdout
    assert "says 'rounded: true'" in finished.stderr
    assert "says" not in finished.stdout


def test_a_new_file_is_begun_with_its_loss(cases: Path) -> None:
    said = typed(*NEW, "--corpus", str(cases), "--file", str(cases / "fresh.yaml"))
    assert said.status == 0, said.text
    assert (cases / "fresh.yaml").read_text().startswith("loss: CrossEntropyLoss\ncases:\n  - id: ce-mine\n")
    assert len(load_corpus(cases).cases) == 7


def test_a_case_of_another_loss_names_it(cases: Path) -> None:
    words = ("MSELoss", "--input", "[1]", "--target", "[0]", "--id", "mse-mine", "--title", '"quotes": and #')
    said = typed("new", *words, "--corpus", str(cases), "--file", str(cases / "some.yaml"))
    assert said.status == 0, said.text
    case = load_corpus(cases).cases[-1]
    assert (case.loss, case.title) == ("MSELoss", '"quotes": and #')


def test_digits_are_as_many_as_asked_for(cases: Path) -> None:
    assert "mean: 0.81," in typed(*NEW, "--corpus", str(cases), "--digits", "2").text
    assert (
        "mean: 0.813261687518222834048995494968,"
        in typed(*NEW, "--corpus", str(cases), "--digits", "30").text
    )


def test_one_reduction_alone(cases: Path) -> None:
    said = typed(*NEW, "--corpus", str(cases), "--reduction", "sum")
    assert "    reductions: [sum]\n" in said.text
    assert "    expect: {sum: 1.626523375}\n" in said.text


def test_results_of_many_numbers_are_left_to_the_reference(cases: Path) -> None:
    words = ("--input", "{uniform: [-1, 1], shape: [100], seed: 1}", "--target", "{fill: 0, shape: [100]}")
    said = typed("new", "MSELoss", *words, "--id", "mse-many", "--title", "many", "--corpus", str(cases))
    assert said.status == 0
    assert re.search(r"    expect: \{mean: 0\.\d{10}, sum: \d+\.\d+\}\n", said.text)


def test_windows_line_ends_stay(cases: Path) -> None:
    (cases / "some.yaml").write_bytes(CASES.replace("\n", "\r\n").encode())
    assert _new(cases).status == 0
    data = (cases / "some.yaml").read_bytes()
    assert data.count(b"\n") == data.count(b"\r\n")
    assert len(load_corpus(cases).cases) == 7


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        (["--id", "ce-large"], "the id 'ce-large' is in use at"),
        (["--id", "CE"], "write small letters and digits joined by single hyphens"),
        (["--title", " "], "title is an empty text"),
        (["--flags", "[Unstabel]"], "did you mean 'Unstable'?"),
        (["--flags", "[Unstable"], "a list in brackets is not closed"),
        (["--kills", "[a]\n    rounded: true"], "--kills has more than one line"),
        (["--dtypes", "[float33]"], "did you mean 'float32'?"),
        (["--target", "[0, 2]"], "refuses this call (index): target 2 is out of bounds"),
        (["--reduction", "sum", "--reductions", "[sum]"], "keep one of them"),
        (["--expect", "{mean: 2}"], "has no option '--expect'"),
        (["--digits", "1"], "--digits"),
    ],
)
def test_a_mistake_leaves_the_file_as_it_was(cases: Path, words: list[str], answer: str) -> None:
    file = cases / "some.yaml"
    given = dict(zip(NEW[2::2], NEW[3::2], strict=True)) | dict(zip(words[::2], words[1::2], strict=True))
    typed_words = [word for pair in given.items() for word in pair]
    said = typed("new", "CrossEntropyLoss", *typed_words, "--corpus", str(cases), "--file", str(file))
    assert said.status == 2
    assert answer in said.text
    assert file.read_text() == CASES
    assert [path.name for path in cases.iterdir()] == ["some.yaml"]


def test_an_id_of_another_file_is_refused(cases: Path) -> None:
    words = ("L1Loss", "--input", "1", "--target", "2", "--id", "ce-large", "--title", "x")
    for place in ((), ("--file", str(cases / "fresh.yaml"))):
        said = typed("new", *words, "--corpus", str(cases), *place)
        assert said.status == 2
        assert "the id 'ce-large' is in use at cases/some.yaml:18; choose another" in said.text
    assert not (cases / "fresh.yaml").exists()


def test_files_that_take_no_case_are_refused(cases: Path) -> None:
    command = (*NEW, "--corpus", str(cases), "--file")
    (cases / "broken.yaml").write_text("loss: [")
    (cases.parent / "flow.yaml").write_text(
        "cases: [{id: one, title: in brackets, loss: L1Loss, args: {input: 1, target: 2}}]\n"
    )
    (cases.parent / "first.yaml").write_text(
        "cases:\n- id: one\n  title: cases come first\n  args: {input: 1, target: 2}\nloss: L1Loss\n"
    )
    for name, answer in (
        ("known-defects.yaml", "is not a file of cases"),
        ("some.txt", "is not a file of cases; name one that ends in .yaml"),
        ("nowhere/some.yaml", "there is no folder"),
        ("broken.yaml", "broken.yaml:2: a value is missing between brackets"),
        ("../flow.yaml", "flow.yaml does not end with its list of cases; put 'cases:' last"),
        ("../first.yaml", "first.yaml does not end with its list of cases"),
    ):
        said = typed(*command, str(cases / name))
        assert said.status == 2, name
        assert answer in said.text
    assert (cases / "broken.yaml").read_text() == "loss: ["


def test_a_folder_that_cannot_be_written_to_is_said(cases: Path) -> None:
    # A name so long that its temporary neighbour's is too long, which stops even root.
    file = cases / f"{'a' * 248}.yaml"
    said = typed(*NEW, "--corpus", str(cases), "--file", str(file))
    assert said.status == 2
    assert "cannot be written" in said.text
    assert not file.exists()


def test_every_number_of_a_new_case_claims_the_truth(cases: Path) -> None:
    words = ("SoftMarginLoss", "--input", "[0.5, -3, 40]", "--target", "[1, -1, 1]")
    said = typed("new", *words, "--id", "soft-mine", "--title", "mine", "--corpus", str(cases))
    texts = re.search(r"none: \[([^]]*)\]", said.text)
    assert texts
    for text, x in zip(texts[1].split(", "), (0.5, 3, 40), strict=True):
        numeral = parse_numeral(text)
        assert isinstance(numeral.exact, Fraction)
        assert abs(float(numeral.exact) - math.log1p(math.exp(-x))) <= float(numeral.claim) * (1 + 1e-9)
