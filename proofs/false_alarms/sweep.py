"""Judges random calls."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from lossproof.judging.calls import prepare_call
from lossproof.judging.truth import truth_of
from lossproof.judging.verdict import compare
from lossproof.numbers.ball import Undecided
from lossproof.numbers.formats import DEFAULT_DTYPES, FORMATS
from lossproof.reference.catalogue import LOSSES
from lossproof.subjects.call import Call, Unsupported, Values
from lossproof.subjects.subject import Subject
from proofs.false_alarms import ctc, distance, gaussian_poisson, likelihood, linear, margin, regression
from proofs.false_alarms.draws import Builder, Draws

_FAMILIES = (likelihood, gaussian_poisson, margin, regression, ctc, linear, distance)

BUILDERS: Mapping[str, Builder] = {
    loss: build for family in _FAMILIES for loss, build in family.BUILDERS.items()
}
_IS_KNOWN: Mapping[str, Callable[[Call, str], bool]] = {
    loss: family.is_known for family in _FAMILIES for loss in family.BUILDERS
}


@dataclass
class Tally:
    """The result of a sweep."""

    calls: int = 0
    checks: int = 0
    outputs: int = 0
    undecided: int = 0
    by_rule: Counter[str] = field(default_factory=Counter)
    alarms: list[str] = field(default_factory=list)


def sweep(subject: Subject, checks: int, seed: int) -> Tally:
    """Judge random calls until ``checks`` quantities are judged."""
    tally = Tally()
    while tally.checks < checks:
        call = random_call(seed + tally.calls)
        tally.calls += 1
        prepared = prepare_call(call)
        try:
            truth = truth_of(prepared, FORMATS[call.dtype])
        except Undecided:  # two equal irrational distances: no precision tells which is smaller
            tally.undecided += 1
            continue
        try:
            observation = subject.run(replace(call, upstreams=truth.upstreams, wrt=prepared.differentiable))
            if observation.failure is not None:
                raise observation.failure
        except Unsupported:  # torch has no kernel for some losses in half precision
            continue
        quantities = [("value", observation.value, truth.value)]
        for kind, observed, true in zip(
            ("gradient", "vjp"), observation.gradients, truth.gradients, strict=True
        ):
            quantities += [(f"{kind}:{name}", observed[name], true[name]) for name in prepared.differentiable]
        for quantity, numbers, true_numbers in quantities:
            if _IS_KNOWN[call.loss](call, quantity):
                continue
            tally.checks += 1
            tally.outputs += numbers.size
            verdict = compare(numbers, true_numbers)
            if verdict.rule:
                tally.by_rule[verdict.rule] += 1
            if not verdict.agrees:
                place = (
                    f"seed {seed + tally.calls - 1}: {call.loss}, {call.dtype}, {call.reduction}, {quantity}"
                )
                tally.alarms.append(f"{place}: {verdict.message}")
    return tally


def random_call(seed: int) -> Call:
    """A legal call of a random loss, with random parameters, shape, dtype and range."""
    draws = Draws(seed)
    loss, build = draws.choose(*BUILDERS.items())
    format = FORMATS[draws.choose(*DEFAULT_DTYPES)]
    reduction = draws.choose(*(LOSSES[loss].reductions or (None,)))
    args, params = build(draws, format)
    indices = LOSSES[loss].indices({name: values.shape for name, values in args.items()})
    integers = (*indices, *LOSSES[loss].index_parameters)

    def values(name: str, numbers: Any) -> Any:
        is_tensor = isinstance(numbers, np.ndarray)
        return Values(numbers, "int64" if name in integers else format.name) if is_tensor else numbers

    return Call(
        loss,
        {name: values(name, numbers) for name, numbers in params.items()},
        {name: values(name, numbers) for name, numbers in args.items()},
        reduction,
        format.name,
    )
