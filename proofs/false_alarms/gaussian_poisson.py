"""Random calls of the losses of counts and of normal samples: Poisson and Gaussian."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lossproof.numbers.formats import Format
from lossproof.subjects.call import Call
from proofs.false_alarms.draws import Builder, Draws


def is_known(call: Call, quantity: str) -> bool:
    """No defect of ``cases/known-defects-count.yaml`` shows at such ordinary inputs."""
    return False


def _shape(draws: Draws) -> tuple[int, ...]:
    return draws.choose((), (1,), (5,), (4, 3), (2, 3, 4), (40,))


def _poisson(draws: Draws, format: Format) -> tuple[dict[str, Any], dict[str, Any]]:
    shape = _shape(draws)
    largest = draws.choose(1.0, 8.0, 64.0)
    # A target of 0 has no gradient in torch with full, and 0 + eps is 0 in float16: cases of their own.
    target = draws.uniform(0.0625, largest, draws.choose(shape, shape[-1:]), format)
    full = draws.choose({}, {"full": True})
    if draws.choose(True, False):
        spread = draws.choose(0.5, 4.0, 10.0)
        return {"input": draws.uniform(-spread, spread, shape, format), "target": target}, full
    input = draws.uniform(0.0625, largest, shape, format)
    eps = draws.choose({}, {"eps": draws.choose(0.0, 0.1, 1e-3)})
    return {"input": input, "target": target}, {"log_input": False} | full | eps


def _gaussian(draws: Draws, format: Format) -> tuple[dict[str, Any], dict[str, Any]]:
    shape = _shape(draws)
    spread = draws.choose(0.5, 4.0, 30.0)
    input = draws.uniform(-spread, spread, shape, format)
    target = draws.uniform(-spread, spread, draws.choose(shape, shape[-1:]), format)
    last = (*shape[:-1], 1) if shape else ()
    var_shape = draws.choose(shape, shape[:-1], last)
    var = draws.uniform(*draws.choose((0.125, 4.0), (1.0, 64.0), (0.0, 1.0)), var_shape, format)
    params = draws.choose({}, {"full": True}) | draws.choose({}, {"eps": draws.choose(0.1, 0.5)})
    return {"input": input, "target": target, "var": var}, params


BUILDERS: Mapping[str, Builder] = {"PoissonNLLLoss": _poisson, "GaussianNLLLoss": _gaussian}
