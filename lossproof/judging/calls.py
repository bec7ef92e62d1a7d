"""Plans the calls of a case: their numbers in a dtype, the reference's view of them, and the truth."""

from __future__ import annotations

import dataclasses
import warnings
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from lossproof.corpus.case import Case, Term
from lossproof.corpus.tensors import Tensor
from lossproof.corpus.values import exact_balls
from lossproof.judging.call_values import parameter_value, tensor_values
from lossproof.judging.stored_truth import Truths, recalled, recalled_data, true_value
from lossproof.judging.truth import (
    CallTruth,
    Formula,
    Truth,
    gradient_formulas,
    truth_of,
    upstream_gradients,
    value_formula,
)
from lossproof.judging.verdict import budget_shares
from lossproof.numbers.ball import Ball, certified
from lossproof.numbers.base import Array, NumberArray
from lossproof.numbers.complex_pair import ComplexPair
from lossproof.numbers.formats import FORMATS, Format
from lossproof.numbers.sharing import sharing
from lossproof.reference.advice import ReferenceWarning
from lossproof.reference.catalogue import CONVENTIONS, LOSSES
from lossproof.reference.conventions import DERIVATIVE, picking
from lossproof.reference.evaluation import PreparedCall, prepare
from lossproof.reference.loss import Loss
from lossproof.reference.promotion import part_dtype
from lossproof.reference.worked import worked_steps
from lossproof.subjects.call import Call, Values, dtypes_of

_SELF, _CASE = Term(), "case"
_PASSED_AS_WRITTEN = {"reduction", "size_average", "reduce"}


@dataclass(frozen=True, eq=False)
class PlannedCall:
    """A call, with the reference's view of it and its truth."""

    call: Call
    prepared: PreparedCall
    truth: CallTruth

    @cached_property
    def steps(self) -> str:
        """The worked steps, computed once for all subjects that are wrong in the same call."""
        return str(recalled_data(self.prepared, "worked steps", lambda: worked_steps(self.prepared)))

    @cached_property
    def picks(self) -> Mapping[str, str]:
        """The picks in force where its truth meets a convention."""
        gradients = [truth for gradient in self.truth.gradients for truth in gradient.values()]
        return {name: pick for truth in (self.truth.value, *gradients) for name, pick in truth.picks.items()}


class CallPlanner:
    """Plans calls, and keeps the latest for the next subject."""

    _CACHE_SIZE = 64

    def __init__(self) -> None:
        self._plans: OrderedDict[tuple[str, str, str, str | None, str], PlannedCall] = OrderedDict()
        # The reductions of a case come one after another, and all else is the same in them.
        self._latest: tuple[tuple[str, str, str, str], Call, PreparedCall] | None = None

    def plan(
        self,
        case: Case,
        dtype: str,
        reduction: str | None,
        role: str = _CASE,
        term: Term = _SELF,
        device: str = "cpu",
    ) -> PlannedCall:
        """The call of a case, or of the term with this ``role`` in one of its identities, and its truth.

        That of a term is the truth of its value alone: nobody judges its gradients.

        Raises:
            Refusal: if the reference does not accept the call.
            Undecided: if the truth cannot be certified.
        """
        key = (case.id, role, dtype, reduction, device)
        planned = self._plans.get(key)
        if planned is None or not _are_in_force(planned.picks):
            call, prepared = self._call(case, dtype, reduction, role, term, device)
            self._plans[key] = planned = (_plan if role == _CASE else _plan_term)(call, prepared)
            if len(self._plans) > self._CACHE_SIZE:
                self._plans.popitem(last=False)
        self._plans.move_to_end(key)
        return planned

    def _call(
        self, case: Case, dtype: str, reduction: str | None, role: str, term: Term, device: str
    ) -> tuple[Call, PreparedCall]:
        key = (case.id, role, dtype, device)
        if self._latest is None or self._latest[0] != key:
            call = make_call(case, dtype, reduction, term, device)
            self._latest = key, call, prepare_call(call)
        _, call, prepared = self._latest
        reduction = _reduction(LOSSES[call.loss], reduction, term)
        if reduction != call.reduction:
            call = dataclasses.replace(call, reduction=reduction)
            if reduction in prepared.loss.reductions:
                parameters = {**prepared.parameters, "reduction": reduction}
                prepared = dataclasses.replace(prepared, parameters=parameters)
            else:
                prepared = prepare_call(call)
        return call, prepared


