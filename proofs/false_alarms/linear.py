"""Random calls of the losses with linear layers: linear cross entropy, adaptive softmax."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from lossproof.numbers.formats import Format
from lossproof.subjects.call import Call
from proofs.false_alarms.draws import Builder, Draws

Tensors = dict[str, Any]

# Both paths keep half-precision sums in half precision: see ``likelihood``.
_SHORT_SUM = 2


def is_known(call: Call, quantity: str) -> bool:
    """Whether a defect of ``cases/known-defects-linear.yaml`` is known to show at such ordinary inputs."""
    if call.loss != "LinearCrossEntropyLoss" or call.reduction == "none":
        return False
    target = call.args["target"].numbers
    if call.dtype in ("float16", "bfloat16") and target.size > _SHORT_SUM:
        return True
    all_are_ignored = bool(np.all(target == call.params.get("ignore_index")))
    return "options" in call.params and all_are_ignored and quantity != "value"


def _layer(draws: Draws, format: Format, shape: tuple[int, ...]) -> np.ndarray[Any, np.dtype[np.float64]]:
    spread = draws.choose(0.25, 1.0, 4.0)
    return draws.uniform(-spread, spread, shape, format)


def _linear_cross_entropy(draws: Draws, format: Format) -> tuple[Tensors, Tensors]:
    batch = draws.choose((), (1,), (4,), (7,))
    places = draws.choose((), (3,), (2, 2)) if batch else ()
    classes, features = draws.choose(1, 2, 3, 10, 33), draws.choose(1, 2, 5, 16, 100)
    args: Tensors = {
        "input": _layer(draws, format, (*batch, features)),
        "linear_weight": _layer(draws, format, (classes, *places, features)),
    }
    params: Tensors = draws.choose({}, {"linear_bias": _layer(draws, format, (classes, *places))})
    params |= draws.choose({}, {"weight": draws.uniform(0.125, 4.0, (classes,), format)})
    if draws.choose(True, False, False):
        target = draws.uniform(0.0, 1.0, (*batch, classes, *places), format)
        return args | {"target": target}, params | draws.choose({}, {"label_smoothing": 0.1})
    index: Tensors = {"target": draws.index(classes, (*batch, *places))}
    variant: Tensors = draws.choose({}, {"label_smoothing": 0.1}, {"options": "chunked"})
    return args | index, params | draws.choose({}, {"ignore_index": 0}) | variant


def _adaptive_log_softmax(draws: Draws, format: Format) -> tuple[Tensors, Tensors]:
    batch = draws.choose((), (1,), (4,), (9,))
    features, division = draws.choose(4, 9, 16), draws.choose(1.0, 2.0, 2.5)
    cutoffs = [draws.choose(1, 3)]
    sizes = [draws.choose(1, 2, 20) for _ in range(draws.choose(1, 2, 3))]
    params: Tensors = {"div_value": division}
    for cluster, size in enumerate(sizes):
        reduced = int(features // division ** (cluster + 1))
        params[f"tail_{cluster}_0_weight"] = _layer(draws, format, (reduced, features))
        params[f"tail_{cluster}_1_weight"] = _layer(draws, format, (size, reduced))
        cutoffs.append(cutoffs[-1] + size)
    entries = cutoffs[0] + len(sizes)
    params["head_weight"] = _layer(draws, format, (entries, features))
    params |= draws.choose({}, {"head_bias": _layer(draws, format, (entries,))})
    args = {"input": _layer(draws, format, (*batch, features)), "target": draws.index(cutoffs[-1], batch)}
    return args, params | {"cutoffs": np.array(cutoffs[:-1])}


BUILDERS: Mapping[str, Builder] = {
    "LinearCrossEntropyLoss": _linear_cross_entropy,
    "AdaptiveLogSoftmaxWithLoss": _adaptive_log_softmax,
}
