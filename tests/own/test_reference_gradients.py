"""Every closed-form gradient against a derivative that uses no gradient code: dual numbers over balls."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from lossproof.numbers.ball import Ball, certified
from lossproof.numbers.base import Array
from lossproof.numbers.dual import Dual
from lossproof.reference.catalogue import LOSSES
from lossproof.reference.evaluation import PreparedCall, prepare

LOGITS = [[2.0, 1.0, 0.125], [0.5, -2.0, 0.25], [90.0, -80.0, 3.0]]
PROBABILITIES = [[0.5, 0.25, 0.25], [0.125, 0.0625, 0.8125], [0.25, 0.5, 0.25]]
LOG_PROBABILITIES = [[-0.5, -1.25, -2.0], [-3.0, -0.125, -7.5], [-1.0, -1.5, -40.0]]
INTERIOR = [[0.75, 0.25, 0.5], [2.0**-39, 1 - 2.0**-30, 0.125], [0.375, 0.625, 0.0625]]
LABELS = [0, 2, 1]
WEIGHT = [0.5, 2.0, 1.25]

CALLS: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("Softmax", {"dim": 1}, {"input": LOGITS}),
    ("LogSoftmax", {"dim": 0}, {"input": LOGITS}),
    ("SelfInformation", {}, {"p": PROBABILITIES}),
    ("Entropy", {}, {"p": PROBABILITIES}),
    ("DistributionCrossEntropy", {}, {"p": PROBABILITIES, "q": INTERIOR}),
    ("Objective", {"l1": 0.25, "l2": 0.1}, {"losses": [0.5, 1.5], "parameters": [[1.0, -2.0], [0.5, 3.0]]}),
    ("NLLLoss", {}, {"input": LOG_PROBABILITIES, "target": LABELS}),
    ("NLLLoss", {"weight": WEIGHT, "ignore_index": 2}, {"input": LOG_PROBABILITIES, "target": LABELS}),
    ("NLLLoss", {}, {"input": [LOGITS, LOGITS], "target": [[0, 1, 2], [2, 1, 0]]}),
    ("CrossEntropyLoss", {}, {"input": LOGITS, "target": LABELS}),
    ("CrossEntropyLoss", {}, {"input": LOGITS[0], "target": 1}),
    ("CrossEntropyLoss", {"weight": WEIGHT, "ignore_index": 1}, {"input": LOGITS, "target": LABELS}),
    ("CrossEntropyLoss", {"label_smoothing": 0.1}, {"input": LOGITS, "target": LABELS}),
    (
        "CrossEntropyLoss",
        {"label_smoothing": 0.3, "weight": WEIGHT, "ignore_index": 0},
        {"input": [LOGITS, LOGITS], "target": [[0, 1, 2], [2, 1, 0]]},
    ),
    ("CrossEntropyLoss", {}, {"input": LOGITS, "target": PROBABILITIES}),
    (
        "CrossEntropyLoss",
        {"label_smoothing": 0.2, "weight": WEIGHT},
        {"input": LOGITS, "target": PROBABILITIES},
    ),
    ("BCELoss", {}, {"input": INTERIOR, "target": PROBABILITIES}),
    ("BCELoss", {"weight": WEIGHT}, {"input": INTERIOR, "target": PROBABILITIES}),
    ("BCEWithLogitsLoss", {}, {"input": LOGITS, "target": PROBABILITIES}),
    (
        "BCEWithLogitsLoss",
        {"weight": WEIGHT, "pos_weight": [[3.0], [0.5], [1.0]]},
        {"input": LOGITS, "target": PROBABILITIES},
    ),
    ("KLDivLoss", {}, {"input": LOG_PROBABILITIES, "target": PROBABILITIES}),
    ("KLDivLoss", {"log_target": True}, {"input": LOG_PROBABILITIES, "target": LOG_PROBABILITIES[::-1]}),
    ("KLDivLoss", {}, {"input": LOG_PROBABILITIES, "target": [PROBABILITIES[0]]}),
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
    closed: dict[str, Ball] = certified(lambda: call.gradient(upstream, Ball.exact))
    assert set(closed) == set(call.differentiable)
    for name, gradient in closed.items():
        for place in np.ndindex(gradient.shape):
            derivative = certified(lambda name=name, place=place: _derivative(call, name, place, upstream))  # type: ignore[misc]  # mypy cannot infer a lambda with defaults
            difference = (derivative - gradient[place]).elements[()]
            assert difference.contains(0), (name, place, derivative.elements, gradient[place].elements)
            assert float(difference.rad().upper()) < 1e-30
