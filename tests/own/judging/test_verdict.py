"""Verdicts: what lies within its budget agrees, what does not is refused, and errors may not lean."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lossproof.corpus.generator import draw_index, draw_uniform
from lossproof.judging.distance import ulps_of
from lossproof.judging.truth import CallTruth, Truth, truth_of
from lossproof.judging.verdict import Verdict, compare, compare_bias, compare_sums
from lossproof.numbers.formats import DEFAULT_DTYPES, FORMATS, Float64Array, Format
from lossproof.numbers.overflow import NEGATIVE, POSITIVE, UNDEFINED
from lossproof.reference.evaluation import prepare
from lossproof.reference.limits import NEVER_NEGATIVE, NO_LIMITS

FLOAT32 = FORMATS["float32"]
FLOAT16 = FORMATS["float16"]
NARROW = ("float32", "bfloat16", "float16")
NUMBERS = st.sampled_from([0.0, -0.0, 1.0, 1.0 + 2.0**-23, -0.5, 3.0, math.inf, -math.inf, math.nan])


def cross_entropy(format: Format) -> CallTruth:
    logits = draw_uniform(-4.0, 4.0, (64, 100), 7, format)
    args = {"input": logits, "target": draw_index(100, (64,), 8)}
    return truth_of(prepare("CrossEntropyLoss", {"reduction": "none"}, args), format)


def single(value: float, bound: float, format: Format = FLOAT32, overflows: int = 0) -> Truth:
    return Truth(np.array(value), np.array(0.0), np.array(bound), np.array(overflows), format)


def accepts(observed: float, truth: Truth) -> bool:
    return compare(np.array(observed), truth).agrees


@pytest.mark.parametrize("name", NARROW)
@pytest.mark.parametrize("quantity", ["value", "gradient"])
def test_three_bounds_off_is_refused_wherever_it_is(name: str, quantity: str) -> None:
    call = cross_entropy(FORMATS[name])
    truth = call.value if quantity == "value" else call.gradients[1]["input"]
    assert compare(truth.value + 1.99 * truth.bound, truth).agrees
    assert compare(truth.value - 1.99 * truth.bound, truth).agrees
    inexact = np.argwhere(truth.bound > 0)
    for place in map(tuple, inexact[:: len(inexact) // 5]):
        observed = truth.value.copy()
        observed[place] += 3 * truth.bound[place]
        verdict = compare(observed, truth)
        assert not verdict.agrees
        assert verdict.error_over_budget == pytest.approx(1.5, rel=1e-3)
        assert str([int(index) for index in place]) in verdict.message


def test_the_budget_is_twice_the_bound() -> None:
    truth = single(1.0, 0.125)
    assert [accepts(observed, truth) for observed in (1.25, 0.75, 1.2501, 0.7499)] == [
        True,
        True,
        False,
        False,
    ]
    assert compare(np.array(1.125), truth).error_over_budget == 0.5


def test_without_a_bound_nothing_is_forgiven() -> None:
    assert accepts(1.0, single(1.0, 0.0))
    assert not accepts(math.nextafter(1.0, 2), single(1.0, 0.0))


@pytest.mark.parametrize(
    ("observed", "true", "accepted"),
    [
        (math.inf, math.inf, True),
        (-math.inf, -math.inf, True),
        (math.nan, math.nan, True),
        (-math.inf, math.inf, False),
        (math.inf, -math.inf, False),
        (math.nan, math.inf, False),
        (math.inf, math.nan, False),
        (3e38, math.inf, False),
        (0.0, math.nan, False),
        (math.nan, 0.0, False),
        (math.inf, 1e30, False),
    ],
)
def test_what_is_not_finite_must_match(observed: float, true: float, accepted: bool) -> None:
    assert accepts(observed, single(true, 0.0)) is accepted
    finite_bound = 0.0 if not math.isfinite(true) else 1e20
    assert accepts(observed, single(true, finite_bound)) is (accepted)


@pytest.mark.parametrize("true", [65504.0, 65519.0, 65530.0, 1e6])
def test_what_the_format_cannot_hold_may_be_an_infinity_of_its_sign(true: float) -> None:
    truth = single(true, 32.0, FLOAT16)
    assert accepts(math.inf, truth)
    assert not accepts(-math.inf, truth)
    assert not accepts(math.nan, truth)
    assert accepts(-math.inf, single(-true, 32.0, FLOAT16))
    assert not accepts(math.inf, single(-true, 32.0, FLOAT16))


def test_within_the_range_no_infinity_is_forgiven() -> None:
    assert not accepts(math.inf, single(65000.0, 16.0, FLOAT16))


def test_an_overflow_on_the_way_excuses_what_is_not_finite_alone() -> None:
    outcomes = (math.inf, -math.inf, math.nan)
    for place, mark in enumerate((POSITIVE, NEGATIVE, UNDEFINED)):
        truth = single(5.0, 0.01, FLOAT16, overflows=mark)
        assert [accepts(observed, truth) for observed in outcomes] == [place == other for other in range(3)]
        assert accepts(5.0, truth)
        assert not accepts(5.5, truth)


def test_a_shape_must_match() -> None:
    truth = cross_entropy(FLOAT32).value
    for observed in (truth.value[:, None], truth.value[:-1], truth.value.sum()):
        verdict = compare(np.asarray(observed), truth)
        assert not verdict.agrees
        assert verdict.error_over_budget is None
        assert "should be (64,)" in verdict.message
        assert not compare_bias(np.asarray(observed), truth).agrees


def test_an_empty_result_agrees_by_its_shape() -> None:
    nothing = np.zeros((0, 3))
    empty = Truth(nothing, nothing, nothing, np.zeros((0, 3), dtype=bool), FLOAT32)
    assert compare(np.zeros((0, 3)), empty).agrees
    assert not compare(np.zeros((0, 4)), empty).agrees


def test_a_verdict_counts_and_names_the_worst() -> None:
    truth = Truth(np.zeros(4), np.zeros(4), np.full(4, 0.5), np.zeros(4, dtype=bool), FLOAT32)
    verdict = compare(np.array([0.0, 2.0, -3.0, 0.5]), truth)
    assert verdict.error_over_budget == 3
    assert "at [2]" in verdict.message
    assert "2 of 4 elements" in verdict.message


def test_a_gradient_off_by_one_per_cent_hides_in_its_budget_but_not_from_the_bias() -> None:
    """It sums to zero, and so do its errors: only their signs tell."""
    format = FORMATS["bfloat16"]
    args = {"input": draw_uniform(-1.0, 1.0, (400, 5), 7, format), "target": draw_index(5, (400,), 8)}
    call = prepare("CrossEntropyLoss", {"reduction": "none"}, args)
    truth = truth_of(call, format).gradients[0]["input"]
    right, wrong = format.round(truth.value), format.round(1.01 * truth.value)
    assert compare(right, truth).agrees
    assert compare_bias(right, truth).agrees
    assert compare(wrong, truth).agrees
    assert abs(np.mean((wrong - truth.value) / truth.bound)) < 0.25
    assert not compare_bias(wrong, truth).agrees


@pytest.mark.parametrize("name", DEFAULT_DTYPES)
def test_a_bias_shows_long_before_an_element_does(name: str) -> None:
    truth = cross_entropy(FORMATS[name]).gradients[0]["input"]
    for shift in (0.3, -0.3):
        observed = truth.value + truth.remainder + shift * truth.bound
        assert compare(observed, truth).agrees
        assert not compare_bias(observed, truth).agrees
        signed = truth.value + truth.remainder + shift * np.sign(truth.value) * truth.bound
        assert not compare_bias(signed, truth).agrees
    assert compare_bias(truth.value + 0.2 * truth.bound, truth).agrees


@given(seed=st.integers(0, 1000))
def test_errors_without_a_direction_are_no_bias(seed: int) -> None:
    truth = _spread(2000)
    signs = np.where(draw_uniform(-1.0, 1.0, (2000,), seed, FLOAT32) > 0, 1.0, -1.0)
    assert compare_bias(truth.value + signs * truth.bound, truth).agrees


def _spread(distinct: int) -> Truth:
    values = np.arange(distinct) / 64 - 10 + 1 / 128
    return Truth(values, np.zeros(distinct), np.full(distinct, 1e-4), np.zeros(distinct, dtype=bool), FLOAT32)


def test_a_bias_needs_a_thousand_distinct_outputs() -> None:
    assert compare_bias(_spread(1000).value, _spread(1000)).agrees
    few = _spread(999)
    verdict = compare_bias(few.value, few)
    assert not verdict.agrees
    assert "needs 1000 distinct outputs" in verdict.message
    repeated = Truth(
        np.tile(few.value, 3), np.zeros(2997), np.tile(few.bound, 3), np.zeros(2997, dtype=bool), FLOAT32
    )
    assert not compare_bias(repeated.value, repeated).agrees


def test_exact_and_infinite_outputs_do_not_count_towards_a_bias() -> None:
    truth = _spread(1010)
    truth.bound[:20] = 0
    assert "here are 990" in compare_bias(truth.value, truth).message
    truth = _spread(1010)
    observed = truth.value.copy()
    observed[:20] = np.inf
    assert "here are 990" in compare_bias(observed, truth).message


@pytest.mark.parametrize(
    ("first", "second", "bound", "agrees"),
    [
        (1.0, 1.25, 0.125, True),
        (1.0, 1.26, 0.125, False),
        (1.0, 1.0, 0.0, True),
        (1.0, 1.0000001, 0.0, False),
        (math.inf, math.inf, 0.0, True),
        (math.inf, -math.inf, 1.0, False),
        (math.nan, math.nan, 0.0, True),
        (math.nan, 1.0, 1.0, False),
        (1.0, math.inf, 1.0, False),
    ],
)
def test_the_sides_of_an_identity_share_their_budgets(
    first: float, second: float, bound: float, agrees: bool
) -> None:
    assert compare_sums(np.array(first), np.array(second), np.array(bound)).agrees is agrees
    assert compare_sums(np.array(second), np.array(first), np.array(bound)).agrees is agrees


def test_identities_need_equal_shapes() -> None:
    assert not compare_sums(np.zeros(2), np.zeros(3), np.ones(())).agrees
    assert compare_sums(np.zeros(0), np.zeros(0), np.zeros(0)).agrees


def test_the_distance_is_counted_in_units_in_the_last_place() -> None:
    """Of 1, 2 and 2^20 in float32, half a unit, one and four units off; nan and infinity are left out."""
    values = np.array([1.0, 2.0, 2.0**20, math.nan, math.inf])
    units = np.array([2.0**-23, 2.0**-22, 2.0**-3, 0.0, 0.0])
    truth = Truth(values, np.zeros(5), np.full(5, 1.0), np.zeros(5, int), FLOAT32)
    assert ulps_of(values + units * [0.5, -1, 4, 0, 0], truth) == (4.0, 1.0)
    assert ulps_of(values, truth) == (0.0, 0.0)
    assert ulps_of(values + units * [0, 0, 1e9, 0, 0], truth) == (1e9, 0.0)
    assert ulps_of(values[:2] + units[:2], single(1.0, 0.0)) is None
    assert ulps_of(np.array(math.nan), single(math.nan, 0.0)) is None
    remainder = Truth(np.array(1.0), np.array(2.0**-54), np.array(1.0), np.array(0), FORMATS["float64"])
    assert ulps_of(np.array(1.0), remainder) == (0.25, 0.25)


@pytest.mark.parametrize("size", [47, 48, 49, 50])
def test_of_many_numbers_the_distance_is_the_same(size: int) -> None:
    values = draw_uniform(1.0, 2.0, (size,), 3, FLOAT32)
    units = np.arange(size, dtype=np.float64)
    truth = Truth(values, np.zeros(size), np.ones(size), np.zeros(size, int), FLOAT32)
    assert ulps_of(values + units * 2.0**-23, truth) == (size - 1, (size - 1) / 2)
    assert ulps_of(values, truth) == (0.0, 0.0)
    assert ulps_of(np.full(size, math.nan), truth) is None
    # As many are right as come before the middle one, and then one more; the others are half a unit off.
    wrong = [np.where(np.arange(size) < right, 0.0, 2.0**-24) for right in (size // 2, size // 2 + 1)]
    assert ulps_of(values + wrong[0], truth) == (0.5, 0.5 if size % 2 else 0.25)
    assert ulps_of(values + wrong[1], truth) == (0.5, 0.0)


def test_a_verdict_on_numbers_states_their_distance_with_three_digits() -> None:
    values = np.array([1.0, 1.0])
    truth = Truth(values, np.zeros(2), np.full(2, 0.25), np.zeros(2, int), FLOAT32)
    assert compare(values, truth).ulps == (0.0, 0.0)
    assert compare(np.array([2.0, 1.0]), truth).ulps == (8.39e6, 4.19e6)
    assert compare(np.array([1e300, 1e301]), truth).ulps == (1e300, 1e300)
    assert compare(np.full(2, math.nan), truth).ulps is None
    assert compare(np.ones(3), truth).ulps is None


@given(
    st.lists(st.tuples(NUMBERS, st.sampled_from([0.0, 2.0**-24, 1.0, math.inf]), NUMBERS), max_size=4),
    st.sampled_from([NO_LIMITS, NEVER_NEGATIVE]),
)
@example([(0.0, 1.0, -0.5)], NEVER_NEGATIVE)
@example([(1.0, 2.0**-24, 1.0 + 2.0**-23), (0.0, 1.0, 1.0)], NO_LIMITS)
def test_few_numbers_are_judged_like_many(
    numbers: list[tuple[float, float, float]], limits: tuple[float, float]
) -> None:
    few, many = (
        judged(np.array([*numbers, *[(1.0, 0.0, 1.0)] * size]).reshape(-1, 3), limits) for size in (1, 64)
    )
    assert (few.agrees, few.rule, few.off, few.came_out) == (many.agrees, many.rule, many.off, many.came_out)
    assert few.error_over_budget == many.error_over_budget


def judged(numbers: Float64Array, limits: tuple[float, float]) -> Verdict:
    """The verdict on rows of a true number, its bound, and the observed one."""
    true, bound, observed = numbers.T
    marks = np.zeros(true.shape, dtype=int)
    return compare(observed, Truth(true, np.zeros(true.shape), bound, marks, FLOAT32, limits=limits))


def test_large_results_that_differ_in_one_number_are_told_apart() -> None:
    size = 1 << 14
    values = np.ones(size)
    truth = Truth(values, 0 * values, values / 4, np.zeros(size, int), FLOAT32)
    wrong = values.copy()
    wrong[-1] = 2.0
    assert [compare(each, truth).agrees for each in (values, wrong, values)] == [True, False, True]
    assert [ulps_of(each, truth) for each in (values, wrong)] == [(0.0, 0.0), (2.0**23, 0.0)]


@pytest.mark.parametrize("changes", [{}, {"strict_bound": np.zeros(0)}, {"convention": "a clamp"}])
def test_of_nothing_all_is_right(changes: dict[str, Any]) -> None:
    nothing = np.zeros((0, 2))
    truth = Truth(nothing, nothing, nothing, np.zeros((0, 2), int), FLOAT32, **changes)
    assert compare(nothing, truth) == Verdict(True, 0.0)
    assert ulps_of(nothing, truth) is None
