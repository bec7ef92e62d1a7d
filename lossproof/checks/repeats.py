"""A call made several times: code that reads uninitialized memory may be right once, but not every time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from operator import attrgetter

from lossproof.checks.question import Question
from lossproof.checks.values import KINDS, backward_record
from lossproof.judging.assertions import all_numbers_assertion
from lossproof.judging.calls import PlannedCall
from lossproof.judging.details import describe
from lossproof.judging.truth import Truth
from lossproof.judging.verdict import Verdict, compare
from lossproof.records.quantity import Quantity
from lossproof.records.record import Detail, Record
from lossproof.subjects.call import Call, Observation, Refused
from lossproof.subjects.program import Programs, indented


class Repeats:
    """The value and each gradient are right in every one of several runs."""

    def applies(self, question: Question) -> bool:
        """Cases with ``repeats:``."""
        case = question.trial.case
        return case.repeats > 1 and case.module is None and case.raises is None

    def examine(self, question: Question) -> Iterator[Record]:
        """A record for the value and for each gradient."""
        trial, times = question.trial, question.trial.case.repeats
        try:
            observations = [trial.subject.run(question.call) for _ in range(times)]
        except Refused as refused:
            yield question.record_error(refused)
            return
        failures = [answer.failure for answer in observations if answer.failure is not None]
        yield from (backward_record(question, failure) for failure in failures[:1])
        for quantity, verdict, truth in judge_repeats(question.planned, observations):
            make_detail = partial(detail, trial.subject.programs, question.call, quantity, times, truth)
            yield trial.record_verdict(quantity, verdict, question.reduction, detail=make_detail)


def judge_repeats(
    planned: PlannedCall, observations: Sequence[Observation]
) -> Iterator[tuple[str, Verdict, Truth]]:
    """Judge the value and each gradient; each verdict comes with the truth.

    If they are not right every time, the verdict names no number, since the next run would yield another.
    """
    truth = planned.truth.value
    yield "value", _joint_verdict([compare(answer.value, truth) for answer in observations]), truth
    for place, (kind, truths) in enumerate(zip(KINDS, planned.truth.gradients, strict=False)):
        for name, truth in truths.items():
            # An output of the wrong shape has no gradients, and a subject may compute none.
            gradients = [
                answer.gradients[place][name]
                for answer in observations
                if len(answer.gradients) > place and name in answer.gradients[place]
            ]
            if gradients:
                verdict = _joint_verdict([compare(gradient, truth) for gradient in gradients])
                yield Quantity.of(kind, name), verdict, truth


def _joint_verdict(verdicts: Sequence[Verdict]) -> Verdict:
    if all(verdict.agrees for verdict in verdicts):
        return max(verdicts, key=attrgetter("error_over_budget"))
    message = f"not right in every one of {len(verdicts)} runs of the same call"
    return Verdict(False, None, message, came_out=("varies",))


def detail(programs: Programs, call: Call, quantity: str, times: int, truth: Truth) -> Detail:
    """The detail of a call that was not right every time."""
    program = programs.of_call(call, quantity)
    once = (*program.computation, "print(result)", *all_numbers_assertion(truth))
    snippet = program.assemble(*program.inputs, f"for _ in range({times}):", *indented(once))
    return describe(call) | {"snippet": snippet}
