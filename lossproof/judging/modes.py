"""Judging the modes of a call: transformed, abstract, or under other settings, a loss is the same loss.

A mode is examined once a case: in one dtype, one layout and one reduction. That is the mean where there is
one: it goes through the scale as well as the sum, and its output is a single number.

What each mode is held against, B being the budget of the plain call, and 2B its tolerance:

- ``jvp``: the sum of gradient * direction over all tensors, weighted by the upstream gradient. That holds
  for outputs of any shape, takes kinks and conventions as the gradient does, and needs no other formula;
- ``func.grad``, ``vmap``, ``subclass``, ``threads``, ``channels_last``: the plain call, both within their
  tolerance; ``twice``: the plain call, bit for bit;
- ``double_backward``, ``forward_over_reverse``: dual numbers on the closed-form gradient, graded: see
  ``grading``. ``double_backward:upstream``, the gradient by the upstream gradient, is the same as ``jvp``;
- ``meta``, ``fake``: shapes and dtype of the plain call, and nothing computed;
- ``autocast``: the truth, within the budget of the narrowest dtype that any operation returned.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial

import numpy as np

from lossproof.judging.assertions import (
    WEIGHTED,
    dtype_check,
    element,
    number_check,
    quantity_check,
    shape_check,
    within,
)
from lossproof.judging.calls import PlannedCall
from lossproof.judging.derivatives import (
    Directions,
    beside,
    derivative_along,
    directions_of,
    second_derivatives,
)
from lossproof.judging.grading import grade, graded_check
from lossproof.judging.record import Record
from lossproof.judging.recorder import Recorder, digits
from lossproof.judging.truth import Truth, truths
from lossproof.judging.verdict import Verdict, compare
from lossproof.numbers.formats import FORMATS, Float64Array
from lossproof.subjects.call import Call, Observation, Refused, Unsupported
from lossproof.subjects.mode_snippets import reproduce_mode
from lossproof.subjects.modes import ModalSubject, ModeObservation
from lossproof.subjects.snippet import describe


@dataclass(frozen=True, eq=False)
class Seen:
    """A call in a mode: what is known of the plain call, and what came out.

    Attributes:
        planned: the call and its truth.
        plain: the plain call's observation.
        mode: the mode's observation.
        directions: along which it differentiated.
    """

    planned: PlannedCall
    plain: Observation
    mode: ModeObservation
    directions: Directions


@dataclass(frozen=True, eq=False)
class Judged:
    """The verdict on one quantity, and both sides of it.

    Attributes:
        part: what of the mode's outcome is judged: ``value``, or the argument by whose gradient.
        check: makes the lines of a program that fail while the verdict stands.
    """

    quantity: str
    verdict: Verdict
    expected: Float64Array
    observed: Float64Array
    part: str
    check: Callable[[], Sequence[str]]


def reduction_for_modes(reductions: tuple[str | None, ...]) -> str | None:
    """The one reduction in which modes are examined."""
    return "mean" if "mean" in reductions else reductions[0]


def examine_modes(
    recorder: Recorder, subject: ModalSubject, call: Call, planned: PlannedCall, plain: Observation
) -> Iterator[Record]:
    """The records of all modes of a call.

    There are none where the call itself goes wrong: that is on record, and its modes could only repeat it.
    """
    if not _is_right(planned, plain):
        return
    directions = directions_of(planned.prepared, FORMATS[call.dtype])
    for mode in subject.modes(call):
        detail = partial(_detail, recorder.subject_name, call, directions)
        try:
            seen = Seen(planned, plain, subject.run_mode(mode, call, directions), directions)
            for judged in _JUDGES[mode](mode, seen):
                yield recorder.judged(
                    judged.quantity,
                    judged.verdict,
                    call.reduction,
                    detail=partial(detail, judged.quantity, judged),
                )
        except Unsupported as reason:
            yield recorder.record(mode, "unsupported", call.reduction, message=str(reason))
        except Refused as refused:
            message = f"raised {refused.type}: {refused}"
            yield recorder.record(mode, "error", call.reduction, message=message, detail=detail(mode))


def _is_right(planned: PlannedCall, plain: Observation) -> bool:
    pairs = [(plain.value, planned.truth.value)]
    for observed, true in zip(plain.gradients, planned.truth.gradients, strict=False):
        pairs += [(observed[name], truth) for name, truth in true.items()]
    return all(compare(observed, truth).agrees for observed, truth in pairs)


def _is_finite(planned: PlannedCall) -> bool:
    """Whether inputs, value and gradients are: elsewhere a derivative along a direction has no meaning."""
    prepared, truth = planned.prepared, planned.truth
    numbers = [truth.value.value, *(gradient.value for gradient in truth.gradients[1].values())]
    numbers += prepared.arguments.values()
    return all(bool(np.all(np.isfinite(array))) for array in numbers)


def _has_true_gradient(planned: PlannedCall) -> bool:
    """Whether the gradient is the derivative of the value, and not another function by convention."""
    prepared, upstream = planned.prepared, planned.truth.upstreams[1]
    if prepared.loss.derivative is None:
        return True
    derivatives = prepared.derivative(upstream)
    return all(compare(derivatives[name], truth).agrees for name, truth in planned.truth.gradients[1].items())


def _jvp(mode: str, seen: Seen) -> Iterator[Judged]:
    """Where the gradient is by convention not the derivative, forward mode may yield either."""
    planned = seen.planned
    if not _is_finite(planned):
        return
    judged, truth = _along(mode, seen.mode.value, seen, planned.truth.gradients[1])
    if not judged.verdict.agrees:
        derivative = partial(planned.prepared.derivative, planned.truth.upstreams[1])
        true = truths(derivative, FORMATS[planned.call.dtype])
        other, derivative_truth = _along(mode, seen.mode.value, seen, true)
        if other.verdict.agrees:
            message = "the derivative of the value, which the gradient by convention is not"
            judged = replace(other, verdict=replace(other.verdict, message=message))
        elif judged.observed.shape == truth.value.shape:
            check = partial(_weighted_check, judged.observed, (truth, derivative_truth))
            judged = replace(judged, check=check)
    yield replace(judged, verdict=_with_convention(judged.verdict, seen))


def _along(
    quantity: str, observed: Float64Array, seen: Seen, gradients: Mapping[str, Truth]
) -> tuple[Judged, Truth]:
    """The derivative of the output along the directions, weighted by the upstream gradient."""
    truth = derivative_along(gradients, seen.directions)
    if observed.shape != seen.plain.value.shape:
        message = f"shape {observed.shape}, should be {seen.plain.value.shape}"
        verdict, check = Verdict(False, None, message), partial(shape_check, seen.plain.value.shape)
        return Judged(quantity, verdict, seen.plain.value, observed, "value", check), truth
    weighted = np.asarray(np.sum(observed * seen.planned.truth.upstreams[1]))
    check = partial(_weighted_check, weighted, (truth,))
    return Judged(quantity, compare(weighted, truth), truth.value, weighted, "value", check), truth


def _weighted_check(observed: Float64Array, true: Sequence[Truth]) -> list[str]:
    """Fails for a weighted sum that is within the budget of no one of some true values."""
    return number_check(WEIGHTED, [within(float(observed), truth, ()) for truth in true])


def _second(mode: str, seen: Seen) -> Iterator[Judged]:
    planned, upstream = seen.planned, seen.planned.truth.upstreams[1]
    if not _is_finite(planned) or not _has_true_gradient(planned):
        return
    # Forward mode moves the first source alone.
    directions = {name: seen.directions[name] for name in seen.directions if name in seen.mode.gradients[0]}
    true = second_derivatives(planned.prepared, upstream, directions, FORMATS[planned.call.dtype])
    sides = cache(partial(beside, planned.prepared, upstream, directions))
    for name in directions:
        observed, truth = seen.mode.gradients[0][name], true[name]
        its_sides = partial(_of_one, sides, name)
        verdict = grade(observed, truth, _floor(seen), its_sides)
        check = partial(graded_check, observed, truth, _floor(seen), its_sides)
        yield Judged(f"{mode}:{name}", verdict, truth.value, observed, name, check)


def _of_one(
    sides: Callable[[], Mapping[str, tuple[Float64Array, Float64Array]]], name: str
) -> tuple[Float64Array, Float64Array]:
    return sides()[name]


def _floor(seen: Seen) -> float:
    bounds = [float(np.max(truth.bound, initial=0.0)) for truth in seen.planned.truth.gradients[1].values()]
    return 2 * max(bounds) * max(float(np.max(np.abs(d), initial=0.0)) for d in seen.directions.values())


def _double_backward(mode: str, seen: Seen) -> Iterator[Judged]:
    yield from _second(mode, seen)
    if _is_finite(seen.planned):
        observed, gradients = seen.mode.gradients[0]["upstream"], seen.planned.truth.gradients[1]
        judged, truth = _along(f"{mode}:upstream", observed, seen, gradients)
        if judged.verdict.error_over_budget is not None:
            arguments = judged.observed, truth, 0.0, lambda: (truth.value, truth.value)
            check = partial(graded_check, *arguments, WEIGHTED)
            judged = replace(judged, verdict=_with_convention(grade(*arguments), seen), check=check)
        yield judged


def _func_grad(mode: str, seen: Seen) -> Iterator[Judged]:
    for name, observed in seen.mode.gradients[0].items():
        yield _alike(f"{mode}:{name}", observed, *_plain_gradient(seen, name), part=name)


def _vmap(mode: str, seen: Seen) -> Iterator[Judged]:
    """Both ends of the batch are the plain call."""
    truth = seen.planned.truth.value
    rows = [
        _alike(mode, observed, seen.plain.value, truth, name=f"result[{row}]")
        for row, observed in enumerate(seen.mode.value)
    ]
    yield _gravest([_typed(mode, seen), *rows])


def _as_plain(mode: str, seen: Seen, budgets: float = 2.0) -> Iterator[Judged]:
    value = _alike(mode, seen.mode.value, seen.plain.value, seen.planned.truth.value, budgets)
    gradients = [
        _alike(mode, observed, *_plain_gradient(seen, name), budgets, part=name)
        for name, observed in seen.mode.gradients[0].items()
    ]
    yield _gravest([_typed(mode, seen), value, *gradients])


def _bit_for_bit(mode: str, seen: Seen) -> Iterator[Judged]:
    for judged in _as_plain(mode, seen, budgets=0.0):
        check = judged.check
        if judged.verdict.error_over_budget is not None:
            # Another machine's plain call may round otherwise: the program holds one call against the other.
            check = partial(_unlike_first, judged.observed, judged.expected)
        yield replace(judged, check=check)


def _unlike_first(observed: Float64Array, plain: Float64Array) -> list[str]:
    is_same = (observed == plain) | (np.isnan(observed) & np.isnan(plain))
    place = tuple(int(index) for index in np.unravel_index(int(np.argmin(is_same)), observed.shape))
    return [
        f"got, wanted = {element('result', place)}, {element('first', place)}",
        "assert got == wanted or (got != got and wanted != wanted), (got, wanted)",
    ]


def _abstract(mode: str, seen: Seen) -> Iterator[Judged]:
    gradients = [
        _shaped(mode, observed, seen.plain.gradients[1][name], name)
        for name, observed in seen.mode.gradients[0].items()
    ]
    yield _gravest([_typed(mode, seen), _shaped(mode, seen.mode.value, seen.plain.value), *gradients])


def _autocast(mode: str, seen: Seen) -> Iterator[Judged]:
    planned, computed_in = seen.planned, seen.mode.computed_in
    truth = truths(lambda lift: {mode: planned.prepared.value(lift)}, FORMATS[computed_in])[mode]
    verdict = compare(seen.mode.value, truth)
    check = partial(quantity_check, seen.mode.value, truth, "float32")
    if seen.mode.dtype not in ("float32", computed_in):
        verdict = Verdict(False, None, f"is {seen.mode.dtype}, should be float32")
        check = partial(dtype_check, "float32", computed_in)
    elif verdict.agrees:
        verdict = replace(verdict, message=f"computed in {computed_in}")
    yield Judged(mode, verdict, truth.value, seen.mode.value, "value", check)


_JUDGES: Mapping[str, Callable[[str, Seen], Iterator[Judged]]] = {
    "jvp": _jvp,
    "double_backward": _double_backward,
    "forward_over_reverse": _second,
    "func.grad": _func_grad,
    "vmap": _vmap,
    "meta": _abstract,
    "fake": _abstract,
    "subclass": _as_plain,
    "twice": _bit_for_bit,
    "threads": _as_plain,
    "channels_last": _as_plain,
    "autocast": _autocast,
}


def _alike(
    quantity: str,
    observed: Float64Array,
    plain: Float64Array,
    truth: Truth,
    budgets: float = 2.0,
    *,
    part: str = "value",
    name: str = "result",
) -> Judged:
    """Against the plain call, as if that were the truth; each of the two may use up its tolerance."""
    as_truth = replace(truth, value=plain, remainder=np.zeros(plain.shape), bound=budgets * truth.bound)
    check = partial(quantity_check, observed, as_truth, truth.format.name, name)
    return Judged(quantity, compare(observed, as_truth), plain, observed, part, check)


def _plain_gradient(seen: Seen, name: str) -> tuple[Float64Array, Truth]:
    return seen.plain.gradients[1][name], seen.planned.truth.gradients[1][name]


def _typed(mode: str, seen: Seen) -> Judged:
    agrees = seen.mode.dtype == seen.plain.dtype
    message = "" if agrees else f"is {seen.mode.dtype}, should be {seen.plain.dtype}"

    def check() -> list[str]:
        subclass = ["assert isinstance(result, Subclass), type(result)"] if mode == "subclass" else []
        return [*subclass, *dtype_check(seen.plain.dtype)]

    return Judged(mode, Verdict(agrees, None, message), seen.plain.value, seen.mode.value, "value", check)


def _shaped(mode: str, observed: Float64Array, plain: Float64Array, part: str = "value") -> Judged:
    message = ""
    if observed.shape != plain.shape:
        message = f"shape {observed.shape}, should be {plain.shape}"
    elif not np.all(np.isnan(observed)):
        message = "has numbers, though its tensors have none"

    def check() -> list[str]:
        has_none = "result.is_meta" if mode == "meta" else "isinstance(result, FakeTensor)"
        return [*shape_check(plain.shape), f"assert {has_none}, result"]

    return Judged(mode, Verdict(not message, None, message), plain, observed, part, check)


def _gravest(judged: list[Judged]) -> Judged:
    return max(judged, key=lambda one: (not one.verdict.agrees, one.verdict.error_over_budget or 0.0))


def _with_convention(verdict: Verdict, seen: Seen) -> Verdict:
    convention = seen.planned.prepared.loss.convention
    if verdict.agrees or not convention:
        return verdict
    return replace(verdict, message=f"{verdict.message}; torch's gradient is a convention: {convention}")


def _detail(
    subject: str, call: Call, directions: Directions, quantity: str, judged: Judged | None = None
) -> dict[str, str]:
    part, check = ("", ()) if judged is None else (judged.part, judged.check())
    shown = describe(call) | {"snippet": reproduce_mode(subject, call, quantity, directions, part, check)}
    if judged is None:
        return shown
    return shown | {"expected": digits(judged.expected), "observed": digits(judged.observed)}
