"""The true values of a call, and the bounds on the error of an honest computation in the dtype."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache, partial
from typing import Any

import numpy as np
import numpy.typing as npt

from lossproof.corpus.generator import draw_uniform
from lossproof.numbers.ball import Ball, certified, precision
from lossproof.numbers.base import Array
from lossproof.numbers.bounded import Bounded
from lossproof.numbers.formats import FORMATS, Float64Array, Format
from lossproof.numbers.overflow import BoolArray, Marks, marks_of
from lossproof.numbers.rules import Rules, following
from lossproof.numbers.sharing import once, sharing
from lossproof.reference.catalogue import CONVENTIONS
from lossproof.reference.conventions import followed_picks, picking
from lossproof.reference.evaluation import PreparedCall
from lossproof.reference.limits import NO_LIMITS, Limits

Compute = Callable[[Callable[[npt.ArrayLike], Array]], Mapping[str, Array]]

# So few are judged in Python's own numbers: most results are small, and each operation of NumPy on them costs
# as much as ten elements.
FEW = 48
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
        limits: the least and the most that the formula can yield, however it is rounded.
        verdicts: what ``verdict.compare`` has found about results, which subjects and layouts often share.
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
    limits: Limits = NO_LIMITS
    verdicts: dict[object, Any] = field(default_factory=dict, init=False)

    @cached_property
    def budget(self) -> Float64Array:
        """2B of each element."""
        return 2 * self.bound

    @cached_property
    def elements(self) -> list[tuple[float, float, float]]:
        """The value, the remainder and the budget of each element, as Python's own numbers."""
        arrays = (self.value, self.remainder, self.budget)
        return list(zip(*(array.ravel().tolist() for array in arrays), strict=True))

    @cached_property
    def passes_by_number(self) -> bool:
        """Whether the number alone decides if an element passes: all that may pass are in the range."""
        is_free = self.strict_bound is not None or bool(self.convention)
        if is_free or self.overflows.any():
            return False
        # Not so if a true value is nan or a budget infinite.
        largest = self.format.largest
        if self.value.size <= FEW:
            return all(abs(true) + budget <= largest for true, _, budget in self.elements)
        return bool(np.max(np.abs(self.value) + self.budget) <= largest)

    def within_limits(self, call: PreparedCall) -> Truth:
        """The truth of a call's value, with the limits of its formula."""
        return replace(self, limits=call.loss.limits({**call.arguments, **call.parameters}))

    def breaks_a_limit(self, observed: Float64Array) -> BoolArray:
        """Where a finite number is beyond the limits, and the true value is not."""
        least, most = self.limits
        is_outside = np.isfinite(observed) & ((observed < least) | (observed > most))
        return np.asarray(is_outside & (least <= self.value) & (self.value <= most))

    def without_freedom(self) -> Truth:
        """The truth without the freedom at kinks and ties."""
        return self if self.strict_bound is None else replace(self, bound=self.strict_bound)

    def rounded_to(self, format: Format) -> Truth:
        """The truth of the same numbers, rounded once more, to ``format``; the run's is then the coarser."""
        magnitude = np.where(np.isfinite(self.value), np.abs(self.value), 0.0)
        rounding = np.maximum(
            format.unit_roundoff * magnitude, np.where(self.bound > 0, format.underflow, 0.0)
        )
        overflows = self.overflows | np.where(
            magnitude > format.largest, marks_of(format.overflow(self.value)), 0
        )
        strict = None if self.strict_bound is None else self.strict_bound + rounding
        coarser = min(self.format, format, key=lambda format: format.precision)
        bound = self.bound + rounding
        return replace(self, bound=bound, overflows=overflows, format=coarser, strict_bound=strict)


@dataclass(frozen=True, eq=False)
class CallTruth:
    """The truth of the value, and of the gradients for each upstream gradient."""

    value: Truth
    upstreams: tuple[Float64Array, ...]
    gradients: tuple[Mapping[str, Truth], ...]


def truth_of(call: PreparedCall, format: Format, upstreams: tuple[Float64Array, ...] = ()) -> CallTruth:
    """Run the reference on error-carrying numbers, and on balls where float64 itself is judged.

    Without upstream gradients of its case, a call has those of ``upstream_gradients``.
    """
    value = value_formula(call, format).truths()["value"]
    if not call.differentiable:
        return CallTruth(value, (), ())
    upstreams = upstreams or upstream_gradients(value.value.shape, format)
    gradients = tuple(formula.truths() for formula in gradient_formulas(call, upstreams, format))
    return CallTruth(value, upstreams, gradients)


def value_formula(call: PreparedCall, format: Format) -> Formula:
    """The formula of a call's value, under the name ``value``."""
    return Formula(lambda lift: {"value": call.value(lift)}, format, call.arguments)


