"""Every closed-form gradient against a derivative that uses no gradient code: dual numbers over balls."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import points_likelihood
import pytest

from lossproof.numbers.ball import Ball, certified
from lossproof.numbers.base import Array
from lossproof.numbers.dual import Dual
from lossproof.reference.catalogue import LOSSES
from lossproof.reference.evaluation import PreparedCall, prepare

CALLS = points_likelihood.CALLS


def _calls() -> list[Any]:
    return [
        pytest.param(
            loss,
            params | ({"reduction": reduction} if reduction else {}),
            args,
            id=f"{loss}-{place}-{reduction}",
        )
        for place, (loss, params, args) in enumerate(CALLS)
        for reduction in (LOSSES[loss].reductions or (None,))
    ]


def _derivative(call: PreparedCall, name: str, place: tuple[int, ...], upstream: Array) -> Ball:
    """The derivative of sum(upstream * output) with respect to one number, by dual numbers."""

    def lift(values: Any) -> Dual:
        real = Ball.exact(values)
        direction = np.zeros(real.shape)
        if values is moved:
            direction[place] = 1.0
        return Dual(real, Ball.exact(direction))

    moved = call.arguments[name] if name in call.arguments else call.parameters[name]
    output = call.value(lift)
    weighted: Ball = np.sum(output * Ball.exact(upstream)).tangent
    return weighted


@pytest.mark.filterwarnings("ignore:reduction='mean':UserWarning")
@pytest.mark.parametrize(("loss", "params", "args"), _calls())
def test_closed_form_is_the_derivative(loss: str, params: Mapping[str, Any], args: Mapping[str, Any]) -> None:
    call = prepare(loss, params, args)
    upstream = 1.0 + np.arange(call.value().size).reshape(call.value().shape) / 8
    closed: dict[str, Ball] = certified(lambda: call.derivative(upstream, Ball.exact))
    assert set(closed) == set(call.differentiable)
    for name, gradient in closed.items():
        for place in np.ndindex(gradient.shape):
            derivative = certified(lambda name=name, place=place: _derivative(call, name, place, upstream))  # type: ignore[misc]  # mypy cannot infer a lambda with defaults
            difference = (derivative - gradient[place]).elements[()]
            assert difference.contains(0), (name, place, derivative.elements, gradient[place].elements)
            assert float(difference.rad().upper()) < 1e-30
