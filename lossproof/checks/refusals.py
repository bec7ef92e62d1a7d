"""A call that must be refused: whether it is, with the right exception, at the right stage."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import numpy as np

from lossproof.checks.question import Question
from lossproof.judging import details
from lossproof.judging.behaviour import judge_refusal
from lossproof.judging.calls import make_call
from lossproof.judging.verdict import Verdict
from lossproof.records.record import Record
from lossproof.reference.catalogue import LOSSES
from lossproof.subjects.call import Call, Observation, Refused


class Refusals:
    """The subject refuses what the case says that it must refuse."""

    def applies(self, question: Question) -> bool:
        """Cases with ``raises:``."""
        return question.trial.case.raises is not None

    def examine(self, question: Question) -> Iterator[Record]:
        """One record."""
        trial = question.trial
        demanded = trial.case.raises
        assert demanded is not None
        call = _call(question)
        try:
            observation = trial.subject.run(call)
            if isinstance(observation.failed, Refused):
                raise observation.failed
            message = f"accepted, with {_short(observation)}; must be refused"
            verdict = Verdict(False, None, message, came_out=("accepted",))
        except Refused as refused:
            verdict = judge_refusal(refused, demanded)
        if trial.case.own_process and not verdict.agrees:
            # Which of the two happens, and with what result, may differ from run to run.
            message = "accepted, or ended the process; must be refused"
            verdict = Verdict(False, None, message, came_out=("accepted",))
        detail = partial(details.of_refusal, trial.subject.programs, call, demanded)
        yield trial.judged("raises", verdict, question.reduction, detail=detail)


def _call(question: Question) -> Call:
    """The call, which has no truth; one that may end the process runs its backward pass as well."""
    trial = question.trial
    call = make_call(trial.case, trial.dtype, question.reduction, device=trial.device)
    if trial.case.own_process and question.reduction in ("mean", "sum"):
        return replace(call, upstreams=(np.ones(()),), wrt=LOSSES[call.loss].differentiable)
    return call


def _short(observation: Observation) -> str:
    numbers = observation.value
    return f"result {numbers.item()!r}" if numbers.size == 1 else f"a result of shape {list(numbers.shape)}"
