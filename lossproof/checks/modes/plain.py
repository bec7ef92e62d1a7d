"""Judges results that should be the same as the plain call's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import numpy as np

from lossproof.checks.modes.judgement import CallInMode, Judgement
from lossproof.judging.assertions import dtype_assertion, element, quantity_assertion, shape_assertion
from lossproof.judging.places import place_of
from lossproof.judging.stored_truth import true_value
from lossproof.judging.truth import Truth
from lossproof.judging.verdict import Verdict, compare, compare_once, wrong_shape
from lossproof.numbers.formats import FORMATS, Float64Array
from lossproof.records.quantity import Quantity

_SAME = Verdict(True, 0.0)


def gradients(mode: str, call: CallInMode) -> Iterator[Judgement]:
    """Each gradient is the plain call's."""
    for name, observed in call.answer.gradients[0].items():
        yield _judge_numbers(Quantity.of(mode, name), observed, *_plain_gradient(call, name))


def rows(mode: str, call: CallInMode) -> Iterator[Judgement]:
    """Each row of the value is the plain call's value."""
    truth = call.planned.truth.value
    by_row = [
        _judge_numbers(mode, observed, call.plain.value, truth, name=f"result[{row}]")
        for row, observed in enumerate(call.answer.value)
    ]
    yield gravest([_judge_dtype(mode, call), *by_row])


def as_plain(mode: str, call: CallInMode, budgets: float = 2.0, place: int = -1) -> Iterator[Judgement]:
    """Value, gradients and dtype are the plain call's, the numbers within that many budgets.

    The gradients are those for the upstream gradient at this place among those of the call.
    """
    value = _judge_numbers(mode, call.answer.value, call.plain.value, call.planned.truth.value, budgets)
    by_argument = [
        _judge_numbers(mode, observed, *_plain_gradient(call, name, place), budgets, part=name)
        for name, observed in call.answer.gradients[0].items()
    ]
    yield gravest([_judge_dtype(mode, call), value, *by_argument])


def bit_for_bit(mode: str, call: CallInMode) -> Iterator[Judgement]:
    """The same as ``as_plain``, but with no budget at all."""
    for judgement in as_plain(mode, call, budgets=0.0):
        lines = judgement.lines
        if judgement.verdict.error_over_budget is not None:
            # The plain call may round differently on another machine, so the program compares two calls.
            lines = partial(_sameness_lines, judgement.observed, judgement.expected)
        yield replace(judgement, lines=lines)


def _sameness_lines(observed: Float64Array, plain: Float64Array) -> list[str]:
    is_same = (observed == plain) | (np.isnan(observed) & np.isnan(plain))
    place = place_of(~is_same)
    return [
        f"got, wanted = {element('result', place)}, {element('first', place)}",
        "assert got == wanted or (got != got and wanted != wanted), (got, wanted)",
    ]


def abstract(mode: str, call: CallInMode) -> Iterator[Judgement]:
    """Shapes and dtype are the plain call's, and no tensor has numbers."""
    by_argument = [
        _judge_shape(mode, observed, call.plain.gradients[-1][name], name)
        for name, observed in call.answer.gradients[0].items()
    ]
    value = _judge_shape(mode, call.answer.value, call.plain.value)
    yield gravest([_judge_dtype(mode, call), value, *by_argument])


def computed_in(mode: str, call: CallInMode) -> Iterator[Judgement]:
    """The value is true within the budget of the dtype that it was computed in."""
    planned, narrowest = call.planned, call.answer.computed_in
    truth = true_value(planned.prepared, FORMATS[narrowest])
    verdict = compare(call.answer.value, truth)
    lines = partial(quantity_assertion, call.answer.value, truth, "float32")
    if call.answer.dtype not in ("float32", narrowest):
        message = f"is {call.answer.dtype}, should be float32"
        verdict = Verdict(False, None, message, came_out=(call.answer.dtype,))
        lines = partial(dtype_assertion, "float32", narrowest)
    elif verdict.agrees:
        message = "; ".join(filter(None, (f"computed in {narrowest}", verdict.message)))
        verdict = replace(verdict, message=message)
    yield Judgement(mode, verdict, truth.value, call.answer.value, lines)


def _judge_numbers(
    quantity: str,
    observed: Float64Array,
    plain: Float64Array,
    truth: Truth,
    budgets: float = 2.0,
    *,
    part: str = "value",
    name: str = "result",
) -> Judgement:
    """Compares with the plain call as if it were the truth; each of the two may use up its budget."""

    def as_truth() -> Truth:
        remainder, bound = np.zeros(plain.shape), budgets * truth.bound
        return replace(truth, value=plain, remainder=remainder, bound=bound, bounded_by=None)

    def lines() -> list[str]:
        return quantity_assertion(observed, as_truth(), truth.format.name, name)

    # Nearly all results are the plain call's to the last bit.
    is_same = truth.passes_by_number and observed.shape == plain.shape
    is_same = is_same and observed.tobytes() == plain.tobytes()
    verdict = _SAME if is_same else compare_once(observed, as_truth())
    return Judgement(quantity, verdict, plain, observed, lines, part)


def _plain_gradient(call: CallInMode, name: str, place: int = -1) -> tuple[Float64Array, Truth]:
    return call.plain.gradients[place][name], call.planned.truth.gradients[place][name]


def _judge_dtype(mode: str, call: CallInMode) -> Judgement:
    agrees = call.answer.dtype == call.plain.dtype
    message = "" if agrees else f"is {call.answer.dtype}, should be {call.plain.dtype}"
    verdict = Verdict(agrees, None, message, came_out=(call.answer.dtype,))
    lines = partial(dtype_assertion, call.plain.dtype)
    return Judgement(mode, verdict, call.plain.value, call.answer.value, lines)


def _judge_shape(mode: str, observed: Float64Array, plain: Float64Array, part: str = "value") -> Judgement:
    verdict = Verdict(True, None)
    if observed.shape != plain.shape:
        verdict = wrong_shape(observed.shape, plain.shape)
    elif not np.all(np.isnan(observed)):
        verdict = Verdict(False, None, "has numbers, though its tensors have none", came_out=("numbers",))
    return Judgement(mode, verdict, plain, observed, partial(shape_assertion, plain.shape), part)


def gravest(judgements: list[Judgement]) -> Judgement:
    """The judgement of what is wrong, or else of what is furthest off."""
    return max(judgements, key=lambda each: (not each.verdict.agrees, each.verdict.error_over_budget or 0.0))
