"""Finds the known defects of a call that the user typed."""

from __future__ import annotations

from collections.abc import Collection, Iterator

import numpy as np

from lossproof.corpus.case import Case, KnownDefect
from lossproof.corpus.reading import Corpus
from lossproof.judging.calls import PlannedCall, make_call, prepare_call, reductions_of
from lossproof.judging.known_defects import covers, relevant
from lossproof.records.outcome import Outcome
from lossproof.records.quantity import Quantity
from lossproof.records.record import Record
from lossproof.reference.evaluation import PreparedCall
from lossproof.reference.refusals import Refusal
from lossproof.subjects.call import Call


def defects_of_call(
    plan: PlannedCall, quantities: Collection[str], subject: str, version: str, corpus: Corpus
) -> list[KnownDefect]:
    """The known defects of a subject that cover one of these quantities of the same call."""
    entries = relevant(corpus.known_defects, subject, version, plan.call.device)
    ids = {entry.case for entry in entries}
    defects: list[KnownDefect] = []
    for case in corpus.cases:
        if case.id not in ids or case.loss != plan.call.loss or case.module is not None:
            continue
        for reduction in _matching_reductions(case, plan):
            records = [_record(case, subject, plan.call, reduction, quantity) for quantity in quantities]
            defects += [entry for entry in entries if any(covers(entry, record) for record in records)]
    return defects


def _matching_reductions(case: Case, plan: PlannedCall) -> Iterator[str | None]:
    if plan.call.dtype not in case.dtypes:
        return
    for reduction in reductions_of(case):
        call = make_call(case, plan.call.dtype, reduction)
        try:
            is_same = _is_same(call, prepare_call(call), plan)
        except Refusal:
            continue
        if is_same:
            yield reduction


def _is_same(call: Call, prepared: PreparedCall, plan: PlannedCall) -> bool:
    """Whether two calls of a loss have the same tensors, parameters and reduction, including defaults."""
    dtypes = {name: values.dtype for name, values in call.args.items()}
    ours, others = ({**call.arguments, **call.parameters} for call in (prepared, plan.prepared))
    return dtypes == {name: values.dtype for name, values in plan.call.args.items()} and all(
        _is_equal(value, others[name]) for name, value in ours.items()
    )


def _is_equal(value: object, other: object) -> bool:
    """Whether two values are identical: nan equals nan, and -0.0 differs from 0.0."""
    if value is None or other is None or isinstance(value, str):
        return value is other or (isinstance(value, str) and value == other)
    first, second = np.asarray(value), np.asarray(other)
    if first.shape != second.shape:
        return False
    is_float = first.dtype.kind == second.dtype.kind == "f"
    signs_agree = not is_float or np.array_equal(np.signbit(first), np.signbit(second))
    return signs_agree and np.array_equal(first, second, equal_nan=first.dtype.kind in "fc")


def _record(case: Case, subject: str, call: Call, reduction: str | None, quantity: str) -> Record:
    place = (call.dtype, call.device, call.layout, reduction, Quantity(quantity))
    return Record(
        case.id, case.title, case.loss, subject, *place, Outcome.DISAGREE, None, None, case.file, case.line
    )
