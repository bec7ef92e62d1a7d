"""Judges the modes of a call: transformed, abstract, or under other settings, a loss is the same loss.

A mode is examined once per case: in one dtype, one layout and one reduction. The reduction is the mean if
there is one: it covers the sum and the scale, and its output is a single number.

A way of calling is a mode that says nothing about the numbers, such as which tensors require gradients. There
are many, so they take turns: each call of a case is examined in one of each group in the dtype in which most
is checked, and in one of a single group in the others, where mostly the same code runs again.

A subject says what a mode promises (``subjects.promise``); here each promise has its judge.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from zlib import crc32

from lossproof.checks.modes.derivatives import derivative, second_derivative
from lossproof.checks.modes.judgement import CallInMode, Judgement
from lossproof.checks.modes.plain import abstract, as_plain, bit_for_bit, computed_in, gradients, rows
from lossproof.checks.modes.upstreams import (
    as_plain_if_finite,
    every_second,
    joint_gradient,
    not_finite,
    ones,
)
from lossproof.checks.question import Question
from lossproof.checks.trial import Trial
from lossproof.judging.derivatives import Directions, directions_of
from lossproof.judging.details import describe
from lossproof.judging.number_text import observed_digits
from lossproof.numbers.formats import FORMATS
from lossproof.records.outcome import Outcome
from lossproof.records.quantity import Quantity
from lossproof.records.record import Record
from lossproof.subjects.call import Call, Refused, Unsupported
from lossproof.subjects.program import Programs
from lossproof.subjects.promise import Promise

_JUDGES: Mapping[Promise, Callable[[str, CallInMode], Iterator[Judgement]]] = {
    Promise.AS_PLAIN: as_plain,
    Promise.VALUE_AS_PLAIN: as_plain,
    Promise.AS_PLAIN_IF_FINITE: as_plain_if_finite,
    Promise.BIT_FOR_BIT: bit_for_bit,
    Promise.GRADIENTS: gradients,
    Promise.ONES: ones,
    Promise.EVERY_SECOND: every_second,
    Promise.JOINT_GRADIENT: joint_gradient,
    Promise.NOT_FINITE: not_finite,
    Promise.ROWS: rows,
    Promise.ABSTRACT: abstract,
    Promise.COMPUTED_IN: computed_in,
    Promise.DERIVATIVE: derivative,
    Promise.SECOND_DERIVATIVE: second_derivative,
}


def judge(mode: str, promise: Promise, call: CallInMode) -> Iterator[Judgement]:
    """Judge a call in a mode by what the mode promises."""
    return _JUDGES[promise](mode, call)


class Modes:
    """All modes of a call that is right by itself: those of a wrong call could only repeat its error."""

    def applies(self, question: Question) -> bool:
        """One reduction and one layout of every case that cannot end the process."""
        return question.is_in_chosen_reduction and _is_examined(question) and question.is_right

    def examine(self, question: Question) -> Iterator[Record]:
        """One record per mode, or one for each tensor by which a mode differentiates."""
        call = question.call
        directions = directions_of(question.planned.prepared, FORMATS[call.dtype])
        for mode, promise in _with_one_abstract(question.trial, question.trial.subject.modes(call)).items():
            yield from _examine_in(mode, promise, question, directions)


def _with_one_abstract(trial: Trial, modes: Mapping[str, Promise]) -> Mapping[str, Promise]:
    """The modes, of those with abstract tensors one: they run the same formulas of shapes, and take turns."""
    abstract = [mode for mode, promise in modes.items() if promise is Promise.ABSTRACT]
    if trial.extent.with_all_ways or not abstract:
        return modes
    chosen = abstract[crc32(trial.case.id.encode()) % len(abstract)]
    return {mode: promise for mode, promise in modes.items() if mode == chosen or mode not in abstract}


class Ways:
    """The ways of calling whose turn it is, for each call that is right by itself.

    Where only its gradients are wrong, those ways that have none are left.
    """

    def applies(self, question: Question) -> bool:
        """One layout of every case that cannot end the process."""
        return _is_examined(question) and question.is_value_right

    def examine(self, question: Question) -> Iterator[Record]:
        """A record for each, or none if the way says nothing about such a call."""
        groups = question.trial.subject.ways(question.differentiated_call)
        if not question.is_right:
            groups = tuple(_without_gradients(ways) for ways in groups)
        promises = {way: promise for ways in groups for way, promise in ways.items()}
        is_all = question.trial.extent.with_all_ways
        for way in promises if is_all else in_turn(question.trial, question.reduction, groups):
            yield from _examine_in(way, promises[way], question, {})


def in_turn(trial: Trial, reduction: str | None, groups: Sequence[Iterable[str]]) -> Iterator[str]:
    """The ways whose turn it is: a case counts its calls, from a place of its own on."""
    lists = [ways for ways in map(list, groups) if ways]
    if not lists:
        return iter(())
    dtype = trial.subject.dtypes.index(trial.dtype)
    number = crc32(trial.case.id.encode()) + dtype * len(trial.reductions) + trial.reductions.index(reduction)
    if not trial.is_in_layout_dtype:
        number, group = divmod(number, len(lists))
        lists = lists[group : group + 1]
    return (ways[number % len(ways)] for ways in lists)


def _without_gradients(ways: Mapping[str, Promise]) -> Mapping[str, Promise]:
    return {way: promise for way, promise in ways.items() if promise is Promise.VALUE_AS_PLAIN}


def _examine_in(mode: str, promise: Promise, question: Question, directions: Directions) -> Iterator[Record]:
    trial, call = question.trial, question.differentiated_call
    detail = partial(_detail, trial.subject.programs, call, directions)
    try:
        outcome = trial.subject.run_mode(mode, call, directions)
        in_mode = CallInMode(question.planned, question.answer, outcome, directions)
        for judgement in judge(mode, promise, in_mode):
            quantity, verdict = judgement.quantity, judgement.verdict
            make_detail = partial(detail, quantity, judgement)
            yield trial.record_verdict(quantity, verdict, call.reduction, outcome.layout, detail=make_detail)
    except Unsupported as reason:
        yield trial.record(mode, Outcome.UNSUPPORTED, call.reduction, message=str(reason))
    except Refused as refused:
        yield trial.record_error(mode, refused, call.reduction, detail=partial(detail, mode))


def _is_examined(question: Question) -> bool:
    is_wanted = question.trial.extent.with_modes and not question.trial.case.own_process
    return is_wanted and question.is_contiguous and question.is_answered


def _detail(
    programs: Programs, call: Call, directions: Directions, quantity: str, judgement: Judgement | None = None
) -> dict[str, str]:
    mode, argument = Quantity(quantity).kind, Quantity(quantity).argument
    part, lines = ("", ()) if judgement is None else (judgement.part, judgement.lines())
    program = programs.of_mode(mode, call, directions, argument or part)
    detail = describe(call) | {"snippet": program.text(*lines)}
    if judgement is None:
        return detail
    # What a mode should give is mostly what the plain call gave.
    format = FORMATS[call.dtype]
    sides = {"expected": judgement.expected, "observed": judgement.observed}
    return detail | {name: observed_digits(numbers, format) for name, numbers in sides.items()}
