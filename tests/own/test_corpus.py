"""What the loader makes of files that are in order, and its grammar of numbers."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from corpus_specimens import EVERY_KEY, IN_ORDER, complaints_about, load, write
from hypothesis import given
from hypothesis import strategies as st

from lossproof.corpus.case import (
    Case,
    Drifted,
    Erratum,
    Flag,
    KnownDefect,
    ModuleClaim,
    Printed,
    Raised,
    Source,
)
from lossproof.corpus.lint import lint_rounding
from lossproof.corpus.numeral import Numeral, parse_numeral
from lossproof.corpus.observed import Observed
from lossproof.corpus.reading import load_picks
from lossproof.corpus.tensors import (
    Concatenate,
    Derived,
    Fill,
    Index,
    Literal,
    Permute,
    Reshape,
    Uniform,
)

# A loss whose target holds no class indices.
OF_REAL_NUMBERS = IN_ORDER.replace("CrossEntropyLoss", "KLDivLoss")


def numerals(*texts: str) -> tuple[Numeral, ...]:
    return tuple(map(parse_numeral, texts))


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
    assert cases["chain"].module == ModuleClaim("class_chain", expected, {})


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


def test_known_defects_are_read_beside_the_cases(tmp_path: Path) -> None:
    text = """\
defects:
  - {case: one, subject: torch.*, observed: 1, expected: "2", why: w, kind: convention}
  - case: one
    subject: torch.functional
    dtypes: [float32]
    reductions: [mean]
    quantities: [value, gradient.input]
    since: "2.10"
    until: 2.13.0
    platform: linux
    device: cuda
    observed: nan
"""
    text = (
        text.replace("observed: nan", "observed: [.nan, 'RuntimeError: no']")
        + "    expected: '0'\n    why: w\n    kind: defect\n"
    )
    text += "    link: https://example.org/1\n"
    first, second = load(tmp_path, x=IN_ORDER, known_defects=text).known_defects
    file = "cases/known-defects.yaml"
    assert first == KnownDefect(
        case="one",
        subject="torch.*",
        dtypes=(),
        reductions=(),
        quantities=(),
        since="",
        until="",
        platform="",
        device="",
        observed=Observed(numerals("1")),
        expected="2",
        why="w",
        kind="convention",
        link="",
        file=file,
        line=2,
    )
    assert second == KnownDefect(
        "one",
        "torch.functional",
        ("float32",),
        ("mean",),
        ("value", "gradient.input"),
        "2.10",
        "2.13.0",
        "linux",
        "cuda",
        Observed((parse_numeral(".nan"), "RuntimeError: no")),
        "0",
        "w",
        "defect",
        "https://example.org/1",
        file,
        3,
    )


def test_what_a_file_says_once_holds_for_each_entry_that_says_nothing_else(tmp_path: Path) -> None:
    text = """defaults: {subject: torch.*, kind: defect, since: "2.6", until: "2.13", expected: "2", why: w}
defects:
  - {case: one, observed: 1}
  - {case: one, observed: 1, since: "2.12", kind: convention}
