"""What a verdict says beyond yes and no: shares of the budget, places, counts, words."""

from __future__ import annotations

import math
import pickle
from dataclasses import replace

import numpy as np
import pytest

from lossproof.judging.truth import Truth
from lossproof.judging.verdict import Verdict, compare, compare_bias, compare_sums
from lossproof.numbers.formats import FORMATS
from lossproof.numbers.overflow import POSITIVE, UNDEFINED

FLOAT32 = FORMATS["float32"]


def truth(values: list[float] | float, bound: float, remainder: float = 0.0) -> Truth:
    true = np.array(values)
    exact = np.zeros(true.shape)
    return Truth(true, exact + remainder, exact + bound, exact > 0, FLOAT32)


def judged(observed: list[float] | float, true: Truth) -> Verdict:
    return compare(np.array(observed), true)


def test_what_is_exact_uses_nothing_of_its_budget() -> None:
    assert judged([1.0, 2.0], truth([1.0, 2.0], 0.5)) == Verdict(True, 0.0)
    assert judged([1.0], truth([1.0], 0.0)) == Verdict(True, 0.0)
    assert judged([], truth([], 0.5)) == Verdict(True, 0.0)
    assert compare_sums(np.ones(2), np.ones(2), np.zeros(2)) == Verdict(True, 0.0)
    assert compare_sums(np.zeros(0), np.zeros(0), np.zeros(0)) == Verdict(True, 0.0)


def test_beside_a_number_that_is_off_an_exact_one_uses_nothing() -> None:
    assert judged([1.0, 2.25], truth([1.0, 2.0], 0.25)) == Verdict(True, 0.5)
    assert judged([1.0, 2.25], truth([1.0, 2.0], 0.0)).off == 1


