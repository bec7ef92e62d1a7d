"""CTCLoss against its definition: the sum over all alignments, one by one."""

from __future__ import annotations

from itertools import groupby, pairwise, product
from typing import Any

import numpy as np
import pytest

from lossproof.numbers.ball import Ball, certified
from lossproof.reference.evaluation import prepare

LOG_PROBS = np.random.default_rng(0).uniform(-6, 0, (5, 3))

TARGETS = [(), (1,), (1, 2), (1, 1), (2, 1, 2), (2, 2, 1), (1, 2, 2, 1), (1, 1, 1)]


def _collapsed(alignment: tuple[int, ...], blank: int) -> tuple[int, ...]:
    return tuple(label for label, _ in groupby(alignment) if label != blank)


def _by_enumeration(target: tuple[int, ...], frames: int, blank: int) -> tuple[Ball, Ball]:
    """The likelihood, and the posterior of each class in each frame."""
    alignments = [
        alignment for alignment in product(range(3), repeat=frames) if _collapsed(alignment, blank) == target
    ]
    log_probs = Ball.exact(LOG_PROBS)
    likelihood = Ball.exact(0.0)
    joint = Ball.exact(np.zeros(LOG_PROBS.shape))
    for alignment in alignments:
        holds = np.zeros(LOG_PROBS.shape)
        holds[range(frames), alignment] = 1.0
        probability = np.exp(np.sum(log_probs * holds))
        likelihood = likelihood + probability
        joint = joint + probability * holds
    return likelihood, joint / likelihood


@pytest.mark.parametrize("blank", [0, 2])
@pytest.mark.parametrize("frames", [0, 1, 3, 5])
@pytest.mark.parametrize("target", TARGETS, ids=str)
def test_recursion_is_the_sum_over_alignments(target: tuple[int, ...], frames: int, blank: int) -> None:
    labels = tuple((label + blank) % 3 for label in target)
    call = _call(labels, frames, blank)

    def errors() -> tuple[Ball, Ball]:
        likelihood, posterior = _by_enumeration(labels, frames, blank)
        derivative = call.derivative(np.ones(()), Ball.exact)["log_probs"]
        return np.exp(-call.value(Ball.exact)) - likelihood, -derivative - posterior

    loss_error, posterior_error = certified(errors)
    assert _is_zero(loss_error)
    repeats = sum(label == following for label, following in pairwise(target))
    if frames >= len(target) + repeats:
        assert _is_zero(posterior_error)
    else:
        assert call.value() == np.inf
        assert np.all(np.isnan(posterior_error[:frames]))


@pytest.mark.parametrize("target", TARGETS[1:], ids=str)
def test_torch_gradient_is_the_derivative_behind_a_softmax(target: tuple[int, ...]) -> None:
    """The rows of p - posterior sum to zero where p is normalised, as a gradient of logits must."""
    log_probs = LOG_PROBS - np.log(np.sum(np.exp(LOG_PROBS), axis=1, keepdims=True))
    args = {"log_probs": log_probs, "targets": target, "input_lengths": 5, "target_lengths": len(target)}
    call = prepare("CTCLoss", {"reduction": "sum"}, args)
    gradient = call.gradient(np.ones(()))["log_probs"]
    derivative = call.derivative(np.ones(()))["log_probs"]
    through_softmax = derivative - np.exp(log_probs) * np.sum(derivative, axis=1, keepdims=True)
    np.testing.assert_allclose(gradient, through_softmax, atol=1e-14)


def _call(target: tuple[int, ...], frames: int, blank: int) -> Any:
    args: dict[str, Any] = {
        "log_probs": LOG_PROBS,
        "targets": np.array(target, dtype=np.int64),
        "input_lengths": frames,
        "target_lengths": len(target),
    }
    return prepare("CTCLoss", {"reduction": "sum", "blank": blank}, args)


def _is_zero(error: Ball) -> bool:
    """Whether all balls hold zero, and are small enough for that to mean something."""
    holds_zero = all(element.contains(0) for element in error.elements.ravel())
    return holds_zero and bool(np.all(error.radii() < 1e-30))