"""
    first, second = load(tmp_path, x=IN_ORDER, known_defects=text).known_defects
    assert (first.subject, first.since, first.until, first.kind) == ("torch.*", "2.6", "2.13", "defect")
    assert replace(second, line=first.line) == replace(first, since="2.12", kind="convention")


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


@pytest.mark.parametrize(
    ("number", "dtypes"),
    [
        ("0.1", ["float64", "float32", "bfloat16", "float16"]),
        ("257", ["bfloat16"]),
        ("256", []),
        ("2049", ["bfloat16", "float16"]),
        ("16777217", ["float32", "bfloat16", "float16"]),
        ("9007199254740993", ["float64", "float32", "bfloat16", "float16"]),
        ("65504", ["bfloat16"]),
        ("65536", ["float16"]),
        ("'0x1p-24'", []),
        ("'0x1p-25'", ["float16"]),
        ("'0x1p-133'", ["float16"]),
        ("'0x1p-134'", ["bfloat16", "float16"]),
        ("'0x1p-149'", ["bfloat16", "float16"]),
        ("'0x1p-150'", ["float32", "bfloat16", "float16"]),
        ("'0x1p-1074'", ["float32", "bfloat16", "float16"]),
        ("'0x1p-1075'", ["float64", "float32", "bfloat16", "float16"]),
        ("'0x1.8p-24'", ["float16"]),
        ("'0x1p128'", ["float32", "bfloat16", "float16"]),
        ("-.inf", []),
        (".nan", []),
        ("-0.0", []),
    ],
)
def test_a_number_that_a_dtype_cannot_hold_is_named(tmp_path: Path, number: str, dtypes: list[str]) -> None:
    text = IN_ORDER.replace("[[1, 2]", f"[[1, {number}]")
    found = complaints_about(tmp_path, x=text)
    assert [one.problem for one in found] == (
        [f"args.input holds {number.strip(chr(39))}, which {', '.join(dtypes)} cannot hold exactly"]
        if dtypes
        else []
    )
    if dtypes:
        case = load(tmp_path, x=text + "    rounded: true\n").cases[0]
        assert lint_rounding(case) == []


@pytest.mark.parametrize(
    "target",
    [
        "{dtype: int64, data: [257, 1]}",
        "{dtype: float32, data: [257, 1]}",
        "{sigmoid: [0.1, 1]}",
        "{uniform: [0.1, 1], shape: [2], seed: 1}",
    ],
)
def test_a_number_that_no_run_rounds_is_not_named(tmp_path: Path, target: str) -> None:
    assert complaints_about(tmp_path, x=OF_REAL_NUMBERS.replace("[0, 1]", target)) == ()


def test_a_class_index_is_rounded_by_no_run(tmp_path: Path) -> None:
    assert complaints_about(tmp_path, x=IN_ORDER.replace("[0, 1]", "[257, 1]")) == ()
    (found,) = complaints_about(tmp_path, x=OF_REAL_NUMBERS.replace("[0, 1]", "[257, 1]"))
    assert found.problem == "args.target holds 257, which bfloat16 cannot hold exactly"


def test_the_numbers_of_another_call_are_looked_at_too(tmp_path: Path) -> None:
    term = "    same_as: {args: {input: [[1, 257]], target: [257]}, why: it is}\n"
    (found,) = complaints_about(tmp_path, x=IN_ORDER + term)
    assert found.problem == "same_as.args.input holds 257, which bfloat16 cannot hold exactly"


@pytest.mark.parametrize(
    "tensor",
    [
        "{fill: 0.1, shape: [2]}",
        "{reshape: [[0.1, 1]], shape: [2]}",
        "{permute: [0.1, 1], dims: [0]}",
        "{concatenate: [[0.1], [1]], dim: 0}",
        "{dtype: bfloat16, data: [1, 257.0]}",
        "{dtype: int64, data: [1, 9007199254740993]}",
    ],
)
def test_a_number_inside_a_form_is_named(tmp_path: Path, tensor: str) -> None:
    found = complaints_about(tmp_path, x=OF_REAL_NUMBERS.replace("[0, 1]", tensor))
    assert ["args.target holds" in str(one) for one in found] == [True]


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_the_shortest_text_of_a_float_is_that_float(value: float) -> None:
    numeral = parse_numeral(repr(value))
    assert float(numeral) == value
    assert math.copysign(1, float(numeral)) == math.copysign(1, value)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_the_hexadecimal_text_of_a_float_is_exact(value: float) -> None:
    numeral = parse_numeral(value.hex())
    assert numeral.exact == Fraction(value)
    assert numeral.claim == 0


@given(st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-1000, max_value=1000))
def test_a_decimal_claims_half_of_its_last_digit(value: object) -> None:
    numeral = parse_numeral(str(value))
    assert numeral.exact == Fraction(str(value))
    assert numeral.claim == Fraction(1, 20000)


@pytest.mark.parametrize(
    ("text", "exact", "claim"),
    [
        ("1e-5", Fraction(1, 100000), Fraction(1, 200000)),
        ("-.5", Fraction(-1, 2), Fraction(1, 20)),
        ("1.", Fraction(1), Fraction(1, 2)),
        ("+3", Fraction(3), Fraction(0)),
        ("1.50E2", Fraction(150), Fraction(1, 2)),
        ("0x1p-149", Fraction(1, 2**149), Fraction(0)),
        ("-0x.8p1", Fraction(-1), Fraction(0)),
        ("-.inf", -math.inf, Fraction(0)),
    ],
)
def test_numbers_mean_what_they_print(text: str, exact: Fraction | float, claim: Fraction) -> None:
    numeral = parse_numeral(text)
    assert (numeral.text, numeral.exact, numeral.claim) == (text, exact, claim)


@pytest.mark.parametrize(
    "text", ["", ".", "1e", "e5", "0x10", "0x1p", "1_0", "inf", "nan", ".Inf", "1,5", " 1", "1 "]
)
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a number; write it like"):
        parse_numeral(text)


def test_the_examples_of_the_handbook_are_in_order(tmp_path: Path) -> None:
    handbook = Path(__file__).parents[2] / "cases" / "README.md"
    blocks = [block.partition("```")[0] for block in handbook.read_text(encoding="utf-8").split("```yaml\n")]
    case, defect, picks, _ = blocks[1:]
    corpus = load(tmp_path, x=case, known_defects=defect)
    assert [case.id for case in corpus.cases] == [defect.case for defect in corpus.known_defects]
    (tmp_path / "conventions.yaml").write_text(picks, encoding="utf-8")
    assert load_picks(tmp_path)[0].pick == "1"
