"""From a case to the calls that it makes: numbers in a dtype, the reference's view of them, and the truth."""

from __future__ import annotations

import dataclasses
import math
import warnings
from collections import OrderedDict
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from lossproof.corpus.case import Case, Parameter, Term
from lossproof.corpus.keys import INTEGER_DTYPES
from lossproof.corpus.numeral import Numeral
from lossproof.corpus.tensors import Tensor
from lossproof.corpus.values import exact_balls, rounded, whole_numbers
from lossproof.judging.truth import CallTruth, Truth, truth_of
from lossproof.judging.verdict import budget_shares
from lossproof.numbers.ball import Ball, certified
from lossproof.numbers.base import Array, NumberArray
from lossproof.numbers.complex_pair import ComplexPair
from lossproof.numbers.formats import FORMATS, Format
from lossproof.reference.advice import ReferenceWarning
from lossproof.reference.catalogue import CONVENTIONS, LOSSES
from lossproof.reference.conventions import DERIVATIVE, picking
from lossproof.reference.evaluation import PreparedCall, prepare
from lossproof.reference.loss import Loss
from lossproof.reference.promotion import part_dtype
from lossproof.reference.worked import worked_steps
from lossproof.subjects.call import Call, Values, dtypes_of

_OWN = Term()
_PASSED_AS_WRITTEN = {"reduction", "size_average", "reduce"}


@dataclass(frozen=True, eq=False)
class PlannedCall:
    """A call, and the same call as the reference sees it."""

    call: Call
    prepared: PreparedCall
    truth: CallTruth

    @cached_property
    def steps(self) -> str:
        """The worked steps: subjects that are wrong in the same call show the same ones."""
        return worked_steps(self.prepared)


class CallPlanner:
    """Makes the calls of cases in one dtype after another, and keeps the last ones for the next subject."""

    _KEPT = 64

    def __init__(self) -> None:
        self._planned: OrderedDict[tuple[str, str, str, str | None, str], PlannedCall] = OrderedDict()

    def plan(
        self,
        case: Case,
        dtype: str,
        reduction: str | None,
        role: str = "case",
        term: Term = _OWN,
        device: str = "cpu",
    ) -> PlannedCall:
        """The call of a case, or of the term that plays ``role`` in one of its identities, with its truth.

        Raises:
            Refusal: where the reference does not take the call.
            Undecided: where the truth cannot be certified.
        """
        key = (case.id, role, dtype, reduction, device)
        planned = self._planned.get(key)
        if planned is None or not _is_in_force(planned.truth):
            self._planned[key] = planned = _planned(case, dtype, reduction, term, device)
            if len(self._planned) > self._KEPT:
                self._planned.popitem(last=False)
        self._planned.move_to_end(key)
        return planned


def reductions_of(case: Case) -> tuple[str | None, ...]:
    """The reductions that a case runs in; None where none is passed."""
    if _PASSED_AS_WRITTEN & set(case.params):
        return (None,)
    return case.reductions or LOSSES[case.loss].reductions or (None,)


def make_call(case: Case, dtype: str, reduction: str | None, term: Term = _OWN, device: str = "cpu") -> Call:
    """The call, its tensors rounded to ``dtype``; no gradient is wanted of it."""
    loss = LOSSES[term.loss or case.loss]
    args = case.args if term.args is None else term.args
    params = term.params if term.loss else {**case.params, **term.params}
    indices = loss.indices_among({name: tensor.shape for name, tensor in args.items()})
    if term.reduction is not None:
        reduction = term.reduction
    return Call(
        loss.name,
        {name: _parameter(loss, name, value, dtype) for name, value in params.items()},
        {name: _values(tensor, "int64" if name in indices else dtype) for name, tensor in args.items()},
        reduction if loss.reductions else None,
        dtype,
        device,
    )


def prepare_call(call: Call) -> PreparedCall:
    """The reference's view of a call.

    Raises:
        Refusal: where the reference does not take it.
    """
    params = {name: _numbers(value) for name, value in call.params.items()}
    if call.reduction is not None:
        params["reduction"] = call.reduction
    args = {name: values.numbers for name, values in call.args.items()}
    with warnings.catch_warnings():
        # Whether the reference warns is asked of the subject of that name, not of its view of a call.
        warnings.simplefilter("ignore", ReferenceWarning)
        return prepare(call.loss, params, args, dtypes_of(call))


def exactly(case: Case, reduction: str | None, dtype: str = "float64") -> PreparedCall:
    """A case's call on balls around its decimals as written; lift with ``lift_exactly``.

    Drawn numbers are those of the dtype's run.
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


def is_rounded(case: Case, reduction: str | None, dtype: str) -> bool:
    """Whether a run in the dtype takes other numbers than the case's as written."""
    taken = prepare_call(make_call(case, dtype, reduction))
    numbers = {**taken.arguments, **taken.parameters}

    def differs() -> bool:
        exact = exactly(case, reduction, dtype)
        return any(
            _differs(values, numbers[name])
            for name, values in {**exact.arguments, **exact.parameters}.items()
            if isinstance(values, NumberArray)
        )

    return certified(differs)


