"""Examining a case: every check that it makes of a subject in a dtype, as records."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np
import numpy.typing as npt

from lossproof.corpus.case import Case, Identity
from lossproof.corpus.picks import Pick, picks_of
from lossproof.judging import details
from lossproof.judging.behaviour import judge_refusal, judge_warning
from lossproof.judging.calls import CallPlanner, PlannedCall, make_call, reductions_of
from lossproof.judging.choices import or_changed
from lossproof.judging.illustrations import curve, disagreement, is_small
from lossproof.judging.layouts import CONTIGUOUS, layouts_of
from lossproof.judging.modes import examine_modes, reduction_for_modes
from lossproof.judging.record import PASSING, Record
from lossproof.judging.recorder import Recorder
from lossproof.judging.repeats import judge_repeats
from lossproof.judging.truth import Truth
from lossproof.judging.verdict import Verdict, compare, compare_bias, compare_sums
from lossproof.numbers.ball import Undecided
from lossproof.reference.catalogue import LOSSES
from lossproof.reference.conventions import picking
from lossproof.reference.refusals import Refusal
from lossproof.reference.worked import formula_of
from lossproof.subjects.apart import Apart
from lossproof.subjects.call import Call, Observation, Refused, Unsupported
from lossproof.subjects.careful import Careful
from lossproof.subjects.subject import Subject

Numbers = npt.NDArray[np.float64]

# What the gradients by the first and by the second upstream gradient are called.
_KINDS = ("gradient", "vjp")


@dataclass(frozen=True)
class Examiner:
    """Judges cases. One examiner serves a whole run, so that subjects share the reference's work.

    Attributes:
        layout_dtype: the dtype in which the layouts other than contiguous are tried as well.
        with_modes: whether modes are examined, too.
        with_illustrations: whether records show steps and curves, for somebody to read.
        picks: what subjects pick where a formula leaves something open.
    """

    layout_dtype: str = "float32"
    with_modes: bool = True
    with_illustrations: bool = True
    picks: Sequence[Pick] = ()
    planner: CallPlanner = field(default_factory=CallPlanner)

    def examine(self, case: Case, subject: Subject, dtype: str, device: str = "cpu") -> list[Record]:
        """All checks of a case on a subject in one dtype."""
        return list(self.records(case, subject, dtype, device))

    def records(self, case: Case, subject: Subject, dtype: str, device: str = "cpu") -> Iterator[Record]:
        """The same one by one, for who stops at the first that disagrees."""
        return _Examination(self, case, subject, dtype, device).records()


class _Examination(Recorder):
    """The checks of one case on one subject in one dtype."""

    def __init__(self, examiner: Examiner, case: Case, subject: Subject, dtype: str, device: str) -> None:
        super().__init__(case, subject.name, dtype, device)
        self.examiner = examiner
        self._picks = picks_of(examiner.picks, subject.name, subject.version())
        self.subject = Careful(Apart(subject) if case.own_process else subject)

    def records(self) -> Iterator[Record]:
        with picking(self._picks):
            yield from self._records()

    def _records(self) -> Iterator[Record]:
        if self.case.module is not None:
            yield self._module()
            return
        examine = self._refusal if self.case.raises else self._numbers
        if self.case.repeats > 1:
            examine = self._repeated
        for reduction in reductions_of(self.case):
            try:
                yield from examine(reduction)
            except Unsupported as reason:
                yield self.record("value", "unsupported", reduction, message=str(reason))
            except Refusal as refusal:
                message = f"the reference refuses this case: {refusal}; say so in the case with 'raises:'"
                yield self.record("value", "error", reduction, message=message)
            except Undecided as undecided:
                yield self.record(
                    "value", "error", reduction, message=f"the truth cannot be certified: {undecided}"
                )

    def _module(self) -> Record:
        case, claim = self.case, self.case.module
        assert claim is not None
        params = make_call(case, "float64", None).params
        try:
            observed = self.subject.inspect(claim.aspect, case.loss, params, claim.expected)
        except Unsupported as reason:
            return self.record("module", "unsupported", message=str(reason))
        except Refused as refused:
            message = f"raised {refused.type}: {refused}"
            told = details.of_module(self.subject.programs, case, params)
            return self.record("module", "error", message=message, detail=told, came_out=[refused.first_line])
        agrees = observed == claim.expected
        if agrees and case.drifted:
            agrees = str(observed) != case.drifted.was
        message = f"{claim.aspect} is {observed}"
        if not agrees:
            message += f", should be {claim.expected}"
        detail = partial(details.of_module, self.subject.programs, case, params, observed)
        verdict = Verdict(agrees, None, message, came_out=(str(observed),))
        return self.judged("module", verdict, detail=detail)

    def _refusal(self, reduction: str | None) -> Iterator[Record]:
        wanted = self.case.raises
        assert wanted is not None
        call = replace(make_call(self.case, self.dtype, reduction), device=self.device)
        if self.case.own_process and reduction in ("mean", "sum"):
            call = replace(call, upstreams=(np.ones(()),), wrt=LOSSES[call.loss].differentiable)
        try:
            observation = self.subject.run(call)
            if isinstance(observation.failed, Refused):
                raise observation.failed
            message = f"accepted, with {_short(observation)}; must be refused"
            verdict = Verdict(False, None, message, came_out=("accepted",))
        except Refused as refused:
            verdict = judge_refusal(refused, wanted)
        if self.case.own_process and not verdict.agrees:
            # Which of the two happens, and with what result, may differ from run to run.
            message = "accepted, or ended the process; must be refused"
            verdict = Verdict(False, None, message, came_out=("accepted",))
        detail = partial(details.of_refusal, self.subject.programs, call, wanted)
        yield self.judged("raises", verdict, reduction, detail=detail)

    def _numbers(self, reduction: str | None) -> Iterator[Record]:
        planned = self.examiner.planner.plan(self.case, self.dtype, reduction)
        for layout in self._layouts(planned.call, reduction):
            try:
                observation = self._run(planned, layout)
            except Refused as refused:
                yield self._raised(refused, self._full_call(planned, layout))
                continue
            yield from self._observed(planned, observation, reduction, layout)
            if layout != CONTIGUOUS:
                continue
            if self.case.warns:
                detail = partial(
                    details.of_warning, self.subject.programs, self._full_call(planned), self.case.warns
                )
                verdict = judge_warning(observation.warnings, self.case.warns)
                yield self.judged("warns", verdict, reduction, detail=detail)
            if self.case.bias and reduction in ("none", None):
                yield from self._bias(planned, observation, reduction)
            for name, identity in (("same_as", self.case.same_as), ("differs_from", self.case.differs_from)):
                if identity is not None and (identity.reductions is None or reduction in identity.reductions):
                    yield self._identity(name, identity, planned, observation, reduction)
            if self.examiner.with_modes and reduction == reduction_for_modes(reductions_of(self.case)):
                call = self._full_call(planned)
                yield from examine_modes(self, self.subject, call, planned, observation)

    def _repeated(self, reduction: str | None) -> Iterator[Record]:
        planned = self.examiner.planner.plan(self.case, self.dtype, reduction)
        call = self._full_call(planned)
        try:
            observations = [self._run(planned, CONTIGUOUS) for _ in range(self.case.repeats)]
        except Refused as refused:
            yield self._raised(refused, call)
            return
        failed = [seen.failed for seen in observations if seen.failed is not None]
        yield from (self._failed(one, call) for one in failed[:1])
        for quantity, verdict in judge_repeats(planned, observations):
            kind, _, name = quantity.partition(":")
            true = planned.truth.gradients[_KINDS.index(kind)][name] if name else planned.truth.value
            detail = partial(
                details.of_repeats, self.subject.programs, call, quantity, self.case.repeats, true
            )
            yield self.judged(quantity, verdict, reduction, detail=detail)

    def _layouts(self, call: Call, reduction: str | None) -> Iterable[str]:
        reductions = reductions_of(self.case)
        # Memory is read in one way without a reduction and in another with one, whichever it is.
        is_tried = reduction in (reductions[0], reduction_for_modes(reductions)) and self._is_layout_dtype()
        return layouts_of(call) if is_tried else (CONTIGUOUS,)

    def _is_layout_dtype(self) -> bool:
        """Whether this is the dtype in which more is tried and shown than in the others."""
        wanted, dtypes = self.examiner.layout_dtype, self.subject.dtypes
        return self.dtype == (wanted if wanted in dtypes else dtypes[0])

    def _detail(
        self, planned: PlannedCall, quantity: str, observed: Numbers, truth: Truth, dtype: str, layout: str
    ) -> dict[str, str]:
        call = self._full_call(planned, layout)
        return disagreement(self.subject.programs, call, quantity, observed, truth, dtype)

    def _run(self, planned: PlannedCall, layout: str) -> Observation:
        return self.subject.run(self._full_call(planned, layout))

    def _full_call(self, planned: PlannedCall, layout: str = CONTIGUOUS) -> Call:
        return replace(
            planned.call,
            device=self.device,
            layout=layout,
            upstreams=planned.truth.upstreams,
            wrt=planned.prepared.differentiable,
        )

    def _observed(
        self, planned: PlannedCall, observation: Observation, reduction: str | None, layout: str
    ) -> Iterator[Record]:
        prepared, seen = planned.prepared, observation.gradient_dtypes

        def judged(quantity: str, observed: Numbers, truth: Truth, has: str, wanted: str) -> Record:
            verdict = or_changed(truth, partial(compare, observed))
            if verdict.agrees and has != wanted:
                message = f"has dtype {has}, should have {wanted}"
                verdict = Verdict(False, None, message, came_out=(has,))
            detail = partial(self._detail, planned, quantity, observed, truth, wanted, layout)
            return self.judged(quantity, verdict, reduction, layout, detail)

        value = judged("value", observation.value, planned.truth.value, observation.dtype, prepared.dtype)
        pairs = zip(_KINDS, observation.gradients, planned.truth.gradients, strict=False)
        gradients = [
            judged(f"{kind}:{name}", observed[name], true[name], seen.get(name, own), own)
            for kind, observed, true in pairs
            for name in prepared.differentiable
            for own in (prepared.dtypes[name],)
        ]
        if observation.failed is not None:
            gradients = [self._failed(observation.failed, self._full_call(planned, layout))]
        is_right = all(record.outcome in PASSING for record in (value, *gradients))
        illustrations = self._illustrations(planned, reduction, layout, is_right)
        yield replace(value, detail={**(value.detail or {}), **illustrations}) if illustrations else value
        yield from gradients
        changed = (
            f"the call changed its input: {', '.join(observation.changed)}" if observation.changed else ""
        )
        detail = partial(details.of_change, self.subject.programs, self._full_call(planned, layout))
        verdict = Verdict(not changed, None, changed, came_out=observation.changed)
        yield self.judged("unchanged", verdict, reduction, layout, detail)

    def _illustrations(
        self, planned: PlannedCall, reduction: str | None, layout: str, is_right: bool
    ) -> dict[str, str]:
        """What helps to understand a small call: its worked steps, and a curve through it."""
        is_wanted = self.examiner.with_illustrations and layout == CONTIGUOUS
        if not is_wanted or self.case.own_process or not is_small(planned.call):
            return {}
        illustrations: dict[str, str] = {}
        if not is_right or self.subject.shows_steps:
            illustrations |= details.describe(planned.call)
            illustrations |= {
                "formula": formula_of(planned.prepared.loss),
                "steps": planned.steps,
            }
        is_told_of = self.case.source is not None and self.subject.illustrates(self.case.loss)
        is_chosen = reduction == reduction_for_modes(reductions_of(self.case)) and self._is_layout_dtype()
        if is_chosen and (is_told_of or not is_right):
            illustrations |= curve(self.subject, self._full_call(planned), planned)
        return illustrations

    def _bias(
        self, planned: PlannedCall, observation: Observation, reduction: str | None
    ) -> Iterator[Record]:
        def judged(name: str, quantity: str, observed: Numbers, truth: Truth) -> Record:
            call = self._full_call(planned)
            detail = partial(details.of_bias, self.subject.programs, call, quantity, observed, truth)
            return self.judged(f"bias:{name}", compare_bias(observed, truth), reduction, detail=detail)

        yield judged("value", "value", observation.value, planned.truth.value)
        if not observation.gradients:
            return
        # The seeded upstream gradient: with ones, many gradients repeat the same few numbers.
        for name, observed in observation.gradients[1].items():
            truth = planned.truth.gradients[1][name]
            if (
                observed.size >= planned.truth.value.value.size
            ):  # a class weight's gradient is too small a sample
                yield judged(name, f"vjp:{name}", observed, truth)

    def _identity(
        self,
        name: str,
        identity: Identity,
        planned: PlannedCall,
        observation: Observation,
        reduction: str | None,
    ) -> Record:
        total: float | Numbers = 0.0
        bound = planned.truth.value.bound
        is_shaped = observation.value.shape == bound.shape
        sides = [(self._full_call(planned), planned.truth.value)]
        for place, term in enumerate(identity.terms):
            other = self.examiner.planner.plan(self.case, self.dtype, reduction, f"{name} {place}", term)
            sides.append((self._full_call(other), other.truth.value))
            try:
                observed = self._run(other, CONTIGUOUS).value
            except Unsupported as reason:
                return self.record(name, "unsupported", reduction, message=str(reason))
            except Refused as refused:
                message = f"the other side raised {refused.type}: {refused}"
                detail = details.of_identity_error(self.subject.programs, sides)
                return self.record(
                    name, "error", reduction, message=message, detail=detail, came_out=[refused.first_line]
                )
            is_shaped = is_shaped and observed.shape == other.truth.value.bound.shape
            if is_shaped:
                total, bound = total + observed, bound + other.truth.value.bound
        seen = observation.value, np.asarray(total)
        verdict = Verdict(False, None, "one of the two sides has a wrong shape")
        if is_shaped:
            verdict = compare_sums(*seen, bound)
        told = partial(details.of_sameness, self.subject.programs, sides, *seen, bound)
        if name == "differs_from":
            verdict = _opposite(verdict)
            told = partial(details.of_difference, self.subject.programs, sides, *seen)
        elif not verdict.agrees:
            verdict = replace(verdict, message=f"{verdict.message}: {identity.why}")
        return self.judged(name, verdict, reduction, detail=told)

    def _failed(self, failed: Unsupported | Refused, call: Call) -> Record:
        """A backward pass that raised, after a value that is judged like any other."""
        if isinstance(failed, Refused):
            return self._raised(failed, call, "gradient")
        return self.record("gradient", "unsupported", call.reduction, call.layout, message=str(failed))

    def _raised(self, refused: Refused, call: Call, quantity: str = "") -> Record:
        """A call that should have worked."""
        message = f"raised {refused.type}: {refused}"
        quantity = quantity or ("gradient" if refused.when == "backward" else "value")
        detail = details.of_error(self.subject.programs, call, quantity)
        return self.record(
            quantity,
            "error",
            call.reduction,
            call.layout,
            message=message,
            detail=detail,
            came_out=[refused.first_line],
        )


def _opposite(verdict: Verdict) -> Verdict:
    """Of two sides that must differ."""
    if not verdict.agrees:
        return Verdict(True, None)
    return Verdict(False, None, "both sides agree, but must not", came_out=("agree",))


def _short(observation: Observation) -> str:
    numbers = observation.value
    return f"result {numbers.item()!r}" if numbers.size == 1 else f"a result of shape {list(numbers.shape)}"
