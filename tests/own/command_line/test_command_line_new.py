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
from lossproof.command_line import planted
from lossproof.command_line.case_text import wrapped
from lossproof.corpus.numeral import parse_numeral
from lossproof.corpus.reading import load_corpus

NEW = ("new", *CE, "--id", "ce-mine", "--title", "a case of mine")


@pytest.fixture
def cases(tmp_path: Path) -> Path:
    return folder_of_cases(tmp_path)


def _new(cases: Path, *words: str) -> Said:
    return typed(*NEW, "--corpus", str(cases), "--file", str(cases / "some.yaml"), *words)


def test_new_prints_a_case_with_certified_digits(cases: Path) -> None:
    said = started(*NEW, "--corpus", str(cases))
    assert said.returncode == 0
    assert said.stdout.splitlines() == [
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
        (["--warns", "[a]\n    rounded: true"], "--warns has more than one line"),
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


def test_lists_of_a_case_wrap_and_are_read_as_before(cases: Path) -> None:
    words = ("--input", "[[0.1, 0.2, 0.3], [0.4, 0.5, 0.6]]", "--target", "[0, 2]", "--gradient")
    said = typed(
        "new", "CrossEntropyLoss", *words, "--id", "ce-long", "--title", "x, " * 60 + "y",
        "--corpus", str(cases), "--file", str(cases / "long.yaml"),
    )  # fmt: skip
    assert said.status == 0, said.text
    lines = (cases / "long.yaml").read_text().splitlines()
    assert max(len(line) for line in lines if "title" not in line) <= 110
    assert sum(line.startswith("      ") for line in lines) > 1
    case = load_corpus(cases).cases[0]
    assert (case.id, case.title) == ("ce-long", "x, " * 60 + "y")
    assert set(case.gradient) == {"none", "mean", "sum"}


def test_a_comma_in_a_text_is_no_place_to_break() -> None:
    line = "source: {place: '1, 2, 3, 4, 5, 6', document: a, claim: b}"
    assert wrapped(line, 20) == ["source: {place: '1, 2, 3, 4, 5, 6',", "  document: a,", "  claim: b}"]


def test_new_says_how_the_case_is_run(cases: Path, tmp_path: Path) -> None:
    said = typed("new", "MSELoss", "--input", "[1]", "--target", "[0]", "--id", "mse-mine", "--title", "mine",
                 "--corpus", str(cases), "--file", str(cases / "some.yaml"))  # fmt: skip
    assert f"Run it: lossproof verify --cases mse-mine --corpus {cases}" in said.lines
    outside = tmp_path / "mine.yaml"
    said = typed(*NEW, "--file", str(outside))
    assert f"{outside} lies outside" in said.text
    told = next(line for line in said.lines if line.startswith("  lossproof verify"))
    assert told == f"  lossproof verify --cases ce-mine --corpus {tmp_path}"
    command = (*told.split()[1:], "-n", "0", "--dtypes", "float32", "--reports", str(tmp_path / "reports"))
    (cases / "some.yaml").unlink()  # a folder below it would be read, too
    finished = started(*command, "-p", "no:cacheprovider")
    assert finished.returncode == 0, finished.stdout + finished.stderr


def test_new_names_near_twins() -> None:
    words = ("--input", "[[0.5, -1, 2], [1, 0, -2]]", "--target", "[[1, 0, 1], [0, 1, 0]]")
    named = ("--pos_weight", "[1, 2, 3]", "--id", "bcel-mine", "--title", "a pos_weight for each class")
    said = typed("new", "BCEWithLogitsLoss", *words, *named)
    assert "Much like it: bcel-pos-weight-classes (cases/losses/bce_with_logits.yaml:" in said.text
    said = typed("new", "BCEWithLogitsLoss", *words, "--id", "bcel-mine", "--title", "another")
    assert "Much like it" not in said.text


HUBER = ("HuberLoss", "--input", "[2, 0.25]", "--target", "[0, 0]", "--id", "huber-mine", "--title", "mine")


def test_new_tells_which_planted_faults_the_case_catches(cases: Path) -> None:
    """In a corpus without a case of the loss, each is caught by the new one alone."""
    said = typed("new", *HUBER, "--delta", "0.5", "--kills", "--corpus", str(cases))
    assert said.status == 0, said.text
    told = re.search(r"It catches (\d+) of \d+ planted faults of HuberLoss, and alone (.*)\.", said.text)
    assert told is not None
    alone = told[2].split(", ")
    assert len(alone) == int(told[1]) > 5
    assert "huber-delta-ignored" in alone
    assert "kills:" in said.text
    assert "huber-delta-ignored" not in typed("new", *HUBER, "--kills", "--corpus", str(cases)).text


def test_where_no_faults_are_installed_new_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(planted, "_CHECKOUT", tmp_path)
    said = typed("new", *HUBER, "--kills")
    assert said.status == 0
    assert "--kills needs a checkout with its proofs/" in said.text
    assert "  - id: huber-mine" in said.lines


def test_a_flag_needs_a_file_that_describes_it() -> None:
    said = typed("new", *HUBER, "--flags", "[Branch]")
    assert said.status == 2
    assert "name the file, such as --file cases/losses/huber.yaml" in said.text


def test_its_own_options_are_proposed_where_one_is_misspelt() -> None:
    said = typed("new", *HUBER, "--digts", "3")
    assert said.status == 2
    assert "HuberLoss has no option '--digts'; did you mean '--digits'?" in said.text