def reductions_of(case: Case) -> tuple[str | None, ...]:
    """The reductions that a case runs in; None stands for passing none."""
    if _PASSED_AS_WRITTEN & set(case.params):
        return (None,)
    return case.reductions or LOSSES[case.loss].reductions or (None,)


def make_call(case: Case, dtype: str, reduction: str | None, term: Term = _SELF, device: str = "cpu") -> Call:
    """The call, its tensors rounded to ``dtype``; the upstream gradients are at most that of its case."""
    loss = LOSSES[term.loss or case.loss]
    args = case.args if term.args is None else term.args
    params = term.params if term.loss else {**case.params, **term.params}
    indices = loss.indices_among({name: tensor.shape for name, tensor in args.items()})
    upstream = case.upstream if term == _SELF else None
    return Call(
        loss.name,
        {name: parameter_value(loss, name, value, dtype) for name, value in params.items()},
        {name: tensor_values(tensor, "int64" if name in indices else dtype) for name, tensor in args.items()},
        _reduction(loss, reduction, term),
        dtype,
        device,
        upstreams=() if upstream is None else (tensor_values(upstream, dtype).numbers,),
    )


def _reduction(loss: Loss, reduction: str | None, term: Term) -> str | None:
    """What a call passes as its reduction: that of the term, if it states one, else that of the case."""
    if not loss.reductions:
        return None
    return reduction if term.reduction is None else term.reduction


def prepare_call(call: Call) -> PreparedCall:
    """The reference's view of a call.

    Raises:
        Refusal: if the reference does not accept it.
    """
    params = {name: _numbers(value) for name, value in call.params.items()}
    if call.reduction is not None:
        params["reduction"] = call.reduction
    args = {name: values.numbers for name, values in call.args.items()}
    with warnings.catch_warnings():
        # The warnings of the reference are judged on the subject of that name, not here.
        warnings.simplefilter("ignore", ReferenceWarning)
        return prepare(call.loss, params, args, dtypes_of(call))


def exact_call(case: Case, reduction: str | None, dtype: str = "float64") -> PreparedCall:
    """A case's call on balls around its decimals as written; lift with ``lift_exactly``.

    Random numbers are those that the dtype's run draws.
    """
    prepared = prepare_call(make_call(case, dtype, reduction))
    arguments: dict[str, Any] = dict(prepared.arguments)
    parameters = dict(prepared.parameters)
    for name, tensor in case.args.items():
        if name not in prepared.indices:
            arguments[name] = exact_balls(tensor, FORMATS[dtype])
    for name, value in case.params.items():
        if isinstance(value, Tensor) and name in prepared.loss.tensor_parameters:
            parameters[name] = exact_balls(value, FORMATS[dtype])
    return dataclasses.replace(prepared, arguments=arguments, parameters=parameters)


def exact_upstream(case: Case, shape: tuple[int, ...]) -> Any:
    """The upstream gradient of a case, as a ball around its decimals as written, or else ones."""
    return np.ones(shape) if case.upstream is None else exact_balls(case.upstream)


def is_rounded(case: Case, reduction: str | None, dtype: str) -> bool:
    """Whether a run in the dtype uses other numbers than the case states."""
    prepared = prepare_call(make_call(case, dtype, reduction))
    numbers = {**prepared.arguments, **prepared.parameters}

    def differs() -> bool:
        exact = exact_call(case, reduction, dtype)
        return any(
            _differs(values, numbers[name])
            for name, values in {**exact.arguments, **exact.parameters}.items()
            if isinstance(values, NumberArray)
        )

    return certified(differs)


def _differs(exact: Array, numbers: npt.NDArray[Any]) -> bool:
    """Whether any number lies outside the ball in its place."""
    if isinstance(exact, ComplexPair):
        return _differs(exact.real, numbers.real) or _differs(exact.imaginary, numbers.imag)
    pairs = zip(exact.elements.ravel().tolist(), numbers.ravel().tolist(), strict=True)
    return not all(ball.contains(number) for ball, number in pairs)


def lift_exactly(values: Any) -> Array:
    """Balls as they are; plain numbers as balls of radius 0."""
    return values if isinstance(values, NumberArray) else Ball.exact(values)


