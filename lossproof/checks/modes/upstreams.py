"""Judges gradients for other upstream gradients than the plain call's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial

import numpy as np

from lossproof.checks.modes.judgement import CallInMode, Judgement
from lossproof.checks.modes.plain import as_plain, gravest
from lossproof.judging.assertions import element, quantity_assertion, shape_assertion
from lossproof.judging.choices import judge_by_picks
from lossproof.judging.number_text import observed_text
from lossproof.judging.places import place_of
from lossproof.judging.stored_truth import true_gradients
from lossproof.judging.truth import Truth
from lossproof.judging.verdict import Verdict, compare, wrong_shape


def as_plain_if_finite(mode: str, call: CallInMode) -> Iterator[Judgement]:
    """The same as ``as_plain``: an upstream gradient in parts is the sum of its parts."""
    upstream, format = call.planned.truth.upstreams[-1], call.planned.truth.value.format
    if call.is_finite and np.array_equal(2 * format.round(upstream / 2), upstream):
        yield from as_plain(mode, call)


def ones(mode: str, call: CallInMode) -> Iterator[Judgement]:
    """The same as ``as_plain``, with the gradients for an upstream gradient of ones."""
    yield from as_plain(mode, call, place=0)


def every_second(mode: str, call: CallInMode) -> Iterator[Judgement]:
    """The value is the plain call's; the gradients are true for the upstream gradient with zeros."""
    upstream = call.planned.truth.upstreams[-1].copy()
    upstream.flat[::2] = 0.0
    truths = true_gradients(call.planned.prepared, upstream, call.planned.truth.value.format)
    yield from _with_gradients(mode, call, truths)


def joint_gradient(mode: str, call: CallInMode) -> Iterator[Judgement]:
    """The value is the plain call's; the gradient is the sum of its gradients by the first two arguments."""
    first, second, *_ = call.planned.call.args
    one, other = (call.planned.truth.gradients[-1][name] for name in (first, second))
    total = call.plain.gradients[-1][first] + call.plain.gradients[-1][second]
    # Both calls may use up their budget, and the sum is rounded.
    bound = 2 * (one.bound + other.bound)
    bound += np.where(bound > 0, one.format.unit_roundoff * np.abs(total) + one.format.underflow, 0.0)
    overflows = one.overflows | other.overflows
    remainder = np.zeros(total.shape)
    joint = replace(one, value=total, remainder=remainder, bound=bound, overflows=overflows, bounded_by=None)
    yield from _with_gradients(mode, call, {first: joint})


def _with_gradients(mode: str, call: CallInMode, truths: Mapping[str, Truth]) -> Iterator[Judgement]:
    """The value is the plain call's, the gradients are these."""
    judgements = [*as_plain(mode, replace(call, answer=replace(call.answer, gradients=({},))))]
    for name, observed in call.answer.gradients[0].items():
        truth = truths[name]
        verdict = judge_by_picks(truth, partial(compare, observed))
        lines = partial(quantity_assertion, observed, truth, truth.format.name)
        judgements.append(Judgement(mode, verdict, truth.value, observed, lines, name))
    yield gravest(judgements)


def not_finite(mode: str, call: CallInMode) -> Iterator[Judgement]:
    """No gradient by which the output changes is finite."""
    if not call.is_finite:
        return
    yield gravest([_judge_infinite(mode, call, name) for name in call.answer.gradients[0]])


def _judge_infinite(mode: str, call: CallInMode, name: str) -> Judgement:
    observed, truth = call.answer.gradients[0][name], call.planned.truth.gradients[-1][name]
    verdict, lines = Verdict(True, None), partial(shape_assertion, truth.value.shape)
    if observed.shape != truth.value.shape:
        verdict = wrong_shape(observed.shape, truth.value.shape)
    elif (swallowed := np.isfinite(observed) & (np.abs(truth.value) > truth.bound)).any():
        place = place_of(swallowed)
        where = f"at {list(place)}" if place else "the result"
        message = (
            f"{where} is {observed_text(float(observed[place]), truth.format)}, should be infinite or nan"
        )
        verdict, lines = Verdict(False, None, message, came_out=("finite",)), partial(_lines, place)
    expected = np.where(truth.value == 0, truth.value, np.copysign(np.inf, truth.value))
    return Judgement(mode, verdict, expected, observed, lines, name)


def _lines(place: tuple[int, ...]) -> list[str]:
    return [f"got = {element('result', place)}", "assert got - got != 0, f'{got} is finite'"]
