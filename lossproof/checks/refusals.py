"""Whether a call that must be refused is refused, with the right exception, at the right stage."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import numpy as np

from lossproof.checks.question import Question
from lossproof.corpus.case import Raised
from lossproof.judging.calls import make_call
from lossproof.judging.details import describe
from lossproof.judging.verdict import Verdict
from lossproof.records.outcome import Outcome
from lossproof.records.record import Detail, Record
from lossproof.reference.catalogue import LOSSES
from lossproof.subjects.call import Call, Observation, Refused
from lossproof.subjects.program import Programs, indented

ACCEPTED = "accepted"
# The kinds of refusals that nobody may leave out: whoever accepts such an index reads somebody else's memory.
HARMFUL = ("index",)


class Refusals:
    """The subject refuses what it must refuse, according to the case."""

    def applies(self, question: Question) -> bool:
        """Cases with ``raises:``."""
        return question.trial.case.raises is not None

    def examine(self, question: Question) -> Iterator[Record]:
        """One record."""
        trial = question.trial
        expected = trial.case.raises
        assert expected is not None
        call = _call(question)
        make_detail = partial(detail, trial.subject.programs, call, expected, trial.subject.is_foreign)
        try:
            observation = trial.subject.run(call)
            if isinstance(observation.failure, Refused):
                raise observation.failure
            message = f"accepted, with {_short(observation)}; must be refused"
            verdict = Verdict(False, None, message, came_out=(ACCEPTED,))
        except Refused as refused:
            judge = judge_foreign_refusal if trial.subject.is_foreign else judge_refusal
            verdict = judge(refused, expected)
        if trial.case.own_process and not verdict.agrees:
            # Which of the two happens, and with what result, may vary from run to run.
            message = "accepted, or ended the process; must be refused"
            verdict = Verdict(False, None, message, came_out=(ACCEPTED,))
        is_tolerant = trial.subject.is_foreign and verdict.came_out == (ACCEPTED,)
        if is_tolerant and expected.kind not in HARMFUL:
            message = verdict.message.replace("must be refused", "torch refuses it")
            yield question.record("raises", Outcome.ACCEPTS, message, make_detail)
            return
        yield trial.record_verdict("raises", verdict, question.reduction, detail=make_detail)


def _call(question: Question) -> Call:
    """The call, which has no truth; a call that may end the process also runs its backward pass."""
    trial = question.trial
    call = make_call(trial.case, trial.dtype, question.reduction, device=trial.device)
    if trial.case.own_process and question.reduction in ("mean", "sum"):
        return replace(call, upstreams=(np.ones(()),), wrt=LOSSES[call.loss].differentiable)
    return call


def _short(observation: Observation) -> str:
    numbers = observation.value
    return f"result {numbers.item()!r}" if numbers.size == 1 else f"a result of shape {list(numbers.shape)}"


def judge_foreign_refusal(refused: Refused, expected: Raised) -> Verdict:
    """Whether another implementation than torch refused, with any exception and for any reason."""
    if refused.is_exception:
        return Verdict(True, None)
    message = f"{refused.type}: {refused}; must be refused, for its {expected.kind}"
    return Verdict(False, None, message, came_out=(refused.first_line,))


def judge_refusal(refused: Refused, expected: Raised) -> Verdict:
    """Whether a subject raised the right exception at the right stage."""
    if refused.kind is not None:
        is_right = refused.kind == expected.kind
        message = f"refused with kind {refused.kind}, not {expected.kind}: {refused}"
        return Verdict(True, None) if is_right else Verdict(False, None, message, came_out=(refused.type,))
    is_timely = refused.when == expected.when or not refused.is_staged
    is_right = refused.type == expected.type and bool(re.search(expected.match, str(refused))) and is_timely
    message = (
        f"raised {refused.type} at the {refused.when}: {str(refused).partition(chr(10))[0]}; "
        f"should be {expected.type} at the {expected.when} matching '{expected.match}'"
    )
    return Verdict(is_right, None, "" if is_right else message, came_out=(refused.first_line,))


def detail(programs: Programs, call: Call, expected: Raised, is_foreign: bool = False) -> Detail:
    """The detail of a call that was not refused as it must be; a foreign subject may refuse it in any way."""
    program = programs.of_call(call, "gradient" if call.wrt else "value")
    calling = (*program.call, "print(result)", *program.gradient)
    attempt = (*program.construct, *calling)
    expectation = f"should raise {expected.type} at the {expected.when} matching '{expected.match}'"
    is_right = f"type(raised).__name__ == {expected.type!r} and re.search({expected.match!r}, str(raised))"
    if is_foreign:
        expectation, is_right = "should be refused", f"isinstance(raised, {program.refusal})"
    elif program.names_kinds:
        expectation = f"should be refused with kind {expected.kind}"
        is_right = f"getattr(raised, 'kind', None) == {expected.kind!r}"
    elif program.construct and expected.when == "construct":
        attempt = program.construct
    elif program.construct:
        attempt = (*program.construct, "is_constructed = True", *calling)
        is_right += " and is_constructed"
    snippet = program.assemble(
        *program.inputs,
        "raised = None",
        *(["is_constructed = False"] if "is_constructed = True" in attempt else []),
        "try:",
        *indented(attempt),
        "except Exception as error:",
        "    raised = error",
        "print(repr(raised))",
        f"assert {is_right}, {expectation!r}",
    )
    return describe(call) | {"snippet": snippet}