def _plan(call: Call, prepared: PreparedCall) -> PlannedCall:
    format = bound_format(prepared)
    of_case = {"upstream": call.upstreams[0]} if call.upstreams else {}

    def compute() -> Truths:
        truth = _with_convention(truth_of(prepared, format, call.upstreams), prepared)
        return ({"value": truth.value}, *truth.gradients)

    def formulas() -> list[Formula]:
        upstreams = call.upstreams or upstream_gradients(np.shape(prepared.value()), format)
        return [value_formula(prepared, format), *gradient_formulas(prepared, upstreams, format)]

    sets = len(of_case) or 2
    names = [["value"], *([prepared.differentiable] * sets if prepared.differentiable else [])]
    first, *gradients = recalled(prepared, format, names, formulas, compute, inputs=of_case)
    return _planned(call, prepared, first["value"], gradients)


def _plan_term(call: Call, prepared: PreparedCall) -> PlannedCall:
    return _planned(call, prepared, true_value(prepared, bound_format(prepared)))


def _planned(
    call: Call, prepared: PreparedCall, value: Truth, gradients: Sequence[Mapping[str, Truth]] = ()
) -> PlannedCall:
    upstreams = call.upstreams or upstream_gradients(value.value.shape, value.format)
    if not prepared.differentiable:
        upstreams = ()
    truth = CallTruth(value.within_limits(prepared), upstreams, tuple(gradients))
    complete = dataclasses.replace(call, upstreams=upstreams, wrt=prepared.differentiable)
    return PlannedCall(complete, prepared, in_own_formats(truth, prepared))


def _with_convention(truth: CallTruth, prepared: PreparedCall) -> CallTruth:
    """The truth, whose gradients name the convention by which they differ from the derivative."""
    convention = prepared.loss.convention
    if convention is None:
        return truth
    pick = convention.picked()
    (other,) = set(convention.picks) - {pick}
    meaning = convention.means if other == DERIVATIVE else ""

    def mark(true: Truth, otherwise: Array) -> Truth:
        # Not ``compare``, which would bound the formula three more times for a message that nobody reads.
        if np.all(budget_shares(otherwise, true) <= 1):
            return true
        return dataclasses.replace(true, convention=meaning, picks={**true.picks, convention.name: pick})

    with picking({convention.name: other}), sharing(prepared.arguments, "plain numbers"):
        others = [prepared.gradient(upstream) for upstream in truth.upstreams]
    gradients = tuple(
        {name: mark(true, other[name]) for name, true in gradient.items()}
        for gradient, other in zip(truth.gradients, others, strict=True)
    )
    return dataclasses.replace(truth, gradients=gradients)


def _are_in_force(picks: Mapping[str, str]) -> bool:
    return all(pick == CONVENTIONS[name].picked() for name, pick in picks.items())


def bound_format(prepared: PreparedCall) -> Format:
    """The narrowest format among a call's tensors and its result, or the one to which tensors are cast.

    Each operation promotes on its own: the logarithm of a narrow tensor, say, is rounded to the narrow format
    before it meets a wider tensor. So an honest result may be as far off as if all tensors were narrow.
    """
    if prepared.cast is not None:
        return FORMATS[prepared.cast]
    dtypes = {part_dtype(dtype) for dtype in (prepared.dtype, *prepared.dtypes.values())}
    return min((FORMATS[dtype] for dtype in dtypes & set(FORMATS)), key=lambda format: format.precision)


def in_own_formats(truth: CallTruth, prepared: PreparedCall) -> CallTruth:
    """The truth, in which each gradient is rounded to its own format if that holds not all of the bound's.

    float16 has more digits than bfloat16, but less range.
    """
    format = bound_format(prepared)

    def rounded(name: str, true: Truth) -> Truth:
        own = FORMATS[part_dtype(prepared.dtypes[name])]
        is_held = own.largest >= format.largest and own.precision >= format.precision
        return true if is_held else true.rounded_to(own)

    gradients = tuple(
        {name: rounded(name, true) for name, true in gradient.items()} for gradient in truth.gradients
    )
    return dataclasses.replace(truth, gradients=gradients)


def _numbers(value: Any) -> Any:
    return value.numbers if isinstance(value, Values) else value
