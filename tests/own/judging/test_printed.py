"""Printed numbers: they claim exactly their digits."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal, localcontext
from pathlib import Path

import numpy as np
import pytest
from exact_arithmetic import DIGITS, decimal_of, literal
from printed_numbers import case, one, printed

from lossproof.corpus.case import Case, Printed
from lossproof.corpus.numeral import parse_numeral
from lossproof.judging.content_store import ContentStore
from lossproof.judging.printed import DOCUMENT, IN_CASE, judge_printed
from lossproof.judging.stored_truth import storing

LOG_2 = "0.69314718055994530941723212145817656807550013436025525412068"

# -log softmax of equal logits is log 2.
EVEN = case("CrossEntropyLoss", input=literal([["0", "0"]]), target=literal(["1"]))

# The mean of -x at the target is a decimal: 0.25.
QUARTER = case("NLLLoss", input=literal([["-0.25", "-1"]]), target=literal(["0"]))


@pytest.mark.parametrize(
    ("text", "is_right"),
    [
        ("0.693147", True),
        ("0.6931472", True),
        ("0.6931", True),
        ("0.7", True),
        ("7e-1", True),
        ("0.6932", False),
        ("0.6930", False),
        ("0.6931471", False),
        ("0.69315", True),
        ("0.69314", False),
        ("1", False),
        (LOG_2, True),
        (LOG_2[:-1] + "7", False),
        ("-0.6931", False),
        (".nan", False),
        (".inf", False),
        ("0x1.62e42fefa39efp-1", False),
    ],
)
def test_a_number_is_right_when_the_truth_rounds_to_its_digits(text: str, is_right: bool) -> None:
    assert judge_printed(EVEN, "mean", None, one(text)).agrees is is_right


@pytest.mark.parametrize(
    ("text", "is_right", "share"),
    [
        # 0.25 is half a unit above 0.2 and below 0.3: both are roundings of it.
        ("0.2", True, 1.0),
        ("0.3", True, 1.0),
        ("0.25", True, 0.0),
        ("0.24", False, 2.0),
        ("0.250", True, 0.0),
        ("0.2500000000000000000000000000001", False, 2.0),
        ("0.249999999999999999", False, 2.0),
        ("0x1p-2", True, 0.0),
        ("0x1.0000001p-2", False, float("inf")),
        ("2e-1", True, 1.0),
        ("0", False, float("inf")),
    ],
)
def test_half_a_unit_of_the_last_digit_is_the_whole_claim(text: str, is_right: bool, share: float) -> None:
    verdict = judge_printed(QUARTER, "mean", None, one(text))
    assert verdict.agrees is is_right
    assert verdict.error_over_budget == pytest.approx(share, rel=1e-9)


@pytest.mark.parametrize(("true", "share"), [("70", 0.0), ("68", 0.4), ("65", 1.0), ("60", 2.0)])
def test_the_last_digit_may_stand_before_the_point(true: str, share: float) -> None:
    call = case("NLLLoss", input=literal([[f"-{true}", "-1"]]), target=literal(["0"]))
    verdict = judge_printed(call, "mean", None, one("7e1"))
    assert verdict.agrees is (share <= 1)
    assert verdict.error_over_budget == pytest.approx(share)


@pytest.mark.parametrize(
    ("value", "is_right"),
    [
        ("0.2499999999999", True),
        ("0.2500000000001", False),
        ("0.2500000000000000000000000001", False),
    ],
)
def test_a_hair_beyond_half_a_unit_is_wrong(value: str, is_right: bool) -> None:
    call = case("NLLLoss", input=literal([[f"-{value}", "-1"]]), target=literal(["0"]))
    verdict = judge_printed(call, "mean", None, one("0.2"))
    assert verdict.agrees is is_right
    assert verdict.error_over_budget == pytest.approx(1)
    assert ((verdict.error_over_budget or 0.0) <= 1) is is_right


def test_the_decimals_of_a_case_are_taken_as_they_are_written() -> None:
    """0.1 is one tenth, not the float64 beside it, which is larger by 5.6e-18."""
    tenth = case("NLLLoss", input=literal([["-0.1", "-1"]]), target=literal(["0"]))
    assert judge_printed(tenth, "mean", None, one("0.1000000000000000000000000")).agrees
    assert not judge_printed(tenth, "mean", None, one("0.1000000000000000055511151")).agrees


def test_parameters_are_taken_as_they_are_written_too() -> None:
    params = {"weight": literal(["0.1", "1"])}
    weighted = case("NLLLoss", params, input=literal([["-1", "-1"]]), target=literal(["0"]))
    assert judge_printed(weighted, "sum", None, one("0.1000000000000000000000000")).agrees
    assert not judge_printed(weighted, "sum", None, one("0.1000000000000000055511151")).agrees


def test_a_parameter_that_is_null_is_none() -> None:
    params = {"weight": None}
    plain = case("NLLLoss", params, input=literal([["-0.25", "-1"]]), target=literal(["0"]))
    assert judge_printed(plain, "sum", None, one("0.25")).agrees


def test_a_real_parameter_is_a_float64_number_and_computed_with_exactly() -> None:
    """Smoothing moves a share of a tenth, d, to both classes alike: log(1 + 1/e) + d / 2 is left."""
    params = {"label_smoothing": parse_numeral("0.1")}
    smoothed = case("CrossEntropyLoss", params, input=literal([["1", "0"]]), target=literal(["0"]))
    with localcontext(DIGITS):
        exact = (1 + Decimal(-1).exp()).ln() + decimal_of(0.1) / 2
        right, wrong = f"{exact:.40f}", f"{exact + Decimal('1e-39'):.40f}"
    assert judge_printed(smoothed, "mean", None, one(right)).agrees
    assert not judge_printed(smoothed, "mean", None, one(wrong)).agrees


def test_where_classes_are_cut_off_is_an_integer() -> None:
    """Two classes in the head, one in the tail: with nothing but zeros all that the head tells is even."""
    params = {
        "cutoffs": literal(["2"]),
        "head_weight": literal([["0"] * 4] * 3),
        "tail_0_0_weight": literal([["0"] * 4]),
        "tail_0_1_weight": literal([["0"]]),
    }
    target = literal(["0"])
    cut = case("AdaptiveLogSoftmaxWithLoss", params, input=literal([["0"] * 4]), target=target)
    assert judge_printed(cut, "mean", None, one("1.0986")).agrees


def test_integers_are_exact() -> None:
    three = case("NLLLoss", input=literal([["-3", "-1"]]), target=literal(["0"]))
    assert judge_printed(three, "mean", None, one("3")).agrees
    nearly = case("NLLLoss", input=literal([["-3.000000000000000000001", "-1"]]), target=literal(["0"]))
    assert not judge_printed(nearly, "mean", None, one("3")).agrees
    assert judge_printed(nearly, "mean", None, one("3.0")).agrees


def test_what_is_not_finite_must_match() -> None:
    empty = case("NLLLoss", input=literal([["-3", "-1"]]), target=literal(["-100"]))
    assert judge_printed(empty, "mean", None, one(".nan")).error_over_budget == 0
    for text in ("0", "0.0"):
        assert not judge_printed(empty, "mean", None, one(text)).agrees
    unbounded = case("SelfInformation", p=literal(["0"]))
    assert judge_printed(unbounded, "none", None, printed(".inf")).error_over_budget == 0
    for text in ("-.inf", ".nan", "1e300"):
        assert not judge_printed(unbounded, "none", None, printed(text)).agrees


@pytest.mark.parametrize("text", [".inf", "-.inf"])
def test_an_infinity_is_no_nan(text: str) -> None:
    empty = case("NLLLoss", input=literal([["-3", "-1"]]), target=literal(["-100"]))
    assert not judge_printed(empty, "mean", None, one(text)).agrees


def test_every_number_and_the_shape_must_be_right() -> None:
    pair = case("NLLLoss", input=literal([["-0.25", "-1"], ["-2", "-0.5"]]), target=literal(["0", "1"]))
    assert judge_printed(pair, "none", None, printed("0.25", "0.5")).agrees
    for wrong in (printed("0.25", "0.51"), printed("0.24", "0.5"), printed("0.5", "0.25")):
        assert not judge_printed(pair, "none", None, wrong).agrees
    verdict = judge_printed(pair, "none", None, printed("0.25", "0.5", shape=(1, 2)))
    assert not verdict.agrees
    assert "shape [1, 2], true shape [2]" in verdict.message
    assert not judge_printed(pair, "none", None, printed("0.25")).agrees


def test_the_reduction_is_that_under_which_it_is_printed() -> None:
    pair = case("NLLLoss", input=literal([["-0.25", "-1"], ["-2", "-0.5"]]), target=literal(["0", "1"]))
    assert judge_printed(pair, "sum", None, one("0.75")).agrees
    assert judge_printed(pair, "mean", None, one("0.375")).agrees


def test_what_is_passed_as_written_is_judged_as_passed() -> None:
    """The legacy pair says nothing here, so that the mean comes out, whatever it is printed under."""
    params = {"size_average": None, "reduce": None}
    inputs, target = literal([["-0.25", "-1"], ["-2", "-0.5"]]), literal(["0", "1"])
    pair = case("NLLLoss", params, input=inputs, target=target)
    assert judge_printed(pair, "mean", None, one("0.375")).agrees
    assert not judge_printed(pair, "sum", None, one("0.75")).agrees


def test_nothing_is_right_where_there_is_nothing() -> None:
    nothing = case("NLLLoss", input=literal(np.empty((0, 2))), target=literal(np.empty(0)))
    verdict = judge_printed(nothing, "none", None, printed())
    assert (verdict.agrees, verdict.error_over_budget) == (True, 0.0)


def test_both_sides_are_shown_to_twenty_digits() -> None:
    message = judge_printed(EVEN, "mean", None, one("0.7")).message
    assert message == "stated 0.7, true 0.69314718055994530942"


@pytest.mark.parametrize(
    ("stated", "shape", "true"),
    [
        (one("0.6"), [], "0.69314718055994530942"),
        (printed("0.69"), [1], "0.69314718055994530942"),
        (one("0.69", "float16"), [], "0.69314718"),
    ],
)
def test_both_sides_are_held_as_data(stated: Printed, shape: list[int], true: str) -> None:
    assert judge_printed(EVEN, "mean", None, stated).numbers == {
        "stated": [stated.values[0].text],
        "shape": shape,
        "true": [true],
        "true_shape": [],
        "dtype": stated.dtype or "",
        "by": "case",
    }


def test_a_true_value_that_is_not_finite_is_shown_as_a_word() -> None:
    for text, word in (("0", "inf"), ("-1", "nan")):
        verdict = judge_printed(case("SelfInformation", p=literal([text])), "none", None, printed("1"))
        assert verdict.message == f"stated 1, true {word}"


@pytest.mark.parametrize(("count", "shown"), [(12, ""), (13, ", ... (13 in all)")])
def test_of_many_numbers_the_first_twelve_are_shown(count: int, shown: str) -> None:
    many = case("NLLLoss", input=literal([["-0.25"]] * count), target=literal(["0"] * count))
    message = judge_printed(many, "none", None, printed(*["0.3"] * count)).message
    assert message.startswith(f"stated {', '.join(['0.3'] * 12)}{shown}, true 0.25")


def test_a_gradient_is_judged_like_a_value() -> None:
    assert judge_printed(EVEN, "mean", "input", printed("0.5", "-0.5", shape=(1, 2))).agrees
    assert not judge_printed(EVEN, "mean", "input", printed("0.5", "0.5", shape=(1, 2))).agrees


@pytest.mark.parametrize(
    ("text", "dtype", "is_right"),
    [
        ("0.6931471824645996", "float32", True),
        ("0.693147", "float32", True),
        ("0.69315", "float32", False),
        ("0.6914", "bfloat16", True),
        ("0.6902", "float16", False),
        ("0.693", "float16", True),
        ("0.6931471805599453", "float64", True),
        ("0.6931471805599", "float64", False),
        ("0.6931471824645996", "float64", False),
    ],
)
def test_a_number_seen_in_a_dtype_must_lie_within_its_budget(text: str, dtype: str, is_right: bool) -> None:
    verdict = judge_printed(EVEN, "mean", None, one(text, dtype))
    assert verdict.agrees is is_right
    assert f"seen in {dtype}: {text}" in verdict.message


def test_a_gradient_seen_in_a_dtype_is_judged_like_a_value() -> None:
    seen = printed("0.5", "-0.5", shape=(1, 2), dtype="float32")
    assert judge_printed(EVEN, "mean", "input", seen).agrees
    seen = printed("0.5", "-0.4999", shape=(1, 2), dtype="float32")
    assert not judge_printed(EVEN, "mean", "input", seen).agrees


class JudgedAnew(Exception):
    """Balls were asked once more."""


def refuse(*arguments: object) -> None:
    raise JudgedAnew


def test_a_number_that_was_judged_is_not_judged_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with storing(ContentStore(tmp_path / "store")):
        first = judge_printed(EVEN, "mean", None, one("0.6932"))
        monkeypatch.setattr("lossproof.judging.printed.certified", refuse)
        assert judge_printed(EVEN, "mean", None, one("0.6932")) == first


@pytest.mark.parametrize(
    ("written", "reduction", "argument", "text", "origin"),
    [
        (EVEN, "mean", None, "0.693", IN_CASE),
        (EVEN, "mean", None, "0.6932", DOCUMENT),
        (EVEN, "sum", None, "0.6932", IN_CASE),
        (EVEN, "mean", "input", "0.6932", IN_CASE),
        # The same number in float64, but not the same decimal.
        (
            replace(EVEN, args={**EVEN.args, "input": literal([["0", "1e-400"]])}),
            "mean",
            None,
            "0.6932",
            IN_CASE,
        ),
    ],
)
def test_another_number_is_judged_anew(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    written: Case,
    reduction: str,
    argument: str | None,
    text: str,
    origin: str,
) -> None:
    with storing(ContentStore(tmp_path / "store")):
        judge_printed(EVEN, "mean", None, one("0.6932"))
        monkeypatch.setattr("lossproof.judging.printed.certified", refuse)
        with pytest.raises(JudgedAnew):
            judge_printed(written, reduction, argument, one(text), origin)
