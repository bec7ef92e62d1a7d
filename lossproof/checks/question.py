"""A call that a trial puts to its subject, and the answer, computed when it is first needed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial

from lossproof.checks.trial import Trial
from lossproof.corpus.case import Term
from lossproof.judging import details
from lossproof.judging.calls import PlannedCall
from lossproof.judging.choices import judge_by_picks
from lossproof.judging.layouts import CONTIGUOUS, other_layouts
from lossproof.judging.truth import Truth
from lossproof.judging.verdict import Verdict, compare
from lossproof.numbers.formats import Float64Array
from lossproof.records.outcome import Outcome
from lossproof.records.record import Detail, Record
from lossproof.subjects.call import Call, Observation, Refused


@dataclass(frozen=True, eq=False)
class Question:
    """One call of a case in one memory layout; the reduction is None if none is passed."""

    trial: Trial
    reduction: str | None
    layout: str = CONTIGUOUS

    @cached_property
    def planned(self) -> PlannedCall:
        """The case's own call and its truth; raises what ``CallPlanner.plan`` does."""
        return self.plan()

    def plan(self, role: str = "case", term: Term = Term()) -> PlannedCall:
        """The case's own call, or the call of the term with this ``role`` in one of its identities."""
        trial = self.trial
        return trial.extent.planner.plan(
            trial.case, trial.dtype, self.reduction, role, term, device=trial.device
        )

    @cached_property
    def call(self) -> Call:
        """The call that the subject gets."""
        call = self.planned.call
        return call if call.layout == self.layout else replace(call, layout=self.layout)

    @cached_property
    def outcome(self) -> Observation | Refused:
        """The subject's answer, or its exception; Unsupported is raised if there is nothing to run."""
        try:
            return self.trial.subject.run(self.call)
        except Refused as refused:
            return refused

    @property
    def is_answered(self) -> bool:
        """Whether the case is about numbers, and the subject answered."""
        return self.is_about_numbers and isinstance(self.outcome, Observation)

    @property
    def answer(self) -> Observation:
        """The answer, if the subject gave one."""
        assert isinstance(self.outcome, Observation)
        return self.outcome

    @cached_property
    def differentiated_call(self) -> Call:
        """The call, by the tensors by which the subject differentiates it: a foreign one need not by all."""
        computed = self.answer.gradients[-1] if self.answer.gradients else {}
        wrt = tuple(name for name in self.call.wrt if name in computed)
        return self.call if wrt == self.call.wrt else replace(self.call, wrt=wrt)

    @cached_property
    def value_verdict(self) -> Verdict:
        """The verdict on the value of the answer."""
        return _judged(self.answer.value, self.planned.truth.value)

    @cached_property
    def gradient_verdicts(self) -> Sequence[Mapping[str, Verdict]]:
        """The verdicts on those gradients that the subject computed, for each upstream gradient."""
        pairs = zip(self.answer.gradients, self.planned.truth.gradients, strict=False)
        return [
            {name: _judged(observed[name], one) for name, one in true.items() if name in observed}
            for observed, true in pairs
        ]

    @property
    def is_value_right(self) -> bool:
        """Whether the value of the answer is within its budget."""
        return self.value_verdict.agrees

    @cached_property
    def is_right(self) -> bool:
        """Whether the value and all gradients of the answer are within their budgets."""
        if self.answer.failure is not None or not self.is_value_right:
            return False
        return all(verdict.agrees for verdicts in self.gradient_verdicts for verdict in verdicts.values())

    @property
    def is_about_numbers(self) -> bool:
        """Whether the case is judged by the result of one ordinary call."""
        case = self.trial.case
        return case.module is None and case.raises is None and case.repeats == 1

    @property
    def is_contiguous(self) -> bool:
        """Whether this is the layout in which everything is checked."""
        return self.layout == CONTIGUOUS

    @property
    def is_in_chosen_reduction(self) -> bool:
        """Whether this is the reduction in which more is checked and shown than in the others."""
        return self.reduction == chosen_reduction(self.trial.reductions)

    def record(
        self, quantity: str, outcome: Outcome, message: str, detail: Callable[[], Detail] | None = None
    ) -> Record:
        """A record of this call without a verdict."""
        return self.trial.record(
            quantity, outcome, self.reduction, self.layout, message=message, detail=detail
        )

    def record_error(self, refused: Refused, quantity: str = "") -> Record:
        """The record of a call that should have worked."""
        quantity = quantity or ("gradient" if refused.when == "backward" else "value")
        make_detail = partial(details.error_detail, self.trial.subject.programs, self.call, quantity)
        return self.trial.record_error(quantity, refused, self.reduction, self.layout, make_detail)


def _judged(observed: Float64Array, truth: Truth) -> Verdict:
    return judge_by_picks(truth, partial(compare, observed))


def questions(trial: Trial, reduction: str | None) -> Iterator[Question]:
    """All calls of a case in a reduction, the contiguous one first."""
    first = Question(trial, reduction)
    yield first
    # Kernels read memory in one way without a reduction and in another with one, no matter which.
    has_layouts = reduction == trial.reductions[0] or first.is_in_chosen_reduction
    if first.is_about_numbers and has_layouts and trial.is_in_layout_dtype:
        for layout in other_layouts(first.planned.call):
            if layout in trial.subject.layouts_of(first.call.loss):
                yield Question(trial, reduction, layout)


def chosen_reduction(reductions: tuple[str | None, ...]) -> str | None:
    """The mean if there is one: it covers the sum and the scale, and is a single number."""
    return "mean" if "mean" in reductions else reductions[0]
