"""Judges gradients for other upstream gradients than the plain call's."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np

from lossproof.checks.modes.judgement import CallInMode, Judgement
from lossproof.checks.modes.plain import as_plain
from lossproof.judging.assertions import element, shape_assertion
from lossproof.judging.number_text import digits
from lossproof.judging.places import place_of
from lossproof.judging.verdict import Verdict, wrong_shape


def as_plain_if_finite(mode: str, call: CallInMode) -> Iterator[Judgement]:
    """The same as ``as_plain``: an upstream gradient in parts is the sum of its parts."""
    if call.is_finite:
        yield from as_plain(mode, call)


def ones(mode: str, call: CallInMode) -> Iterator[Judgement]:
    """The same as ``as_plain``, with the gradients for an upstream gradient of ones."""
    yield from as_plain(mode, call, place=0)


def not_finite(mode: str, call: CallInMode) -> Iterator[Judgement]:
    """No gradient by which the output changes is finite."""
    if not call.is_finite:
        return
    for name, observed in call.answer.gradients[0].items():
        truth = call.planned.truth.gradients[1][name]
        swallowed = np.isfinite(observed) & (np.abs(truth.value) > truth.bound)
        verdict = Verdict(True, None)
        lines = partial(shape_assertion, truth.value.shape)
        if observed.shape != truth.value.shape:
            verdict = wrong_shape(observed.shape, truth.value.shape)
        elif swallowed.any():
            place = place_of(swallowed)
            number = digits(observed[place])
            message = (
                f"an infinite upstream gradient gives {number} at {list(place)}, should be infinite or nan"
            )
            verdict = Verdict(False, None, message, came_out=("finite",))
            lines = partial(_lines, place)
        expected = np.where(truth.value == 0, truth.value, np.copysign(np.inf, truth.value))
        yield Judgement(mode, verdict, expected, observed, lines, name)


def _lines(place: tuple[int, ...]) -> list[str]:
    return [f"got = {element('result', place)}", "assert got - got != 0, f'{got} is finite'"]