@pytest.mark.parametrize("size", [4096, 4098])
def test_equal_bits_are_judged_once(size: int) -> None:
    ones = truth([1.0] * size, 0.5)
    verdict = compare(ones.value + 0.25, ones)
    assert compare(ones.value + 0.25, ones) is verdict
    assert compare(ones.value + 0.5, ones) != verdict
    assert compare((ones.value + 0.25).astype(np.float32), ones) == verdict
    assert compare((ones.value + 0.25).reshape(2, size // 2), ones).message
    assert compare(ones.value + 0.25, replace(ones, bound=ones.bound / 2)) != verdict


def test_of_a_large_result_only_a_digest_is_kept() -> None:
    ones = truth([1.0] * 100_000, 0.5)
    compare(ones.value + 0.25, ones)
    assert len(pickle.dumps(list(ones.verdicts))) < 1000


def test_the_remainder_belongs_to_the_truth() -> None:
    """The true value is 1.25: a quarter of it float64 could not hold."""
    true = truth(1.0, 0.125, remainder=0.25)
    assert judged(1.25, true).error_over_budget == 0
    assert judged(1.0, true).error_over_budget == 1
    assert judged(1.375, true).error_over_budget == 0.5


@pytest.mark.parametrize("bound", [0.0, 1.0, math.inf, math.nan])
def test_an_infinity_is_itself_whatever_its_bound(bound: float) -> None:
    for infinity in (math.inf, -math.inf):
        assert judged(infinity, truth(infinity, bound)) == Verdict(True, 0.0)
        assert judged(3e38, truth(infinity, bound)).error_over_budget == math.inf
    assert judged(math.nan, truth(math.nan, bound)) == Verdict(True, 0.0)


def test_an_overflow_on_the_way_makes_no_finite_number_infinite() -> None:
    overflown = replace(truth(math.inf, 0.0), overflows=np.array(POSITIVE))
    assert not judged(5.0, overflown).agrees


@pytest.mark.parametrize(("number", "mark"), [(math.inf, POSITIVE), (math.nan, UNDEFINED)])
def test_what_should_not_be_finite_is_right_by_itself_and_by_no_rule(number: float, mark: int) -> None:
    overflown = replace(truth(number, 0.0), overflows=np.array(mark))
    assert judged(number, overflown) == Verdict(True, 0.0)


@pytest.mark.parametrize(
    ("true", "bound", "mark", "observed", "rule"),
    [
        (1e6, 0.0, 0, math.inf, ""),
        (-1e6, 0.0, 0, -math.inf, ""),
        (65504.0, 32.0, 0, math.inf, "overflow"),
        (1e6, 0.0, UNDEFINED, math.nan, "overflow"),
        (math.nan, 0.0, POSITIVE, math.inf, "overflow"),
    ],
)
def test_what_is_not_finite_passes_by_an_overflow_unless_it_is_the_right_rounding(
    true: float, bound: float, mark: int, observed: float, rule: str
) -> None:
    half = replace(truth(true, bound), format=FORMATS["float16"], overflows=np.array(mark))
    verdict = judged(observed, half)
    assert (verdict.agrees, verdict.rule) == (True, rule)


def test_where_there_is_no_bound_all_but_the_true_number_pass_by_that() -> None:
    unbounded = truth(1.0, math.inf, remainder=0.25)
    assert [judged(number, unbounded).rule for number in (1.25, 1.0, 1.5)] == ["", "unbounded", "unbounded"]
    one_of_two = replace(truth([1.0, 1.0], 0.125), bound=np.array([0.125, math.inf]))
    assert judged([1.0, 7.0], one_of_two).rule == "unbounded"


def test_beyond_the_budget_without_freedom_a_number_passes_by_the_freedom() -> None:
    free = replace(truth(1.0, 1.0), strict_bound=np.array(0.125), freedom="kink")
    assert [judged(number, free).rule for number in (1.25, 1.26)] == ["", "kink"]
    two = replace(truth([1.0, 1.0], 1.0), strict_bound=np.full(2, 0.125), freedom="tie")
    assert judged([1.0, 1.5], two).rule == "tie"


def test_a_number_alone_has_no_place_and_no_count() -> None:
    assert judged(2.0, truth(1.0, 0.125)).message == (
        "the result is 2.0, should be 1.0: 4 times its budget of 0.25"
    )
    assert judged([2.0], truth([1.0], 0.125)).message == (
        "at [0] is 2.0, should be 1.0: 4 times its budget of 0.25"
    )


def test_a_number_without_a_budget_must_be_exact() -> None:
    assert judged(2.0, truth(1.0, 0.0)).message == "the result is 2.0, should be 1.0: must be exact"
    assert judged(4.0, truth(1.0, 1.0)).message.endswith("should be 1.0: 1.5 times its budget of 2")


def test_those_at_the_end_of_their_budget_are_not_beyond_it() -> None:
    verdict = judged([1.25, 2.0], truth([1.0, 1.0], 0.125))
    assert verdict.message.endswith("(1 of 2 elements are beyond their budget)")
    assert verdict.came_out == ("2.0",)


def test_beside_an_overflow_the_share_is_the_largest_of_the_others() -> None:
    overflown = replace(truth([1.0, 1.0, 1.0], 0.125), overflows=np.array([POSITIVE, 0, 0]))
    verdict = judged([math.inf, 1.0625, 1.125], overflown)
    assert (verdict.agrees, verdict.error_over_budget, verdict.rule) == (True, 0.5, "overflow")
    assert (
        judged(math.inf, replace(truth(1.0, 0.125), overflows=np.array(POSITIVE))).error_over_budget is None
    )


def test_up_to_eight_numbers_that_are_off_are_on_record_the_furthest_first() -> None:
    numbers = [float(number) for number in range(1, 10)]
    eight = judged([0.0, *numbers[:8]], truth([0.0] * 9, 0.125))
    assert (eight.off, eight.came_out) == (8, ("8.0", "7.0", "6.0", "5.0", "4.0", "3.0", "2.0", "1.0"))
    nine = judged(numbers, truth([0.0] * 9, 0.125))
    assert (nine.off, nine.came_out) == (9, ("9 numbers that add up to 45",))
    equal = judged([2.0, -2.0, 3.0, -3.0] * 5, truth([0.0] * 20, 0.125))
    assert (equal.off, equal.came_out) == (20, ("3.0", "-3.0", "2.0", "-2.0"))


def test_where_all_agree_no_number_is_off() -> None:
    verdict = judged([1.0, 2.0], truth([1.0, 2.0], 0.5))
    assert (verdict.off, verdict.came_out) == (0, ())


def test_of_two_sides_that_differ_the_numbers_of_the_first_are_on_record() -> None:
    verdict = compare_sums(np.array([2.0, 5.0, 3.0]), np.zeros(3), np.ones(3))
    assert (verdict.off, verdict.came_out) == (2, ("5.0", "3.0"))


def test_of_a_wrong_shape_the_shape_is_on_record() -> None:
    assert judged([1.0, 2.0], truth(1.0, 0.5)).came_out == ("shape [2]",)


def test_what_nothing_excuses_says_so() -> None:
    message = judged(math.nan, truth(1.0, 0.125)).message
    assert message == "the result is nan, should be 1.0: no overflow in the formula explains it"
    for number in (1.0, math.nan):
        message = judged(number, truth(math.inf, 0.125)).message
        assert message == f"the result is {number}, should be inf: nothing else is right there"


@pytest.mark.parametrize("bound", [0.0, 1.0, math.inf])
def test_the_sides_of_an_identity_are_infinite_together_or_not_at_all(bound: float) -> None:
    one, infinity, undefined = np.ones(1), np.full(1, math.inf), np.full(1, math.nan)
    budget = np.full(1, bound)
    assert compare_sums(infinity, infinity, budget) == Verdict(True, 0.0)
    assert compare_sums(undefined, undefined, budget) == Verdict(True, 0.0)
    for first, second in ((one, infinity), (infinity, one), (undefined, one), (one, undefined)):
        assert compare_sums(first, second, budget).error_over_budget == math.inf


def test_what_should_be_infinite_counts_for_no_bias() -> None:
    values = [number / 64 + 1 / 128 for number in range(1010)]
    observed = np.array(values)
    assert compare_bias(observed, truth(values, 1e-4)).agrees
    for place in range(20):
        values[place] = math.inf
    assert "here are 990" in compare_bias(observed, truth(values, 1e-4)).message


def leaning(errors: float, remainder: float = 0.0) -> Verdict:
    """The verdict on the bias of errors that are all the same; the bound is 1."""
    values = [float(number) for number in range(1, 1002)]
    return compare_bias(np.array(values) + errors, truth(values, 1.0, remainder))


def test_a_bias_of_a_quarter_is_the_last_that_agrees() -> None:
    assert leaning(0.25) == Verdict(True, 1.0)
    verdict = leaning(0.375)
    assert (verdict.agrees, verdict.error_over_budget) == (False, 1.5)
    assert verdict.message.startswith("mean(e/B) = 0.375")


def test_the_remainder_is_no_bias() -> None:
    assert leaning(0.25, remainder=0.25) == Verdict(True, 0.0)


@pytest.mark.parametrize(
    ("true", "bound", "may"), [(65504.0, 0.0, False), (65000.0, 200.0, False), (65000.0, 300.0, True)]
)
def test_an_infinity_needs_twice_the_bound_to_reach_beyond_the_range(
    true: float, bound: float, may: bool
) -> None:
    half = replace(truth(true, bound), format=FORMATS["float16"])
    assert judged(math.inf, half).agrees is may
