"""Every closed-form gradient against a derivative that uses no gradient code: dual numbers over balls."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import points_ctc
import points_distance
import points_gaussian_poisson
import points_likelihood
import points_linear
import points_margin
import points_regression
import pytest
from dual_derivative import dual_derivative

from lossproof.numbers.ball import Ball, certified
from lossproof.reference.catalogue import LOSSES
from lossproof.reference.evaluation import prepare

CALLS = [
    *points_likelihood.CALLS,
    *points_linear.CALLS,
    *points_gaussian_poisson.CALLS,
    *points_ctc.CALLS,
    *points_margin.CALLS,
    *points_distance.CALLS,
    *points_regression.CALLS,
]


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


@pytest.mark.filterwarnings("ignore:reduction='mean':UserWarning")
@pytest.mark.filterwarnings("ignore:target has shape:UserWarning", "ignore:NLLLoss2d:UserWarning")
@pytest.mark.parametrize(("loss", "params", "args"), _calls())
def test_closed_form_is_the_derivative(loss: str, params: Mapping[str, Any], args: Mapping[str, Any]) -> None:
    call = prepare(loss, params, args)
    upstream = 1.0 + np.arange(call.value().size).reshape(call.value().shape) / 8
    closed: dict[str, Ball] = certified(lambda: call.derivative(upstream, Ball.exact))
    assert set(closed) == set(call.differentiable)
    for name, gradient in closed.items():
        for place in np.ndindex(gradient.shape):
            derivative = dual_derivative(call, name, place, upstream)
            difference = (derivative - gradient[place]).elements[()]
            assert difference.contains(0), (name, place, derivative.elements, gradient[place].elements)
            assert float(difference.rad().upper()) < 1e-30


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_every_gradient_of_every_loss_is_checked_here() -> None:
    checked: set[tuple[str, str]] = set()
    for loss, params, args in CALLS:
        checked |= {(loss, name) for name in prepare(loss, params, args).differentiable}
    # The alias of NLLLoss shares its gradient code.
    everything = {
        (name, argument)
        for name, loss in LOSSES.items()
        for argument in (
            *loss.differentiable,
            *loss.differentiable_parameters(dict.fromkeys(loss.arguments, (2,))),
        )
        if name != "NLLLoss2d"
    }
    assert everything <= checked, sorted(everything - checked)
