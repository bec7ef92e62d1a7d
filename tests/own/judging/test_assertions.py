"""The assertions of a program fail for what is wrong, and pass for what is right."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from snippet_runs import lines_pass

from lossproof.judging.assertions import (
    all_numbers_assertion,
    bias_assertion,
    difference_assertion,
    dtype_assertion,
    number_assertion,
    quantity_assertion,
    sameness_assertion,
    within_budget,
)
from lossproof.judging.truth import Truth
from lossproof.numbers.formats import FORMATS
from lossproof.numbers.overflow import NEGATIVE, POSITIVE, UNDEFINED

F32 = FORMATS["float32"]
LARGEST = F32.largest


def truth(value: Any, bound: Any, remainder: Any = 0.0, overflows: Any = 0) -> Truth:
    true = np.array(value, dtype=np.float64)
    return Truth(
        true,
        np.broadcast_to(remainder, true.shape),
        np.broadcast_to(bound, true.shape),
        np.broadcast_to(overflows, true.shape),
        F32,
    )


@pytest.mark.parametrize(
    ("true", "wrong", "right"),
    [
        (truth(1.0, 0.125), 1.5, [0.75, 1.25]),
        (truth(1.0, 0.0), 1.5, [1.0]),
        (truth(1.0, 0.125, remainder=0.25), 0.875, [1.0, 1.5]),  # by the nearest number alone, near enough
        (truth(1.0, 0.125, remainder=-0.25), 1.25, [0.5, 1.0]),
        (truth(math.nan, 0.0), 0.5, [math.nan]),
        (truth(math.inf, 0.0), 3e38, [math.inf]),
        (truth(math.inf, math.inf), -math.inf, [math.inf]),
        (truth(-math.inf, 0.0), math.inf, [-math.inf]),
        (truth(math.inf, 0.0, overflows=UNDEFINED), 3e38, [math.inf, math.nan]),
        (truth(1.0, 0.125, overflows=POSITIVE), math.nan, [1.0, math.inf]),
        (truth(1.0, 0.125, overflows=NEGATIVE | UNDEFINED), math.inf, [1.0, -math.inf, math.nan]),
        (truth(3.4e38, 1e38), 0.0, [3.4e38, math.inf]),
        (truth(3.4e38, 1e38), -math.inf, [3.4e38, math.inf]),
        (truth(-3.4e38, 1e38), math.inf, [-3.4e38, -math.inf]),
        # The range has to be left, not reached.
        (truth(LARGEST, 0.0), math.inf, [LARGEST]),
        (truth(LARGEST / 2, LARGEST / 4), math.inf, [LARGEST]),
        (truth(LARGEST / 2, LARGEST / 2), -LARGEST, [math.inf]),
    ],
)
def test_an_assertion_fails_for_what_is_wrong_and_passes_for_what_is_right(
    true: Truth, wrong: float, right: list[float]
) -> None:
    check = "\n".join(number_assertion("number", [within_budget(wrong, true, ())]))
    with pytest.raises(AssertionError, match=str(wrong).replace("+", r"\+")):
        exec(check, {"number": wrong})
    for number in right:
        exec(check, {"number": number})


def test_what_float64_lacks_of_the_truth_is_written_where_it_decides() -> None:
    true = truth(1.0, 0.125, remainder=0.25)
    assert within_budget(0.75, true, ()) == "abs(got - 1.0 - 0.25) <= 0.25"
    assert within_budget(0.7, true, ()) == "abs(got - 1.0) <= 0.25"


def test_each_excuse_is_written_once() -> None:
    assert within_budget(0.0, truth(math.inf, 0.0), ()) == "got == float('inf')"
    true = truth(3.4e38, 1e38, overflows=POSITIVE | UNDEFINED)
    assert within_budget(0.0, true, ()) == "abs(got - 3.4e+38) <= 2e+38 or got == float('inf') or got != got"


def test_a_number_need_meet_but_one_condition() -> None:
    check = "\n".join(number_assertion("number", ["got == 1", "got == 2"]))
    for right in (1, 2):
        exec(check, {"number": right})
    with pytest.raises(AssertionError, match="3"):
        exec(check, {"number": 3})


def test_a_dtype_is_only_asserted_where_shape_and_numbers_are_right() -> None:
    one = truth(1.0, 0.125)
    dtype = dtype_assertion("float32")
    assert quantity_assertion(np.array(1.0), one, "float32") == dtype
    assert quantity_assertion(np.array(1.25), one, "float32") == dtype
    assert quantity_assertion(np.zeros((0, 3)), truth(np.zeros((0, 3)), 0.0), "float32") == dtype
    assert quantity_assertion(np.array([1.0]), one, "float32") == ["assert result.shape == (), result.shape"]
    assert quantity_assertion(np.array(1.26), one, "float32") == [
        "got = result.item()",
        "assert abs(got - 1.0) <= 0.25, got",
    ]


def test_each_of_some_dtypes_may_be() -> None:
    check = "\n".join(dtype_assertion("float32", "bfloat16", "float32"))
    assert check.count("float32") == 1
    for right in (torch.ones(2), torch.ones(2, dtype=torch.bfloat16), np.ones(2, dtype="float32")):
        exec(check, {"result": right})
    for wrong in (torch.ones(2, dtype=torch.float16), torch.ones(2, dtype=torch.float64), np.ones(2)):
        with pytest.raises(AssertionError, match="float"):
            exec(check, {"result": wrong})


def test_the_number_that_is_furthest_off_is_asserted() -> None:
    true = truth([[1.0, 2.0], [3.0, 4.0]], 0.125)
    check = quantity_assertion(np.array([[1.5, 2.0], [7.0, 4.5]]), true, "float32", "results[0]")
    assert check[0] == "got = results[0][1, 0].item()"
    exec("\n".join(check), {"results": [torch.tensor([[9.0, 9.0], [3.25, 9.0]])]})
    with pytest.raises(AssertionError, match=r"3\.5"):
        exec("\n".join(check), {"results": [torch.tensor([[9.0, 9.0], [3.5, 9.0]])]})


def test_without_a_budget_nothing_is_near_enough() -> None:
    check = quantity_assertion(np.array([1.0, 2.0]), truth([1.0, 1.0], [1.0, math.nan]), "float32")
    assert check[0] == "got = result[1].item()"
    assert not lines_pass(check, result=[1.0, 2.0])


SEVERAL = truth([1.0, math.nan, math.inf, -math.inf], [0.125, 0.0, 0.0, math.inf])
RIGHT = [1.25, math.nan, math.inf, -math.inf]


def test_every_number_is_asserted_where_any_may_be_wrong() -> None:
    check = all_numbers_assertion(SEVERAL)
    assert lines_pass(check, result=RIGHT)
    wrong = (1.3, 1.0, math.nan, math.inf)
    for place, number in enumerate(wrong):
        changed = [*RIGHT]
        changed[place] = number
        assert not lines_pass(check, result=changed), changed
    assert not lines_pass(check, result=RIGHT[:3])


ROWS = np.array([[1.0, 2.0], [3.0, math.nan]])


def test_two_sides_are_the_same_within_the_sum_of_both_budgets() -> None:
    bound = np.full((2, 2), 0.125)
    off = ROWS + np.array([[0.25, 0.5], [1.0, 0.0]])
    check = sameness_assertion(ROWS, off, bound)
    assert check[0] == "got, wanted = result[1, 0].item(), other[1, 0].item()"
    assert not lines_pass(check, result=ROWS, other=off)
    assert lines_pass(check, result=ROWS, other=ROWS)
    assert lines_pass(check, result=ROWS + 0.25, other=ROWS)
    assert lines_pass(check, result=ROWS, other=ROWS + 0.25)
    assert not lines_pass(check, result=ROWS, other=ROWS + 0.26)


@pytest.mark.parametrize(
    ("first", "other"),
    [(math.nan, 1.0), (1.0, math.nan), (math.inf, -math.inf), (math.inf, 1.0), (math.inf, math.nan)],
)
def test_two_sides_are_not_finite_together_or_not_at_all(first: float, other: float) -> None:
    one, two = np.array([1.0, first, math.inf]), np.array([1.3, other, math.inf])
    check = sameness_assertion(one, two, np.full(3, 0.125))
    assert check[0] == "got, wanted = result[1].item(), other[1].item()"
    assert not lines_pass(check, result=one, other=two)
    assert lines_pass(check, result=one, other=one)
    assert lines_pass(check, result=two, other=two)


@pytest.mark.parametrize("number", [1.0, math.nan, math.inf])
def test_what_is_the_same_without_a_budget_is_not_furthest(number: float) -> None:
    one, two = np.array([number, 1.0]), np.array([number, 1.3])
    check = sameness_assertion(one, two, np.array([0.0, 0.125]))
    assert check[0] == "got, wanted = result[1].item(), other[1].item()"


def test_two_sides_of_different_shapes_are_not_the_same() -> None:
    for first, other, bound in ((ROWS, ROWS[0], ROWS), (ROWS[0], ROWS, ROWS), (ROWS, ROWS, ROWS[0])):
        check = sameness_assertion(first, other, np.zeros(bound.shape))
        assert lines_pass(check, result=ROWS, other=ROWS)
        assert not lines_pass(check, result=ROWS, other=ROWS[0])


def test_two_sides_must_differ_where_they_truly_do_most() -> None:
    """The other side is the sum of its terms: here 1 + 2 and 3 + 4 against 1 and 10."""
    sides = [truth([1.0, 10.0], 0.125), truth([1.0, 3.0], 0.25), truth([2.0, 4.0], [0.125, 1.0])]
    check = difference_assertion(sides)
    assert check[0] == "got, wanted = result[0].item(), other[0].item()"  # 2 of 1, not 3 of 2.75
    assert lines_pass(check, result=[1.0, 7.0], other=[3.0, 7.0])
    assert lines_pass(check, result=[1.0, 7.0], other=[2.01, 7.0])
    assert not lines_pass(check, result=[1.0, 9.0], other=[2.0, 7.0])
    assert not lines_pass(check, result=[3.0, 9.0], other=[2.0, 7.0])
    assert lines_pass(check, result=[math.nan, 9.0], other=[2.0, 7.0])


def test_of_two_sides_that_hardly_differ_the_numbers_that_do_are_asserted() -> None:
    check = difference_assertion([truth([1.0, 1.0], 1.0), truth([1.0, 1.5], 1.0)])
    assert check[0] == "got, wanted = result[1].item(), other[1].item()"


def sample(size: int = 1200) -> Truth:
    return truth(np.linspace(-2.0, 3.0, size), np.linspace(0.5, 2.0, size))


@pytest.mark.parametrize("is_signed", [False, True])
def test_a_bias_beyond_its_limit_is_asserted(is_signed: bool) -> None:
    true = sample()
    sign = np.sign(true.value) if is_signed else 1.0
    leaning, upright = (true.value + share * true.bound * sign for share in (0.26, 0.24))
    check = bias_assertion(leaning, true)
    assert not lines_pass(check, result=leaning)
    assert lines_pass(check, result=upright)
    assert not lines_pass(check, result=true.value - 0.26 * true.bound * sign)


def test_the_remainder_is_no_bias() -> None:
    lacking = sample().bound * 0.5
    lacking[3] = 0.0
    true = replace(sample(), remainder=lacking)
    for sign in (1.0, np.sign(true.value)):
        leaning, upright = (true.value + lacking + share * sign * true.bound for share in (0.26, 0.24))
        check = bias_assertion(leaning, true)
        assert not lines_pass(check, result=leaning)
        assert lines_pass(check, result=upright)
    assert "lacking" not in "".join(bias_assertion(leaning, sample()))


def test_what_has_no_budget_or_is_not_finite_counts_for_no_bias() -> None:
    true = sample()
    true.value[7:11] = math.inf, math.nan, 1.0, math.inf
    bound = np.array(true.bound)
    bound[5] = 0.0
    true = replace(true, bound=bound)
    observed = true.value + 0.26 * true.bound
    observed[5] += 1e6
    observed[7:11] = 1.0, 1.0, math.inf, math.inf
    check = bias_assertion(observed, true)
    counted = np.isfinite(observed) & np.isfinite(true.value) & (bound > 0)
    assert f" / {np.count_nonzero(counted)}" in check[-2]
    assert np.count_nonzero(counted) == 1195
    assert not lines_pass(check, result=observed)
    upright = np.where(counted, true.value + 0.24 * true.bound, observed)
    assert lines_pass(check, result=upright)


def test_where_nothing_counts_there_is_no_bias() -> None:
    nothing = np.full(1200, math.nan)
    assert lines_pass(bias_assertion(nothing, sample()), result=nothing)


def test_a_wrong_shape_has_no_bias() -> None:
    assert bias_assertion(np.zeros(3), sample(4)) == ["assert result.shape == (4,), result.shape"]
