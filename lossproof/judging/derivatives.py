"""True derivatives along a direction: first ones in forward mode, and second ones."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from lossproof.judging.stored_truth import recalled
from lossproof.judging.truth import Formula, Truth, seeded_numbers
from lossproof.numbers.ball import Ball, certified
from lossproof.numbers.base import Array
from lossproof.numbers.bounded import Bounded
from lossproof.numbers.dual import Dual
from lossproof.numbers.formats import Float64Array, Format
from lossproof.reference.evaluation import Lift, PreparedCall

_DIRECTION_SEED = 0xD12EC7
# The distance to either side of a kink: far below the spacing of every format.
_OFFSET = 2.0**-300

Directions = Mapping[str, Float64Array]


def directions_of(call: PreparedCall, format: Format) -> Directions:
    """A seeded direction, which can only be read, for each tensor by which the call is differentiated."""
    inputs = {**call.arguments, **call.parameters}
    return {
        name: seeded_numbers(np.shape(inputs[name]), _DIRECTION_SEED + place, format)
        for place, name in enumerate(call.differentiable)
    }


def derivative_along(gradients: Mapping[str, Truth], directions: Directions) -> Truth:
    """The sum of gradient * direction over all tensors: the derivative of sum(upstream * output)."""
    format = next(iter(gradients.values())).format
    exact: Ball = certified(
        lambda: _dot({name: _as_ball(truth) for name, truth in gradients.items()}, directions)
    )
    bounded = _bound_along(gradients, directions)
    freedom = next((truth.freedom for truth in gradients.values() if truth.freedom), "")
    strict = None
    if freedom:
        tight = {name: truth.without_freedom() for name, truth in gradients.items()}
        strict = _bound_along(tight, directions).bound
    picks = {name: pick for truth in gradients.values() for name, pick in truth.picks.items()}

    def under_picks(others: Mapping[str, str], is_free: bool) -> Truth:
        changed = {
            name: truth.under_picks(others, is_free) if truth.under_picks else truth
            for name, truth in gradients.items()
        }
        return derivative_along(changed, directions)

    return Truth(
        *exact.midpoints(),
        bounded.bound,
        bounded.overflows,
        format,
        strict,
        freedom,
        picks=picks,
        under_picks=under_picks,
    )


def second_derivatives(
    call: PreparedCall, upstream: Float64Array, directions: Directions, format: Format
) -> Mapping[str, Truth]:
    """The derivative of each closed-form gradient along the directions, by dual numbers."""

    def formulas() -> list[Formula]:
        return [Formula(partial(_tangents, call, upstream, directions), format, call.arguments)]

    inputs = {"upstream": upstream, **directions}
    return recalled(call, format, [call.differentiable], formulas, inputs=inputs)[0]


def one_sided_limits(
    call: PreparedCall, upstream: Float64Array, directions: Directions
) -> Mapping[str, tuple[Float64Array, Float64Array]]:
    """The second derivatives just before and just behind the point; they differ at a kink."""
    before, behind = (
        certified(partial(_tangents, call, upstream, directions, Ball.exact, offset))
        for offset in (-_OFFSET, _OFFSET)
    )
    return {name: (before[name].midpoints()[0], behind[name].midpoints()[0]) for name in directions}


def _tangents(
    call: PreparedCall, upstream: Float64Array, directions: Directions, lift: Lift, offset: float = 0.0
) -> dict[str, Any]:
    inputs = {**call.arguments, **call.parameters}
    directions_by_id = {id(inputs[name]): directions[name] for name in directions}

    def lift_dual(values: npt.ArrayLike) -> Dual:
        real = lift(values)
        direction = directions_by_id.get(id(values))
        if direction is None:
            return Dual(real, np.zeros_like(real))
        tangent = lift(direction)
        return Dual(real + tangent * offset, tangent)

    return {name: gradient.tangent for name, gradient in call.gradient(upstream, lift_dual).items()}


def _dot(gradients: Mapping[str, Array], directions: Directions) -> Any:
    terms = [np.ravel(gradient * directions[name]) for name, gradient in gradients.items()]
    return np.sum(np.concatenate(terms))


def _bound_along(gradients: Mapping[str, Truth], directions: Directions) -> Bounded:
    result: Bounded = _dot({name: _as_bounded(truth) for name, truth in gradients.items()}, directions)
    return result


def _as_ball(truth: Truth) -> Ball:
    ball: Ball = Ball.exact(truth.value) + Ball.exact(truth.remainder)
    return ball


def _as_bounded(truth: Truth) -> Bounded:
    marks = truth.overflows if np.any(truth.overflows) else None
    return Bounded(truth.value, truth.bound, truth.format, marks)
