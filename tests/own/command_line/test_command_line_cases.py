"""``list``, ``show``, ``explain`` and ``check``: asking the corpus, and asking about it."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from command_lines import folder_of_cases, typed
from corpus_mistakes import HOSTILE, LINES
from corpus_specimens import IN_ORDER
from repository import ROOT


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The option that names a small corpus."""
    return ["--corpus", str(folder_of_cases(tmp_path_factory.mktemp("asked")))]


def _listed(*words: str) -> list[str]:
    said = typed("list", *words)
    assert said.status == 0, said.text
    return [line.split()[0] for line in said.lines]


def test_cases_are_listed_a_line_each_in_the_order_of_the_files(corpus: list[str]) -> None:
    everything = ["ce-weighted-mean", "ce-erratum", "ce-large", "ce-refused", "chain", "mse-wrong"]
    assert _listed(*corpus) == everything
    assert _listed("cases", *corpus) == everything


@pytest.mark.parametrize(
    ("words", "ids"),
    [
        (["ce-*"], ["ce-weighted-mean", "ce-erratum", "ce-large", "ce-refused"]),
        (["cases", "ref"], ["ce-refused"]),
        (["--loss", "MSELoss"], ["mse-wrong"]),
        (["--loss", "F.mse_loss"], ["mse-wrong"]),
        (["--flag", "Unstable"], ["ce-large"]),
        (["--flag", "meandenominator"], ["ce-weighted-mean"]),
        (["--document", "002"], ["ce-weighted-mean"]),
        (["losses"], ["CrossEntropyLoss", "MSELoss"]),
        (["losses", "mse"], ["MSELoss"]),
        (["flags"], ["MeanDenominator", "Unstable"]),
        (["flags", "--document", "002_76d7edb28dd97171"], ["MeanDenominator"]),
        (["dtypes", "b*"], ["bfloat16"]),
        (["subjects", "ref*"], ["reference"]),
    ],
)
def test_what_is_listed_can_be_chosen(corpus: list[str], words: list[str], ids: list[str]) -> None:
    assert _listed(*words, *corpus) == ids


def test_columns_stand_under_each_other(corpus: list[str]) -> None:
    lines = typed("list", *corpus).lines
    columns = {line.index(loss) for line in lines for loss in ("CrossEntropyLoss", "MSELoss") if loss in line}
    assert len(columns) == 1
    assert lines[0].endswith("the weighted mean divides by the sum of the picked weights")
    assert "cases/some.yaml:6" in lines[0]


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        (["nonsense"], "no case matches 'nonsense'; there are 6, such as ce-weighted-mean"),
        (["ce-larg?s"], "no case matches 'ce-larg?s'; near: ce-large"),
        (["flag", "x"], "'flag' cannot be listed; did you mean 'flags'?"),
        (["--loss", "MSELos"], "there is no loss 'MSELos'; did you mean 'MSELoss'?"),
        (["--flag", "Unstabel"], "no case has the flag 'Unstabel'; did you mean 'Unstable'?"),
        (["--document", "007"], "no case comes from the document '007'"),
        (["dtypes", "--loss", "MSELoss"], "--loss chooses cases, losses or flags, not dtypes; leave it out"),
        (["--loss", "NLLLoss"], "no case matches all of these options; leave one out"),
    ],
)
def test_what_is_not_there_is_said_with_what_is(corpus: list[str], words: list[str], answer: str) -> None:
    said = typed("list", *words, *corpus)
    assert said.status == 2
    assert answer in said.text


def test_show_tells_all_of_a_case(corpus: list[str]) -> None:
    said = typed("show", "ce-weighted-mean", *corpus)
    assert said.status == 0
    for words in (
        "the weighted mean divides by the sum of the picked weights",
        "cases/some.yaml:6",
        "002_76d7edb28dd97171, 2, CE (D002-6)",
        "MeanDenominator (wrong value, high): the mean divides by N",
        "[[1, 2], [1, 3], [1, 3]]",
        # log(1 + e) = 1.31326168751822283404899549496785...
        "[1.3132616875182228340, 0.25385602...",
        "confirmed",
        "weights",
    ):
        assert words.removesuffix("...") in said.text, words
    mean = re.search(r"^  mean  .*$", said.text, re.MULTILINE)
    assert mean
    assert mean[0].split()[1].startswith("0.36419474")


