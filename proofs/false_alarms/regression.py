"""Random calls of the regression losses: L1, MSE, SmoothL1, Huber."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from lossproof.numbers.formats import Format
from lossproof.subjects.call import Call
from proofs.false_alarms.draws import Builder, Draws


def is_known(call: Call, quantity: str) -> bool:
    """Whether a defect of ``known-defects-regression.yaml`` is known to show at such ordinary inputs."""
    if call.loss == "SmoothL1Loss":
        # d^2 is rounded to float16 before its division by beta, and d^2 may be subnormal.
        return call.dtype == "float16" and quantity == "value" and 0 < call.params.get("beta", 1.0) < 1
    if call.loss == "HuberLoss" or call.reduction != "mean" or "weight" not in call.params:
        return False
    # The weighted sum of squares passes through float16. The weights of a broadcast input are counted
    # once, not once for each loss that they weight.
    losses = np.broadcast(*(values.numbers for values in call.args.values())).size
    is_wide = call.loss == "MSELoss" and call.dtype == "float16"
    return is_wide or call.params["weight"].numbers.size < losses


def _arguments(draws: Draws, format: Format) -> tuple[dict[str, Any], float]:
    """An input and a target of random shapes, often broadcast, with a random spread; and the spread."""
    input, target = draws.choose(
        *((shape, shape) for shape in ((), (1,), (5,), (4, 3), (2, 3, 4), (40,))),
        ((4, 3), (3,)),
        ((3,), (4, 3)),
        ((4, 1), (3,)),
    )
    spread = draws.choose(0.0625, 1.0, 8.0, 100.0)
    return {
        "input": draws.uniform(-spread, spread, input, format),
        "target": draws.uniform(-spread, spread, target, format),
    }, spread


def _weighted(draws: Draws, format: Format) -> tuple[dict[str, Any], dict[str, Any], float]:
    args, spread = _arguments(draws, format)
    weight = draws.uniform(0.125, 4.0, args["input"].shape, format)
    return args, draws.choose({}, {"weight": weight}), spread


def _difference(draws: Draws, format: Format) -> tuple[dict[str, Any], dict[str, Any]]:
    args, params, _ = _weighted(draws, format)
    return args, params


def _smooth_l1(draws: Draws, format: Format) -> tuple[dict[str, Any], dict[str, Any]]:
    args, spread = _arguments(draws, format)
    return args, draws.choose({}, {"beta": draws.choose(0.0, 0.1, 0.5, 0.9) * spread})


def _huber(draws: Draws, format: Format) -> tuple[dict[str, Any], dict[str, Any]]:
    args, params, spread = _weighted(draws, format)
    return args, params | draws.choose({}, {"delta": draws.choose(0.1, 0.5, 0.9) * spread})


BUILDERS: Mapping[str, Builder] = {
    "L1Loss": _difference,
    "MSELoss": _difference,
    "SmoothL1Loss": _smooth_l1,
    "HuberLoss": _huber,
}