def _differs(exact: Array, numbers: npt.NDArray[Any]) -> bool:
    """Whether any of the numbers is another than the ball in its place proves to be meant."""
    if isinstance(exact, ComplexPair):
        return _differs(exact.real, numbers.real) or _differs(exact.imaginary, numbers.imag)
    pairs = zip(exact.elements.ravel().tolist(), numbers.ravel().tolist(), strict=True)
    return not all(
        ball.contains(number) if math.isfinite(number) else not ball.is_finite() for ball, number in pairs
    )


def lift_exactly(values: Any) -> Array:
    """Balls as they are, plain numbers without error."""
    return values if isinstance(values, NumberArray) else Ball.exact(values)


def _planned(case: Case, dtype: str, reduction: str | None, term: Term, device: str) -> PlannedCall:
    call = make_call(case, dtype, reduction, term, device)
    prepared = prepare_call(call)
    format = _budget_format(prepared)
    truth = _with_convention(truth_of(prepared, format), prepared)
    complete = dataclasses.replace(call, upstreams=truth.upstreams, wrt=prepared.differentiable)
    return PlannedCall(complete, prepared, _with_own_ranges(truth, prepared, format))


def _with_convention(truth: CallTruth, prepared: PreparedCall) -> CallTruth:
    """The truth of gradients where it matters whether they are the derivative, or by convention are not."""
    convention = prepared.loss.convention
    if convention is None:
        return truth
    pick = convention.picked()
    (other,) = set(convention.picks) - {pick}
    told = convention.means if other == DERIVATIVE else ""

    def marked(true: Truth, otherwise: Array) -> Truth:
        # Not ``compare``: it would bound the formula three times more to word what nobody reads here.
        if np.all(budget_shares(np.asarray(otherwise), true) <= 1):
            return true
        return dataclasses.replace(true, convention=told, picks={**true.picks, convention.name: pick})

    with picking({convention.name: other}):
        others = [prepared.gradient(upstream) for upstream in truth.upstreams]
    gradients = tuple(
        {name: marked(true, other[name]) for name, true in gradient.items()}
        for gradient, other in zip(truth.gradients, others, strict=True)
    )
    return dataclasses.replace(truth, gradients=gradients)


def _is_in_force(truth: CallTruth) -> bool:
    """Whether what a truth has picked is what would be picked now."""
    picked = [truth.value.picks, *(true.picks for gradient in truth.gradients for true in gradient.values())]
    return all(pick == CONVENTIONS[name].picked() for one in picked for name, pick in one.items())


def _budget_format(prepared: PreparedCall) -> Format:
    """The narrowest format among a call's tensors and its result.

    Promotion is by operation: what a formula does with a narrow tensor alone, such as its logarithm, is
    rounded to that before it meets a wider one. So an honest result may be as far off as if all were narrow.
    """
    dtypes = {part_dtype(dtype) for dtype in (prepared.dtype, *prepared.dtypes.values())}
    return min((FORMATS[dtype] for dtype in dtypes & set(FORMATS)), key=lambda format: format.precision)


def _with_own_ranges(truth: CallTruth, prepared: PreparedCall, format: Format) -> CallTruth:
    """The gradient by a tensor of less range than the budget's format is rounded once more, to its own.

    float16 has more digits than bfloat16, and less range.
    """

    def rounded(name: str, true: Truth) -> Truth:
        own = FORMATS[part_dtype(prepared.dtypes[name])]
        return true.rounded_to(own) if own.largest < format.largest else true

    gradients = tuple(
        {name: rounded(name, true) for name, true in gradient.items()} for gradient in truth.gradients
    )
    return dataclasses.replace(truth, gradients=gradients)


def _parameter(loss: Loss, name: str, value: Parameter, dtype: str) -> Any:
    if isinstance(value, Numeral):
        return int(value.text) if value.is_integer else float(value)
    if isinstance(value, Tensor):
        return _values(value, "int64" if name in loss.index_parameters else dtype)
    return value


def _values(tensor: Tensor, dtype: str) -> Values:
    dtype = tensor.dtype or dtype
    if dtype in INTEGER_DTYPES:
        return Values(whole_numbers(tensor).astype(dtype), dtype)
    if dtype in FORMATS:
        numbers = rounded(tensor, FORMATS[dtype])
        if numbers.dtype.kind == "c":
            dtype = FORMATS[dtype].complex_dtype or dtype
        return Values(numbers, dtype)
    return Values(rounded(tensor, FORMATS["float64"]).astype(dtype), dtype)


def _numbers(value: Any) -> Any:
    return value.numbers if isinstance(value, Values) else value
