"""What a truth holds, number by number; ``test_truth.py`` is about the arithmetic that must keep to it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import flint
import numpy as np
import pytest

from lossproof.judging.truth import Formula, Truth, truth_of, upstream_gradients
from lossproof.numbers.ball import Ball
from lossproof.numbers.base import Array
from lossproof.numbers.formats import DEFAULT_DTYPES, FORMATS
from lossproof.numbers.overflow import NEGATIVE, UNDEFINED
from lossproof.numbers.rules import Rules
from lossproof.numbers.vector_norm import shares_of_largest
from lossproof.reference.catalogue import LOSSES
from lossproof.reference.conventions import sign
from lossproof.reference.evaluation import Lift, prepare

FLOAT16, FLOAT64 = FORMATS["float16"], FORMATS["float64"]


@pytest.mark.parametrize(
    ("value", "bound", "more", "mark"),
    [
        (-1.0, 0.0, 2.0**-11, 0),
        (1.0, 2.0**-40, 2.0**-11, 0),
        (0.1, 0.0, 0.1 * 2.0**-11, 0),
        (65504.0, 0.0, 65504 * 2.0**-11, 0),
        (-70000.0, 0.0, 70000 * 2.0**-11, NEGATIVE),
        # What is exactly zero stays so; what is nearly zero may be rounded to its neighbours.
        (0.0, 0.0, 0.0, 0),
        (2.0**-30, 2.0**-60, 2.0**-23, 0),
        (math.inf, 0.0, 0.0, 0),
        (math.nan, 0.0, 0.0, 0),
    ],
)
def test_rounding_once_more_adds_one_rounding(value: float, bound: float, more: float, mark: int) -> None:
    nothing = np.zeros(1)
    for already in (0, UNDEFINED):
        truth = Truth(nothing + value, nothing, nothing + bound, np.array([already]), FLOAT64)
        rounded = truth.rounded_to(FLOAT16)
        assert rounded.bound.tolist() == [bound + more]
        assert rounded.overflows.tolist() == [mark | already]


def test_rounding_once_more_keeps_the_bound_without_freedom_apart() -> None:
    one = np.ones(1)
    truth = Truth(one, 0 * one, one / 4, np.array([0]), FLOAT64, one / 8, "kink")
    rounded = truth.rounded_to(FLOAT16)
    assert rounded.without_freedom().bound.tolist() == [1 / 8 + 2.0**-11]
    assert rounded.bound.tolist() == [1 / 4 + 2.0**-11]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, True),
        ({"value": [1.0, -65440.0]}, True),
        ({"value": [1.0, -65441.0]}, False),
        ({"value": [math.nan, 0.0]}, False),
        ({"value": [math.inf, 0.0]}, False),
        ({"bound": [math.inf, 0.0]}, False),
        ({"overflows": [0, UNDEFINED]}, False),
        ({"strict_bound": [0.0, 0.0]}, False),
        ({"convention": "a clamp"}, False),
        ({"value": [], "remainder": [], "bound": [], "overflows": []}, True),
    ],
)
def test_the_number_alone_decides_where_all_that_may_pass_is_in_the_range(
    changes: Mapping[str, Any], expected: bool
) -> None:
    usual = Truth(np.ones(2), np.zeros(2), np.array([0.0, 32.0]), np.zeros(2, int), FLOAT16)
    arrays = {name: np.array(values) for name, values in changes.items() if isinstance(values, list)}
    truth = replace(usual, **{**changes, **arrays})
    assert truth.passes_by_number is expected


def test_of_two_freedoms_the_kink_is_named() -> None:
    def compute(lift: Lift) -> Mapping[str, Array]:
        almost_equal = np.concatenate([lift([0.1]) + lift([0.2]), lift([0.3])])
        shares = shares_of_largest(almost_equal, 0)
        return {"shares": shares, "slope": np.sign(almost_equal[:1] - almost_equal[1:])}

    both = Formula(compute, FORMATS["float32"]).truths()
    assert both["shares"].freedom == both["slope"].freedom == "kink"


def test_what_has_no_gradient_is_asked_for_none() -> None:
    whole = prepare("PoissonNLLLoss", {}, {"input": np.array([1, 2]), "target": np.array([2, 2])})
    truth = truth_of(whole, FLOAT64)
    assert (truth.upstreams, truth.gradients) == ((), ())


@pytest.mark.parametrize("name", DEFAULT_DTYPES)
def test_upstream_gradients_are_of_both_signs_and_all_magnitudes_up_to_two(name: str) -> None:
    ones, seeded = upstream_gradients((40, 50), FORMATS[name])
    assert np.all(ones == 1)
    assert -2 <= seeded.min() < -1.9
    assert 1.9 < seeded.max() <= 2
    for upstream in (ones, seeded):  # which all calls share
        with pytest.raises(ValueError, match="read-only"):
            upstream[0, 0] = 3.0


@pytest.mark.parametrize("name", list(FORMATS))
def test_float64_alone_is_judged_beyond_its_digits(name: str) -> None:
    value = truth_of(prepare("SelfInformation", {}, {"p": [0.125, 0.625]}), FORMATS[name]).value
    np.testing.assert_allclose(value.value, [math.log(8), math.log(1.6)], rtol=1e-15)
    assert bool(np.all(value.remainder != 0)) is (name == "float64")
    assert bool(np.any(value.remainder != 0)) is (name == "float64")


def test_a_truth_is_sought_until_its_radius_is_negligible() -> None:
    """Of four numbers one is known to few digits only, at first; all count."""

    def compute(lift: Lift) -> Mapping[str, Array]:
        known = np.log(lift([2.0, 2.0]))
        if not isinstance(known, Ball):
            return {"known": known, "vague": known}
        radius = flint.arb(2) ** (40 - flint.ctx.prec // 2)
        first, second = known.elements.tolist()
        vague = flint.arb((second + radius).mid(), 2 * radius)
        return {"known": known, "vague": Ball(np.array([first, vague], dtype=object))}

    both = Formula(compute, FLOAT64).truths()
    assert both["vague"].value.tolist() == both["known"].value.tolist() == [math.log(2)] * 2
    assert np.all(np.abs(both["vague"].remainder - both["known"].remainder) < 2.0**-100)


def test_a_formula_is_evaluated_once_for_each_question() -> None:
    asked: list[Lift] = []

    def compute(lift: Lift) -> Mapping[str, Array]:
        asked.append(lift)
        return {"slope": sign(lift([0.0]), LOSSES["L1Loss"].conventions[0])}

    formula, rules = Formula(compute, FLOAT16), Rules()
    assert formula.bounded_by(rules) is formula.bounded_by(rules)
    assert formula.bounded_by(Rules()) is not formula.bounded_by(rules)
    assert len(asked) == 2
    free, picked = (formula.under_picks({}, is_free)["slope"] for is_free in (True, False))
    assert (free.budget[0] >= 1, picked.budget[0]) == (True, 0)
    assert formula.under_picks({}, True)["slope"] is free
    assert formula.under_picks({}, False)["slope"] is picked
    assert formula.under_picks({"l1-at-zero": "1"}, False)["slope"].value.tolist() == [1.0]