def test_show_tells_the_budget_of_each_dtype(corpus: list[str]) -> None:
    lines = typed("show", "ce-weighted-mean", *corpus).lines
    start = next(number for number, line in enumerate(lines) if line.startswith("budget"))
    assert lines[start + 1].split() == ["float64", "float32", "bfloat16", "float16"]
    row = next(line for line in lines[start:] if line.startswith("  mean  "))
    budgets = [float(cell) for cell in row.split()[1:]]
    assert budgets[0] < 1e-13 < 1e-8 < budgets[1] < 1e-5 < budgets[3] < budgets[2] < 0.2


def test_show_tells_a_wrong_number_and_an_erratum(corpus: list[str]) -> None:
    assert re.search(
        r"printed mean +disagree +stated 2.51, true 2.5", typed("show", "mse-wrong", *corpus).text
    )
    said = typed("show", "ce-erratum", *corpus).text
    assert re.search(r"erratum mean +confirmed +by what it says -1.3133, true 1.31326168", said)
    assert "a loss is no log-probability" in said


def test_show_tells_what_must_come_of_a_case_without_numbers(corpus: list[str]) -> None:
    said = typed("show", "ce-refused", *corpus)
    assert said.status == 0
    assert "index, at the call; torch: IndexError matching 'out of bounds'" in said.text
    assert "target 2 is out of bounds: there are 2 classes (index)" in said.text
    assert "class_chain must be ['CrossEntropyLoss']" in typed("show", "chain", *corpus).text


def test_show_keeps_large_cases_short(corpus: list[str]) -> None:
    said = typed("show", "ce-large", *corpus)
    assert said.status == 0
    assert "{uniform: [-100, 100], shape: [40, 50], seed: 3}" in said.text
    assert "(40x50 numbers)" in said.text
    assert max(map(len, said.lines)) < 500


def test_show_tells_known_defects(tmp_path: Path) -> None:
    cases = folder_of_cases(tmp_path)
    (cases / "known-defects.yaml").write_text(
        "defects:\n  - {case: ce-large, subject: torch.nn, dtypes: [float32], observed: wrong, "
        "expected: right, why: made up, kind: defect, since: '2.6', until: '2.13', "
        "link: 'https://example.org/1'}\n"
    )
    said = typed("show", "ce-large", "--corpus", str(cases)).text
    assert "torch.nn, float32" in said
    assert "wrong; should be right" in said
    assert "made up (since 2.6 until 2.13) https://example.org/1" in said


def test_explain_is_the_formula_and_the_steps_with_the_cases_numbers(corpus: list[str]) -> None:
    said = typed("explain", "ce-weighted-mean", *corpus)
    assert said.status == 0
    assert said.lines[1].startswith("CrossEntropyLoss: l_n = -w[y_n] log p[n, y_n]")
    assert "max(1, 2) = -1" in said.text
    assert "exp(-1) + exp(0) ≈ 1.3678794" in said.text
    assert re.search(r"^  mean: .* ≈ 0.3641947$", said.text, re.MULTILINE)


def test_explain_names_every_symbol(corpus: list[str]) -> None:
    said = typed("explain", "ce-weighted-mean", *corpus)
    assert "  w    weight" in said.lines
    assert "  y_n  target[n], the class of sample n" in said.lines


def test_show_tells_how_many_digits_a_budget_demands() -> None:
    said = typed("show", "ce-confident")
    at = said.lines.index("right digits that the budget demands, of those that the dtype holds")
    assert said.lines[at + 1].split() == ["float64", "float32", "bfloat16", "float16"]
    # The budget is 6.66e-16 and the smaller loss 2.06e-9; in float32 it is 3.58e-07.
    assert said.lines[at + 2].split() == [
        "none",
        "6",
        "of",
        "16",
        "0",
        "of",
        "7",
        "0",
        "of",
        "2",
        "0",
        "of",
        "3",
    ]
    assert "right digits" not in typed("show", "mse-four").text


def test_explain_takes_another_reduction(corpus: list[str]) -> None:
    said = typed("explain", "ce-weighted-mean", "--reduction", "sum", *corpus)
    assert "steps, reduction sum" in said.text
    assert "mean =" not in said.text
    refused = typed("explain", "ce-weighted-mean", "--reduction", "batchmean", *corpus)
    assert refused.status == 2
    assert "it runs with none, mean, sum" in refused.text


