"""Random calls of the likelihood losses: NLL, cross entropy, BCE, Kullback-Leibler, softmax."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from lossproof.numbers.formats import Float64Array, Format
from lossproof.subjects.call import Call
from proofs.false_alarms.draws import Builder, Draws

# The likelihood losses keep half-precision sums in half precision (pytorch#61523): from three terms on,
# partial sums lose digits that an accumulation in float32 would keep, and cancellation exposes the loss.
_SHORT_SUM = 2


def is_known(call: Call, quantity: str) -> bool:
    """Whether a defect of ``cases/known-defects.yaml`` is known to show at such ordinary inputs."""
    is_half = call.dtype in ("float16", "bfloat16")
    numbers = {name: values.numbers for name, values in call.args.items()}
    if call.loss == "NLLLoss" and quantity == "first_spread":
        return numbers["input"].ndim == 4
    if call.loss in ("NLLLoss", "CrossEntropyLoss") and is_half and call.reduction != "none":
        return bool(numbers["target"].size > _SHORT_SUM)
    if call.loss == "KLDivLoss" and call.dtype == "float16" and call.reduction in ("mean", "batchmean"):
        return quantity.endswith(":target")
    return False


def _logits(draws: Draws, format: Format) -> tuple[Float64Array, int, tuple[int, ...]]:
    """Logits of a random shape and spread, their class dimension's size, and the target's shape."""
    classes = draws.choose(1, 2, 3, 10, 33)
    batch = draws.choose((), (1,), (2,), (4,), (7,))
    inner = draws.choose((), (3,), (2, 2)) if batch else ()
    spread = draws.choose(0.5, 4.0, 30.0, 100.0)
    return draws.uniform(-spread, spread, (*batch, classes, *inner), format), classes, (*batch, *inner)


def _class_weight(draws: Draws, classes: int, format: Format) -> dict[str, Any]:
    return draws.choose({}, {"weight": draws.uniform(0.125, 4.0, (classes,), format)})


def _nll(draws: Draws, format: Format) -> tuple[dict[str, Any], dict[str, Any]]:
    input, classes, shape = _logits(draws, format)
    ignore = draws.choose({}, {"ignore_index": 0})
    return {"input": input, "target": draws.index(classes, shape)}, _class_weight(
        draws, classes, format
    ) | ignore


def _cross_entropy(draws: Draws, format: Format) -> tuple[dict[str, Any], dict[str, Any]]:
    args, params = _nll(draws, format)
    return args, params | draws.choose({}, {"label_smoothing": draws.choose(0.1, 0.5, 1.0)})


def _cross_entropy_of_probabilities(draws: Draws, format: Format) -> tuple[dict[str, Any], dict[str, Any]]:
    input, classes, _ = _logits(draws, format)
    target = draws.uniform(0.0, 1.0, input.shape, format)
    smoothing = draws.choose({}, {"label_smoothing": draws.choose(0.1, 0.5)})
    return {"input": input, "target": target}, _class_weight(draws, classes, format) | smoothing


def _shape(draws: Draws) -> tuple[int, ...]:
    return draws.choose((), (1,), (5,), (4, 3), (2, 3, 4), (40,))


def _target(draws: Draws, shape: tuple[int, ...], format: Format) -> Float64Array:
    """Soft targets, or hard ones."""
    soft = draws.uniform(0.0, 1.0, shape, format)
    return draws.choose(soft, np.asarray(np.round(soft)))


def _bce(draws: Draws, format: Format) -> tuple[dict[str, Any], dict[str, Any]]:
    shape = _shape(draws)
    # torch's clamps at 0 and 1 hold float32 constants: those points are cases of their own.
    low = draws.choose(0.0009765625, 0.25)
    input = draws.uniform(low, 1 - low, shape, format)
    target = _target(draws, shape, format)
    weight = draws.choose({}, {"weight": draws.uniform(0.125, 4.0, shape, format)})
    return {"input": input, "target": target}, weight


def _bce_with_logits(draws: Draws, format: Format) -> tuple[dict[str, Any], dict[str, Any]]:
    shape = _shape(draws)
    spread = draws.choose(0.5, 8.0, 60.0)
    target = _target(draws, shape, format)
    weight = draws.choose({}, {"weight": draws.uniform(0.125, 4.0, shape, format)})
    positive = draws.choose({}, {"pos_weight": draws.uniform(0.125, 8.0, shape[-1:], format)})
    return {"input": draws.uniform(-spread, spread, shape, format), "target": target}, weight | positive


def _kl_div(draws: Draws, format: Format) -> tuple[dict[str, Any], dict[str, Any]]:
    shape = _shape(draws)
    input = draws.uniform(-8.0, 0.0, shape, format)
    if draws.choose(True, False):
        return {"input": input, "target": draws.uniform(-8.0, 0.0, shape, format)}, {"log_target": True}
    return {"input": input, "target": draws.uniform(0.0009765625, 1.0, shape, format)}, {}


def _softmax(draws: Draws, format: Format) -> tuple[dict[str, Any], dict[str, Any]]:
    input, _, _ = _logits(draws, format)
    return {"input": input}, {"dim": 0 if input.ndim == 1 else 1}


BUILDERS: Mapping[str, Builder] = {
    "NLLLoss": _nll,
    "CrossEntropyLoss": lambda draws, format: draws.choose(_cross_entropy, _cross_entropy_of_probabilities)(
        draws, format
    ),
    "BCELoss": _bce,
    "BCEWithLogitsLoss": _bce_with_logits,
    "KLDivLoss": _kl_div,
    "Softmax": _softmax,
    "LogSoftmax": _softmax,
}
