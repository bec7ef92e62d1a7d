"""A call that a trial asks of its subject, and the answer, once it is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property, partial

from lossproof.checks.trial import Trial
from lossproof.corpus.case import Term
from lossproof.judging import details
from lossproof.judging.calls import PlannedCall
from lossproof.judging.layouts import CONTIGUOUS, layouts_of
from lossproof.records.record import Record
from lossproof.subjects.call import Call, Observation, Refused


@dataclass(frozen=True, eq=False)
class Question:
    """One call of a case: in a reduction, its tensors laid out in one way.

    Attributes:
        trial: the case, the subject and the dtype.
        reduction: to be passed, or None to pass none.
        layout: how the tensors lie in memory.
    """

    trial: Trial
    reduction: str | None
    layout: str = CONTIGUOUS

    @cached_property
    def planned(self) -> PlannedCall:
        """The case's own call and its truth.

        Raises:
            Refusal: where the reference does not take the call.
            Undecided: where the truth cannot be certified.
        """
        return self.plan()

    def plan(self, role: str = "case", term: Term = Term()) -> PlannedCall:
        """The case's own call, or that of a term which plays ``role`` in one of its identities."""
        trial = self.trial
        return trial.extent.planner.plan(
            trial.case, trial.dtype, self.reduction, role, term, device=trial.device
        )

    @cached_property
    def call(self) -> Call:
        """The call as the subject is given it."""
        planned = self.planned.call
        return planned if self.layout == CONTIGUOUS else replace(planned, layout=self.layout)

    @cached_property
    def outcome(self) -> Observation | Refused:
        """What came out: an answer, or the exception in its place.

        Raises:
            Unsupported: where there is nothing to run.
        """
        try:
            return self.trial.subject.run(self.call)
        except Refused as refused:
            return refused

    @property
    def is_answered(self) -> bool:
        """Whether the case is one of numbers, and the subject had an answer."""
        return self.is_of_numbers and isinstance(self.outcome, Observation)

    @property
    def answer(self) -> Observation:
        """The answer, where the subject had one."""
        assert isinstance(self.outcome, Observation)
        return self.outcome

    @property
    def is_of_numbers(self) -> bool:
        """Whether the case is judged by what one ordinary call yields."""
        case = self.trial.case
        return case.module is None and case.raises is None and case.repeats == 1

    @property
    def is_contiguous(self) -> bool:
        """Whether it is the one layout in which everything is checked."""
        return self.layout == CONTIGUOUS

    @property
    def is_in_chosen_reduction(self) -> bool:
        """Whether this is the reduction in which more is tried and shown than in the others."""
        return self.reduction == chosen_reduction(self.trial.reductions)

    def raised(self, refused: Refused, quantity: str = "") -> Record:
        """The record of a call that should have worked."""
        quantity = quantity or ("gradient" if refused.when == "backward" else "value")
        shown = partial(details.of_error, self.trial.subject.programs, self.call, quantity)
        return self.trial.raised(quantity, refused, self.reduction, self.layout, shown)


def questions(trial: Trial, reduction: str | None) -> Iterator[Question]:
    """All calls of a case in a reduction, the contiguous one first."""
    first = Question(trial, reduction)
    yield first
    # Memory is read in one way without a reduction and in another with one, whichever it is.
    is_tried = reduction == trial.reductions[0] or first.is_in_chosen_reduction
    if first.is_of_numbers and is_tried and trial.is_in_layout_dtype:
        for layout in layouts_of(first.planned.call):
            if layout != CONTIGUOUS:
                yield Question(trial, reduction, layout)


def chosen_reduction(reductions: tuple[str | None, ...]) -> str | None:
    """The mean where there is one: it goes through the scale as well as the sum, and is a single number."""
    return "mean" if "mean" in reductions else reductions[0]
