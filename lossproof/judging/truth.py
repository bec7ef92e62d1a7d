"""The true values of a call, and the bounds on the error of an honest computation in the dtype."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache, cached_property, partial

import numpy as np
import numpy.typing as npt

from lossproof.corpus.generator import draw_uniform
from lossproof.numbers.ball import Ball, certified
from lossproof.numbers.base import Array
from lossproof.numbers.bounded import Bounded
from lossproof.numbers.formats import FORMATS, Float64Array, Format
from lossproof.numbers.overflow import Marks, marks_of
from lossproof.numbers.rules import Rules, following
from lossproof.reference.catalogue import CONVENTIONS
from lossproof.reference.conventions import followed_picks, picking
from lossproof.reference.evaluation import PreparedCall

_UPSTREAM_SEED = 0x10559200F
# A proven radius this much smaller than the bound cannot change a verdict.
_NEGLIGIBLE = 2.0**-20


@dataclass(frozen=True, eq=False)
class Truth:
    """The true value of an array of numbers, as an unevaluated sum, and its bound in one format.

    Attributes:
        value: the nearest float64 numbers.
        remainder: the rest of the true value; zero where float64 is wide enough.
        bound: B of each element; a subject agrees within its budget 2B.
        overflows: what each element may become if an intermediate result leaves the format's range; see
            ``numbers.overflow``.
        format: the format of the run.
        strict_bound: B without the freedom at kinks and ties; None if there is no such freedom.
        freedom: the kind of freedom, ``kink`` or ``tie``.
        convention: what the convention is, if it makes a gradient differ from the derivative.
        picks: the picks in force for what the formula leaves open here, by the names of conventions.
        bounded_by: bounds the same numbers under other rules.
        under_picks: the same truth under other picks, or with any element of a subdifferential.
    """

    value: Float64Array
    remainder: Float64Array
    bound: Float64Array
    overflows: Marks
    format: Format
    strict_bound: Float64Array | None = None
    freedom: str = ""
    convention: str = ""
    picks: Mapping[str, str] = field(default_factory=dict)
    bounded_by: Callable[[Rules], Bounded] | None = None
    under_picks: Callable[[Mapping[str, str], bool], Truth] | None = None

    @cached_property
    def passes_by_number(self) -> bool:
        """Whether the number alone decides if an element passes."""
        is_free = self.strict_bound is not None or bool(self.convention or np.any(np.isinf(self.bound)))
        reaches_infinity = bool(np.any(np.abs(self.value) + 2 * self.bound > self.format.largest))
        return not (is_free or reaches_infinity or np.any(self.overflows))

    def without_freedom(self) -> Truth:
        """The truth without the freedom at kinks and ties."""
        return self if self.strict_bound is None else replace(self, bound=self.strict_bound)

    def rounded_to(self, format: Format) -> Truth:
        """The truth of the same numbers, rounded once more, to ``format``."""
        magnitude = np.where(np.isfinite(self.value), np.abs(self.value), 0.0)
        rounding = np.maximum(
            format.unit_roundoff * magnitude, np.where(self.bound > 0, format.underflow, 0.0)
        )
        is_beyond = np.isfinite(self.value) & (magnitude > format.largest)
        overflows = self.overflows | marks_of(np.where(is_beyond, format.overflow(self.value), 0.0))
        strict = None if self.strict_bound is None else self.strict_bound + rounding
        return replace(self, bound=self.bound + rounding, overflows=overflows, strict_bound=strict)


@dataclass(frozen=True, eq=False)
class CallTruth:
    """The truth of the value, and of the gradients for each upstream gradient."""

    value: Truth
    upstreams: tuple[Float64Array, ...]
    gradients: tuple[Mapping[str, Truth], ...]


def truth_of(call: PreparedCall, format: Format) -> CallTruth:
    """Run the reference on error-carrying numbers, and on balls where float64 itself is judged."""
    value = _truth(call.value, format)
    upstreams = upstream_gradients(value.value.shape, format)
    if not call.differentiable:
        return CallTruth(value, (), ())
    gradients = tuple(truths(partial(call.gradient, upstream), format) for upstream in upstreams)
    return CallTruth(value, upstreams, gradients)


def upstream_gradients(shape: tuple[int, ...], format: Format) -> tuple[Float64Array, Float64Array]:
    """Ones, and seeded numbers: with ones alone, a dropped upstream gradient would go unnoticed."""
    return np.ones(shape), draw_uniform(-2.0, 2.0, shape, _UPSTREAM_SEED, format)


def _truth(compute: Callable[[Callable[[npt.ArrayLike], Array]], Array], format: Format) -> Truth:
    return truths(lambda lift: {"value": compute(lift)}, format)["value"]


def truths(
    compute: Callable[[Callable[[npt.ArrayLike], Array]], Mapping[str, Array]], format: Format
) -> Mapping[str, Truth]:
    """The truth of all results of ``compute``, which turns numbers into other number types by its argument.

    The picks that are in force now hold for these truths, whenever they are evaluated.
    """
    in_force = followed_picks()
    conventions: set[str] = set()

    # Cached by the rules' identity: all wrong results of one call use the same few objects.
    @cache
    def bounded_by(rules: Rules) -> Mapping[str, Bounded]:
        with following(rules), picking(in_force.picks, in_force.is_free) as followed:
            results = compute(partial(Bounded.exact, format=format))
        conventions.update(followed.met)
        return results

    @cache
    def under_picks(picks: tuple[tuple[str, str], ...], is_free: bool) -> Mapping[str, Truth]:
        with picking({**in_force.picks, **dict(picks)}, is_free):
            return truths(compute, format)

    rules = Rules()
    bounded = bounded_by(rules)
    picks = {name: CONVENTIONS[name].picked() for name in sorted(conventions)}
    strict = bounded_by(Rules(kinks_are_free=False)) if rules.freedoms else {}
    freedom = min(rules.freedoms, default="")

    def truth(name: str, value: Float64Array, remainder: Float64Array) -> Truth:
        result = bounded[name]
        return Truth(
            value,
            remainder,
            result.bound,
            result.overflows,
            format,
            strict[name].bound if strict else None,
            freedom,
            picks=picks,
            bounded_by=lambda rules: bounded_by(rules)[name],
            under_picks=lambda picks, is_free: under_picks(tuple(sorted(picks.items())), is_free)[name],
        )

    if format is not FORMATS["float64"]:
        return {name: truth(name, result.value, np.zeros(result.shape)) for name, result in bounded.items()}

    def is_sharp(balls: Mapping[str, Ball]) -> bool:
        return all(
            bool(np.all(ball.radii() <= _NEGLIGIBLE * bounded[name].bound)) for name, ball in balls.items()
        )

    balls: Mapping[str, Ball] = certified(lambda: compute(Ball.exact), accept=is_sharp)
    return {name: truth(name, *ball.midpoints()) for name, ball in balls.items()}