@pytest.mark.parametrize("verb", ["show", "explain"])
def test_a_case_that_is_not_there_is_answered_with_its_like(corpus: list[str], verb: str) -> None:
    said = typed(verb, "ce-wieghted-mean", *corpus)
    assert said.status == 2
    assert "no case 'ce-wieghted-mean'; near: ce-weighted-mean" in said.text


def test_what_cannot_be_explained_is_said(corpus: list[str]) -> None:
    refused = typed("explain", "ce-refused", *corpus)
    assert refused.status == 2
    assert "ce-refused: the reference refuses this call: target 2 is out of bounds" in refused.text
    module = typed("explain", "chain", *corpus)
    assert module.status == 2
    assert "'lossproof show chain' shows it" in module.text


def test_every_kind_of_case_of_the_suite_can_be_shown() -> None:
    for id in ("ctc-no-frames", "lce-nan-feature", "als-rounded", "ctc-class-chain", "d002-10-probabilities"):
        said = typed("show", id)
        assert said.status == 0
        assert said.lines[0].startswith(f"{id}: ")


def test_a_file_in_order_is_counted(tmp_path: Path) -> None:
    cases = folder_of_cases(tmp_path)
    said = typed("check", str(cases / "some.yaml"))
    assert said.status == 0
    assert said.text == "6 cases, no complaint\n"


def test_a_file_of_the_corpus_and_known_defects_are_in_order() -> None:
    said = typed("check", str(ROOT / "cases/losses/mse.yaml"), str(ROOT / "cases/known-defects-count.yaml"))
    assert said.status == 0, said.text
    assert re.fullmatch(r"\d+ cases and \d+ known defects?, no complaint\n", said.text)


@pytest.mark.parametrize(("line", "complaint"), LINES, ids=[line[:60] for line, _ in LINES])
def test_a_malformed_line_is_complained_about(tmp_path: Path, line: str, complaint: str) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(f"{IN_ORDER}    {line}\n")
    said = typed("check", str(file))
    assert said.status == 2
    assert f"{file}:6: [one]" in said.text
    assert complaint in said.text


# Only a corpus reads what is in a folder.
@pytest.mark.parametrize("name", [name for name in HOSTILE if name != "outer.yaml"])
def test_a_hostile_file_is_refused_in_sentences(tmp_path: Path, name: str) -> None:
    make: Callable[[Path], object] = HOSTILE[name][0]
    make(tmp_path / name)
    said = typed("check", str(tmp_path / name))
    assert said.status == 2
    assert all(str(tmp_path / name) in line for line in said.lines)
    assert HOSTILE[name][1] in said.text
    assert not re.search("[\x00-\x08\x0b-\x1f\u202e]", said.text)


def test_all_complaints_about_all_files_come_at_once(tmp_path: Path) -> None:
    (tmp_path / "one.yaml").write_text(IN_ORDER.replace("title: a", "titel: a"))
    (tmp_path / "two.yaml").write_text(IN_ORDER.replace("[0, 1]", "[0, yes]").replace("one", "two"))
    files = [str(tmp_path / name) for name in ("one.yaml", "two.yaml", "three.yaml", "four.yml")]
    said = typed("check", *files)
    assert said.status == 2
    assert [line.partition(":")[0] for line in said.lines] == sorted([files[0], *files])
    assert "did you mean 'title'?" in said.text
    assert "three.yaml: the file cannot be read (No such file or directory)" in said.text
    assert "four.yml: the file is not read because of its ending; let its name end in .yaml" in said.text


def test_an_id_that_stands_twice_is_found_within_files_and_beside_the_corpus(tmp_path: Path) -> None:
    cases = folder_of_cases(tmp_path)
    other = cases / "other.yaml"
    other.write_text(IN_ORDER.replace("id: one", "id: ce-large"))
    beside = typed("check", str(cases / "some.yaml"), "--corpus", str(cases))
    assert beside.status == 2
    assert "the id 'ce-large' is in use at cases/other.yaml:3" in beside.text
    both = typed("check", str(cases / "some.yaml"), str(other))
    assert f"{other}:3: [one]" not in both.text
    assert "the id 'ce-large' is in use at" in both.text
    assert typed("check", str(other)).status == 0
