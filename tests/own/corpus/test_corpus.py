"""What the loader makes of case files that are in order."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from corpus_specimens import EVERY_KEY, IN_ORDER, load, numerals, write
from repository import ROOT

from lossproof.corpus.case import Case, Drifted, Erratum, Flag, ModuleClaim, Printed, Raised, Source
from lossproof.corpus.numeral import parse_numeral
from lossproof.corpus.reading import load_picks
from lossproof.corpus.tensors import Concatenate, Derived, Fill, Index, Literal, Permute, Reshape, Uniform


def literal(*texts: str, shape: tuple[int, ...] | None = None, dtype: str | None = None) -> Literal:
    return Literal(numerals(*texts), (len(texts),) if shape is None else shape, dtype)


@pytest.fixture
def cases(tmp_path: Path) -> dict[str, Case]:
    return {case.id: case for case in load(tmp_path, x=EVERY_KEY).cases}


def test_a_case_keeps_everything_it_says(cases: dict[str, Case]) -> None:
    case = cases["weighted-mean"]
    assert (case.file, case.line, case.loss) == ("cases/x.yaml", 6, "CrossEntropyLoss")
    assert case.source == Source("002_76d7edb28dd97171", "section 2, under CE", "D002-6")
    assert case.prints == ("mean", "erratum")
    why = "mean divides by the weights' sum, not by N"
    assert case.flags == (Flag("MeanDenominator", "wrong value", "high", why),)
    assert case.params == {"weight": literal("1", "2"), "label_smoothing": parse_numeral("0.0")}
    assert case.args == {
        "input": literal("1", "2", "1", "3", "1", "3", shape=(3, 2)),
        "target": literal("0", "1", "1"),
    }
    assert (case.reductions, case.dtypes) == (("none", "mean"), ("float64", "float32"))
    assert case.drifted == Drifted("8", "2.0", "attributes")
    assert (case.bias, case.rounded, case.loses_digits) == (False, False, True)
    assert (case.own_process, case.repeats) == (False, 3)
    assert case.kills == ("ce-weight-dropped",)


def test_results_keep_their_digits_and_dtypes(cases: dict[str, Case]) -> None:
    case = cases["weighted-mean"]
    assert case.expect == {
        "none": (Printed(numerals("1.3133", "0.2539", "0.2539"), (3,)),),
        "mean": (Printed(numerals("0.3642"), ()), Printed(numerals("0.36418"), (), "float32")),
    }
    assert case.gradient["mean"]["weight"] == (Printed(numerals("0.5", "-.25"), (2,), "float32"),)
    assert case.gradient["mean"]["input"][0].shape == (3, 2)
    assert case.erratum == Erratum({"mean": Printed(numerals("-1.8"), (1,))}, "", "the sign is lost")
    assert cases["indices"].erratum == Erratum({}, "an empty batch gives 0", "its mean is nan")


def test_identities_name_their_terms(cases: dict[str, Case]) -> None:
    same, different = cases["weighted-mean"].same_as, cases["weighted-mean"].differs_from
    assert same is not None
    assert different is not None
    assert (same.reductions, same.why, len(same.terms)) == (("mean",), "scale", 1)
    assert (same.terms[0].loss, same.terms[0].reduction) == ("CrossEntropyLoss", "mean")
    assert same.terms[0].params == {"weight": literal("2", "4")}
    assert [(term.reduction, dict(term.params), term.args) for term in different.terms] == [
        ("sum", {}, None),
        (None, {"weight": None}, None),
    ]


def test_every_form_of_a_tensor(cases: dict[str, Case]) -> None:
    forms = cases["forms"].args
    uniform = Uniform(parse_numeral("-4"), parse_numeral("4"), (2, 3), 7)
    joined = Concatenate((uniform, Fill(parse_numeral("1"), (1, 3))), 0)
    assert forms["input"] == Derived("log_softmax", joined, 1)
    inner = literal("1", "2", "0x1p-3", "3", "8.5", "1e-0", shape=(2, 3))
    softmax = Derived("softmax", Derived("log", Derived("sigmoid", inner, None), None), 1)
    assert forms["target"] == Reshape(Permute(softmax, (1, 0)), (6,))
    assert cases["indices"].args == {
        "input": Fill(parse_numeral("0"), (0, 3), "float32"),
        "target": Index(3, (0,), 8),
    }
    assert cases["refused"].args["target"] == literal("2", dtype="int64")


def test_a_refusal_may_name_what_the_loss_does_not_know(cases: dict[str, Case]) -> None:
    case = cases["refused"]
    assert case.raises == Raised("index", "call", "IndexError", "out of bounds")
    assert case.params == {
        "ignore_index": parse_numeral("-100"),
        "reduction": "men",
        "nonsense": True,
        "also": "text",
    }
    assert (
        math.isnan(float(case.args["extra"].values[0])) if isinstance(case.args["extra"], Literal) else False
    )


def test_a_module_claim_is_plain_data(cases: dict[str, Case]) -> None:
    expected = ["CrossEntropyLoss", {"depth": 3, "own": True, "none": None}]
    assert cases["chain"].module == ModuleClaim("class_chain", expected)


@pytest.mark.parametrize(
    ("written", "shape"), [("1", ()), ("[]", (0,)), ("[[], []]", (2, 0)), ("[[[1], [2]]]", (1, 2, 1))]
)
def test_the_shape_of_lists(tmp_path: Path, written: str, shape: tuple[int, ...]) -> None:
    text = IN_ORDER.replace("[0, 1]", written)
    target = load(tmp_path, x=text).cases[0].args["target"]
    assert isinstance(target, Literal)
    assert target.shape == shape


def test_files_come_in_the_order_of_their_names(tmp_path: Path) -> None:
    folder = write(tmp_path, b=IN_ORDER, a=IN_ORDER.replace("one", "two"))
    (folder / "losses").mkdir()
    (folder / "losses" / "c.yaml").write_text(IN_ORDER.replace("one", "three").replace("\n", "\r\n"))
    found = [(case.id, case.file, case.line) for case in load(tmp_path).cases]
    assert found == [
        ("two", "cases/a.yaml", 3),
        ("one", "cases/b.yaml", 3),
        ("three", "cases/losses/c.yaml", 3),
    ]


def test_a_loss_without_reductions_states_its_result_as_none(tmp_path: Path) -> None:
    text = IN_ORDER.replace("CrossEntropyLoss", "Softmax").replace(", target: [0, 1]", "")
    text += "    params: {dim: 0}\n    expect: {none: [.5, .5]}\n"
    assert load(tmp_path, x=text).cases[0].expect == {"none": (Printed(numerals(".5", ".5"), (2,)),)}


def test_releases_on_record_are_known_by_their_files(tmp_path: Path) -> None:
    folder = write(tmp_path, x=IN_ORDER) / "history"
    assert load(tmp_path).releases.of("torch.nn") == ()
    folder.mkdir()
    for name in ("torch-2.9.1.json", "torch-2.13.0.json", "mine-1.0.json", "README.md"):
        (folder / name).write_text("")
    releases = load(tmp_path).releases
    assert releases.of("torch.nn") == releases.of("torch-expressions") == ("2.9.1", "2.13.0")
    assert releases.of("mine") == ("1.0",)
    assert releases.has("torch.nn", "2.13.0+cpu")
    assert releases.has("mine", "1")
    assert not releases.has("torch.nn", "2.13.0.dev20260101")
    assert not releases.has("reference", "2.13.0")


def test_the_examples_of_the_handbook_are_in_order(tmp_path: Path) -> None:
    handbook = ROOT / "cases" / "README.md"
    blocks = [block.partition("```")[0] for block in handbook.read_text(encoding="utf-8").split("```yaml\n")]
    case, defect, picks, _ = blocks[1:]
    corpus = load(tmp_path, x=case, known_defects=defect)
    assert [case.id for case in corpus.cases] == [defect.case for defect in corpus.known_defects]
    (tmp_path / "conventions.yaml").write_text(picks, encoding="utf-8")
    assert load_picks(tmp_path)[0].pick == "1"