def gradient_formulas(call: PreparedCall, upstreams: Iterable[Float64Array], format: Format) -> list[Formula]:
    """The formulas of a call's gradients, for each upstream gradient."""
    return [Formula(partial(call.gradient, upstream), format, call.arguments) for upstream in upstreams]


def upstream_gradients(shape: tuple[int, ...], format: Format) -> tuple[Float64Array, Float64Array]:
    """Ones, and seeded numbers: with ones alone, a dropped upstream gradient would go unnoticed.

    They can only be read.
    """
    ones = np.ones(shape)
    ones.setflags(write=False)
    return ones, seeded_numbers(shape, _UPSTREAM_SEED, format)


@lru_cache(maxsize=128)
def seeded_numbers(shape: tuple[int, ...], seed: int, format: Format) -> Float64Array:
    """Numbers from -2 to 2, drawn once for all calls, so that they can only be read."""
    numbers = draw_uniform(-2.0, 2.0, shape, seed, format)
    numbers.setflags(write=False)
    return numbers


class Formula:
    """Results by name that can be computed on any numbers, and their truth in one format.

    The picks that were in force when it was made hold for it, whenever it is evaluated.
    """

    def __init__(self, compute: Compute, format: Format, owner: object = None) -> None:
        """``compute`` yields the results on the numbers that its argument makes of plain ones.

        With other formulas of the same owner, it shares what they have in common; without one, with none.
        """
        self._compute = compute
        self._format = format
        self._owner = self if owner is None else owner
        self._in_force = followed_picks()
        self._conventions: set[str] = set()
        # By the rules' identity: all wrong results of one call use the same few objects.
        self._bounded: dict[Rules, Mapping[str, Bounded]] = {}
        self._others: dict[tuple[object, bool], Mapping[str, Truth]] = {}

    def bounded_by(self, rules: Rules) -> Mapping[str, Bounded]:
        """The results on error-carrying numbers under some rules."""
        if rules not in self._bounded:
            with following(rules), picking(self._in_force.picks, self._in_force.is_free) as followed:
                self._bounded[rules] = self._bound(rules)
            self._conventions.update(followed.met)
        return self._bounded[rules]

    def _bound(self, rules: Rules) -> Mapping[str, Bounded]:
        exact = partial(Bounded.exact, format=self._format)
        if rules.note_overflow is not None:  # of each operation
            return self._compute(exact)
        with sharing(self._owner, (self._format.name, rules.flags)):
            return self._compute(
                lambda numbers: once(Bounded, numbers, partial(exact, numbers), is_start=True)
            )

    def _enclose(self) -> Mapping[str, Ball]:
        with sharing(self._owner, precision()):
            return self._compute(lambda numbers: once(Ball, numbers, partial(Ball.exact, numbers)))

    def under_picks(self, picks: Mapping[str, str], is_free: bool) -> Mapping[str, Truth]:
        """The truth under other picks, or with any element of a subdifferential."""
        key = tuple(sorted(picks.items())), is_free
        if key not in self._others:
            with picking({**self._in_force.picks, **picks}, is_free):
                self._others[key] = Formula(self._compute, self._format, self._owner).truths()
        return self._others[key]

    def truths(self) -> Mapping[str, Truth]:
        """The truth of each result; from balls where float64 itself is judged."""
        with picking(self._in_force.picks, self._in_force.is_free):
            return self._truths()

    def _truths(self) -> Mapping[str, Truth]:
        rules = Rules()
        bounded = self.bounded_by(rules)
        picks = {name: CONVENTIONS[name].picked() for name in sorted(self._conventions)}
        strict = self.bounded_by(Rules(kinks_are_free=False)) if rules.freedoms else {}
        freedom = min(rules.freedoms, default="")

        def truth(name: str, value: Float64Array, remainder: Float64Array) -> Truth:
            result = bounded[name]
            return Truth(
                value,
                remainder,
                result.bound,
                result.overflows,
                self._format,
                strict[name].bound if strict else None,
                freedom,
                picks=picks,
                bounded_by=lambda rules: self.bounded_by(rules)[name],
                under_picks=lambda picks, is_free: self.under_picks(picks, is_free)[name],
            )

        if self._format is not FORMATS["float64"]:
            return {
                name: truth(name, result.value, np.zeros(result.shape)) for name, result in bounded.items()
            }

        def is_sharp(balls: Mapping[str, Ball]) -> bool:
            return all(
                bool(np.all(ball.radii() <= _NEGLIGIBLE * bounded[name].bound))
                for name, ball in balls.items()
            )

        balls = certified(self._enclose, accept=is_sharp)
        return {name: truth(name, *ball.midpoints()) for name, ball in balls.items()}
