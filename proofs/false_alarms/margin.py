"""Random calls of the margin losses: of pairs, of signs, of sets of labels, of classes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from lossproof.numbers.formats import FORMATS, Float64Array, Format
from lossproof.subjects.call import Call
from proofs.false_alarms.draws import Builder, Draws


def is_known(call: Call, quantity: str) -> bool:
    """Whether a defect of ``cases/known-defects-margin.yaml`` is known to show at such ordinary inputs."""
    if call.loss != "SoftMarginLoss":
        return False
    agreement = call.args["input"].numbers * call.args["target"].numbers
    largest_exponent = math.log(FORMATS[call.dtype].largest)
    return bool(np.any(agreement < -largest_exponent))


def _shape(draws: Draws) -> tuple[int, ...]:
    return draws.choose((), (1,), (5,), (4, 3), (2, 3, 4), (40,))


def _signs(draws: Draws, shape: tuple[int, ...]) -> Float64Array:
    return np.asarray(2.0 * draws.index(2, shape) - 1.0)


def _broadcast(draws: Draws, shape: tuple[int, ...]) -> tuple[int, ...]:
    """The shape, or one with as many dimensions that is repeated along the first."""
    return draws.choose(shape, (1, *shape[1:]) if shape else ())


def _margin(draws: Draws, *margins: float) -> dict[str, Any]:
    return draws.choose({}, {"margin": draws.choose(*margins)})


def _hinge_embedding(draws: Draws, format: Format) -> tuple[dict[str, Any], dict[str, Any]]:
    shape = _shape(draws)
    spread = draws.choose(0.5, 2.0, 30.0)
    input = draws.uniform(-spread, spread, _broadcast(draws, shape), format)
    return {"input": input, "target": _signs(draws, shape)}, _margin(draws, 0.1, 0.5, 2.0, -1.0)


def _margin_ranking(draws: Draws, format: Format) -> tuple[dict[str, Any], dict[str, Any]]:
    shape = _shape(draws)
    spread = draws.choose(0.5, 4.0, 100.0)
    args = {
        "input1": draws.uniform(-spread, spread, _broadcast(draws, shape), format),
        "input2": draws.uniform(-spread, spread, _broadcast(draws, shape), format),
        "target": _signs(draws, _broadcast(draws, shape)),
    }
    return args, _margin(draws, 0.1, 0.5, 2.0, -1.0)


def _soft_margin(draws: Draws, format: Format) -> tuple[dict[str, Any], dict[str, Any]]:
    shape = _shape(draws)
    spread = draws.choose(0.5, 8.0, 60.0)
    target_shape = _broadcast(draws, shape)
    soft = draws.uniform(-1.0, 1.0, target_shape, format)
    target = draws.choose(_signs(draws, target_shape), soft)
    return {"input": draws.uniform(-spread, spread, shape, format), "target": target}, {}


def _multilabel_soft_margin(draws: Draws, format: Format) -> tuple[dict[str, Any], dict[str, Any]]:
    shape = draws.choose((1,), (5,), (4, 3), (2, 3, 4), (3, 40))
    spread = draws.choose(0.5, 8.0, 60.0)
    soft = draws.uniform(0.0, 1.0, shape, format)
    target = draws.choose(soft, np.round(soft))
    weight_shape = draws.choose(shape[-1:], shape, (*shape[:-1], 1))
    weight = draws.choose({}, {"weight": draws.uniform(0.125, 4.0, weight_shape, format)})
    return {"input": draws.uniform(-spread, spread, shape, format), "target": target}, weight


def _scores(draws: Draws, format: Format) -> Float64Array:
    shape = draws.choose((1,), (4,), (1, 3), (5, 2), (4, 10), (2, 33))
    spread = draws.choose(0.5, 4.0, 100.0)
    return draws.uniform(-spread, spread, shape, format)


def _multi_margin(draws: Draws, format: Format) -> tuple[dict[str, Any], dict[str, Any]]:
    input = _scores(draws, format)
    classes = input.shape[-1]
    params = draws.choose({}, {"p": draws.choose(1, 2)}) | _margin(draws, 0.1, 0.5, 2.0, -1.0)
    weight = draws.choose({}, {"weight": draws.uniform(0.125, 4.0, (classes,), format)})
    return {"input": input, "target": draws.index(classes, input.shape[:-1])}, params | weight


def _multilabel_margin(draws: Draws, format: Format) -> tuple[dict[str, Any], dict[str, Any]]:
    input = _scores(draws, format)
    return {"input": input, "target": draws.index(input.shape[-1] + 1, input.shape) - 1}, {}


BUILDERS: Mapping[str, Builder] = {
    "HingeEmbeddingLoss": _hinge_embedding,
    "SoftMarginLoss": _soft_margin,
    "MarginRankingLoss": _margin_ranking,
    "MultiLabelSoftMarginLoss": _multilabel_soft_margin,
    "MultiMarginLoss": _multi_margin,
    "MultiLabelMarginLoss": _multilabel_margin,
}
