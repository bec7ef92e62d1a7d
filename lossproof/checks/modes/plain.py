"""Judging what should be the same as in the plain call."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import numpy as np

from lossproof.checks.modes.judgement import CallInMode, Judgement
from lossproof.judging.assertions import dtype_check, element, quantity_check, shape_check
from lossproof.judging.places import place_of
from lossproof.judging.truth import Truth, truths
from lossproof.judging.verdict import Verdict, compare, wrong_shape
from lossproof.numbers.formats import FORMATS, Float64Array
from lossproof.records.quantity import Quantity


def gradients(mode: str, call: CallInMode) -> Iterator[Judgement]:
    """Each gradient is the plain call's."""
    for name, observed in call.mode.gradients[0].items():
        yield _alike(Quantity.of(mode, name), observed, *_plain_gradient(call, name))


def rows(mode: str, call: CallInMode) -> Iterator[Judgement]:
    """Each row of the value is the plain call's value."""
    truth = call.planned.truth.value
    judged = [
        _alike(mode, observed, call.plain.value, truth, name=f"result[{row}]")
        for row, observed in enumerate(call.mode.value)
    ]
    yield _gravest([_typed(mode, call), *judged])


def as_plain(mode: str, call: CallInMode, budgets: float = 2.0) -> Iterator[Judgement]:
    """Value, gradients and dtype are the plain call's, each within that many budgets."""
    value = _alike(mode, call.mode.value, call.plain.value, call.planned.truth.value, budgets)
    by_argument = [
        _alike(mode, observed, *_plain_gradient(call, name), budgets, part=name)
        for name, observed in call.mode.gradients[0].items()
    ]
    yield _gravest([_typed(mode, call), value, *by_argument])


def bit_for_bit(mode: str, call: CallInMode) -> Iterator[Judgement]:
    """The same, with no budget at all."""
    for judged in as_plain(mode, call, budgets=0.0):
        check = judged.check
        if judged.verdict.error_over_budget is not None:
            # Another machine's plain call may round otherwise: the program holds one call against the other.
            check = partial(_unlike_first, judged.observed, judged.expected)
        yield replace(judged, check=check)


def _unlike_first(observed: Float64Array, plain: Float64Array) -> list[str]:
    is_same = (observed == plain) | (np.isnan(observed) & np.isnan(plain))
    place = place_of(~is_same)
    return [
        f"got, wanted = {element('result', place)}, {element('first', place)}",
        "assert got == wanted or (got != got and wanted != wanted), (got, wanted)",
    ]


def abstract(mode: str, call: CallInMode) -> Iterator[Judgement]:
    """Shapes and dtype are the plain call's; no tensor has numbers."""
    by_argument = [
        _shaped(mode, observed, call.plain.gradients[1][name], name)
        for name, observed in call.mode.gradients[0].items()
    ]
    yield _gravest([_typed(mode, call), _shaped(mode, call.mode.value, call.plain.value), *by_argument])


def computed_in(mode: str, call: CallInMode) -> Iterator[Judgement]:
    """The truth, within the budget of the dtype that it was computed in."""
    planned, narrowest = call.planned, call.mode.computed_in
    truth = truths(lambda lift: {mode: planned.prepared.value(lift)}, FORMATS[narrowest])[mode]
    verdict = compare(call.mode.value, truth)
    check = partial(quantity_check, call.mode.value, truth, "float32")
    if call.mode.dtype not in ("float32", narrowest):
        message = f"is {call.mode.dtype}, should be float32"
        verdict = Verdict(False, None, message, came_out=(call.mode.dtype,))
        check = partial(dtype_check, "float32", narrowest)
    elif verdict.agrees:
        message = "; ".join(filter(None, (f"computed in {narrowest}", verdict.message)))
        verdict = replace(verdict, message=message)
    yield Judgement(mode, verdict, truth.value, call.mode.value, check)


def _alike(
    quantity: str,
    observed: Float64Array,
    plain: Float64Array,
    truth: Truth,
    budgets: float = 2.0,
    *,
    part: str = "value",
    name: str = "result",
) -> Judgement:
    """Against the plain call, as if that were the truth; each of the two may use up its tolerance."""
    remainder, bound = np.zeros(plain.shape), budgets * truth.bound
    as_truth = replace(truth, value=plain, remainder=remainder, bound=bound, bounded_by=None)
    check = partial(quantity_check, observed, as_truth, truth.format.name, name)
    return Judgement(quantity, compare(observed, as_truth), plain, observed, check, part)


def _plain_gradient(call: CallInMode, name: str) -> tuple[Float64Array, Truth]:
    return call.plain.gradients[1][name], call.planned.truth.gradients[1][name]


def _typed(mode: str, call: CallInMode) -> Judgement:
    agrees = call.mode.dtype == call.plain.dtype
    message = "" if agrees else f"is {call.mode.dtype}, should be {call.plain.dtype}"
    verdict = Verdict(agrees, None, message, came_out=(call.mode.dtype,))
    check = partial(dtype_check, call.plain.dtype)
    return Judgement(mode, verdict, call.plain.value, call.mode.value, check)


def _shaped(mode: str, observed: Float64Array, plain: Float64Array, part: str = "value") -> Judgement:
    verdict = Verdict(True, None)
    if observed.shape != plain.shape:
        verdict = wrong_shape(observed.shape, plain.shape)
    elif not np.all(np.isnan(observed)):
        verdict = Verdict(False, None, "has numbers, though its tensors have none", came_out=("numbers",))
    return Judgement(mode, verdict, plain, observed, partial(shape_check, plain.shape), part)


def _gravest(judged: list[Judgement]) -> Judgement:
    return max(judged, key=lambda one: (not one.verdict.agrees, one.verdict.error_over_budget or 0.0))
