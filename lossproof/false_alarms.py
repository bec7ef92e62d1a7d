"""Random calls of an unmodified torch: every disagreement outside the known defects is a false alarm of ours.

``python -m lossproof.false_alarms --checks 100000 --seed 1`` prints how many checks and outputs were judged
and each alarm; its exit status is 1 if there was any.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import numpy as np

from lossproof.corpus.generator import draw_bits, draw_index, draw_uniform
from lossproof.judging.calls import prepare_call
from lossproof.judging.truth import truth_of
from lossproof.judging.verdict import compare
from lossproof.numbers.formats import FORMATS, Float64Array, Format
from lossproof.reference.catalogue import LOSSES
from lossproof.subjects.call import Call, Subject, Values

Choice = TypeVar("Choice")

# The likelihood losses keep half-precision sums in half precision (pytorch#61523): from three terms on,
# partial sums are rounded that an accumulation in float32 would keep, and what cancels is lost.
_SHORT_SUM = 2


class Draws:
    """A stream of choices from one seed of the suite's generator."""

    def __init__(self, seed: int) -> None:
        self._seeds = iter(draw_bits(64, seed).tolist())

    def choose(self, *options: Choice) -> Choice:
        """One of ``options``."""
        return options[int(next(self._seeds)) % len(options)]

    def uniform(self, low: float, high: float, shape: tuple[int, ...], format: Format) -> Float64Array:
        """Numbers on the format's grid."""
        return draw_uniform(low, high, shape, next(self._seeds), format)

    def index(self, classes: int, shape: tuple[int, ...]) -> np.ndarray[Any, np.dtype[np.int64]]:
        """Class indices."""
        return draw_index(classes, shape, next(self._seeds))


@dataclass
class Tally:
    """What a sweep found."""

    calls: int = 0
    checks: int = 0
    outputs: int = 0
    alarms: list[str] = field(default_factory=list)


def sweep(subject: Subject, checks: int, seed: int) -> Tally:
    """Judge random calls until ``checks`` quantities are judged."""
    tally = Tally()
    while tally.checks < checks:
        call = random_call(seed + tally.calls)
        tally.calls += 1
        prepared = prepare_call(call)
        truth = truth_of(prepared, FORMATS[call.dtype])
        observation = subject.run(replace(call, upstreams=truth.upstreams, wrt=prepared.differentiable))
        quantities = [("value", observation.value, truth.value)]
        for kind, observed, true in zip(
            ("gradient", "vjp"), observation.gradients, truth.gradients, strict=True
        ):
            quantities += [(f"{kind}:{name}", observed[name], true[name]) for name in prepared.differentiable]
        for quantity, numbers, true_numbers in quantities:
            if is_known(call, quantity):
                continue
            tally.checks += 1
            tally.outputs += numbers.size
            verdict = compare(numbers, true_numbers)
            if not verdict.agrees:
                place = (
                    f"seed {seed + tally.calls - 1}: {call.loss}, {call.dtype}, {call.reduction}, {quantity}"
                )
                tally.alarms.append(f"{place}: {verdict.message}")
    return tally


def random_call(seed: int) -> Call:
    """A legal call of a random loss, with random parameters, shape, dtype and range."""
    draws = Draws(seed)
    loss, build = draws.choose(*_BUILDERS.items())
    format = draws.choose(*FORMATS.values())
    reduction = draws.choose(*(LOSSES[loss].reductions or (None,)))
    args, params = build(draws, format)
    indices = LOSSES[loss].indices({name: values.shape for name, values in args.items()})

    def values(name: str, numbers: Any) -> Any:
        is_tensor = isinstance(numbers, np.ndarray)
        return Values(numbers, "int64" if name in indices else format.name) if is_tensor else numbers

    return Call(
        loss,
        {name: values(name, numbers) for name, numbers in params.items()},
        {name: values(name, numbers) for name, numbers in args.items()},
        reduction,
        format.name,
    )


def is_known(call: Call, quantity: str) -> bool:
    """Whether a defect of ``cases/known-defects.yaml`` is known to show at such ordinary inputs."""
    is_half = call.dtype in ("float16", "bfloat16")
    numbers = {name: values.numbers for name, values in call.args.items()}
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


_Builder = Callable[[Draws, Format], tuple[dict[str, Any], dict[str, Any]]]

_BUILDERS: Mapping[str, _Builder] = {
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


def main(arguments: Sequence[str] | None = None) -> int:
    """Sweep torch.nn.functional, and print what was found."""
    from lossproof.subjects import find_subject

    parser = argparse.ArgumentParser(prog="lossproof.false_alarms", description=__doc__)
    parser.add_argument("--checks", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    tally = sweep(find_subject("torch.nn.functional"), options.checks, options.seed)
    for alarm in tally.alarms[:50]:
        print(alarm)
    swept = f"{tally.calls} calls, {tally.checks} checks, {tally.outputs} outputs"
    print(f"{swept}, {len(tally.alarms)} false alarms")
    return 1 if tally.alarms else 0


if __name__ == "__main__":
    sys.exit(main())
