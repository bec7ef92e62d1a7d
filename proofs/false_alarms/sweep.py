"""Judges random calls, each plainly and in one of the other ways of calling."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from zlib import crc32

import numpy as np

from lossproof.checks.modes.examining import judge
from lossproof.checks.modes.judgement import CallInMode
from lossproof.judging.calls import PlannedCall, prepare_call
from lossproof.judging.truth import truth_of
from lossproof.judging.verdict import Verdict, compare
from lossproof.numbers.ball import Undecided
from lossproof.numbers.formats import DEFAULT_DTYPES, FORMATS
from lossproof.reference.catalogue import LOSSES
from lossproof.subjects.call import Call, Observation, Refused, Unsupported, Values
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

    def add(self, outputs: int, verdict: Verdict, place: str) -> None:
        """Count a check of so many outputs."""
        self.checks += 1
        self.outputs += outputs
        if verdict.rule:
            self.by_rule[verdict.rule] += 1
        if not verdict.agrees:
            self.alarms.append(f"{place}: {verdict.message}")


def sweep(subject: Subject, checks: int, seed: int) -> Tally:
    """Judge random calls until ``checks`` quantities are judged."""
    tally = Tally()
    while tally.checks < checks:
        call, where = random_call(seed + tally.calls), f"seed {seed + tally.calls}"
        tally.calls += 1
        prepared = prepare_call(call)
        try:
            truth = truth_of(prepared, FORMATS[call.dtype])
        except Undecided:  # two equal irrational distances: no precision tells which is smaller
            tally.undecided += 1
            continue
        call = replace(call, upstreams=truth.upstreams, wrt=prepared.differentiable)
        truth = replace(truth, value=truth.value.within_limits(prepared))
        try:
            observation = subject.run(call)
            if observation.failure is not None:
                raise observation.failure
            planned = PlannedCall(call, prepared, truth)
            judged = [*_plainly(planned, observation)]
            # A call that is wrong by itself is no better in another way.
            if all(verdict.agrees for _, _, verdict in judged):
                judged += _in_a_way(subject, planned, observation)
            for quantity, size, verdict in judged:
                if not _IS_KNOWN[call.loss](call, quantity):
                    place = f"{where}: {call.loss}, {call.dtype}, {call.reduction}, {quantity}"
                    tally.add(size, verdict, place)
        except Unsupported:  # torch has no kernel for some losses in half precision
            continue
    return tally


def _plainly(planned: PlannedCall, observation: Observation) -> Iterator[tuple[str, int, Verdict]]:
    """The quantities of the plain call, their numbers of outputs and their verdicts."""
    truth = planned.truth
    yield "value", observation.value.size, compare(observation.value, truth.value)
    for kind, observed, true in zip(("gradient", "vjp"), observation.gradients, truth.gradients, strict=True):
        for name in planned.prepared.differentiable:
            yield f"{kind}:{name}", observed[name].size, compare(observed[name], true[name])


def _in_a_way(
    subject: Subject, planned: PlannedCall, observation: Observation
) -> Iterator[tuple[str, int, Verdict]]:
    """The same for the call in one of the other ways, drawn by its numbers."""
    ways = {name: promise for group in subject.ways(planned.call) for name, promise in group.items()}
    if not ways:
        return
    first = next(iter(planned.call.args.values())).numbers
    way = sorted(ways)[crc32(first.tobytes()) % len(ways)]
    try:
        answer = subject.run_mode(way, planned.call, {})
    except Refused as refused:
        yield way, 0, Verdict(False, None, refused.first_line)
        return
    sizes = [answer.value.size, *(array.size for array in answer.gradients[0].values())]
    for judgement in judge(way, ways[way], CallInMode(planned, observation, answer, {})):
        yield way, sum(sizes), judgement.verdict


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
