"""What a truth holds, number by number; ``test_truth.py`` is about the arithmetic that must keep to it."""

from __future__ import annotations

import math
from collections.abc import Mapping

import flint
import numpy as np
import pytest

from lossproof.judging.truth import Formula, Truth, truth_of, upstream_gradients
from lossproof.numbers.ball import Ball
from lossproof.numbers.base import Array
from lossproof.numbers.formats import DEFAULT_DTYPES, FORMATS
from lossproof.numbers.overflow import NEGATIVE, UNDEFINED
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
