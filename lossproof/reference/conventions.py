"""What a formula leaves open, and what is picked there.

Where a loss has a kink, its derivative is a set, the subdifferential, and each element of it is as right as
another (Clarke, 1983, "Optimization and Nonsmooth Analysis"). Where it has 0 log 0, the value is a matter of
definition. In some places torch's gradient is deliberately not the derivative. Which pick a
library makes is not mathematics but data, by library and release. A formula asks its convention for the
pick in force.

The sign of a zero is left open too; no verdict looks at it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from lossproof.numbers.base import Array
from lossproof.numbers.bounded import Bounded
from lossproof.numbers.complex_pair import ComplexPair
from lossproof.numbers.dual import Dual

# The word for the pick that is the derivative, where torch's gradient is meant to be another function.
DERIVATIVE = "derivative"


@dataclass(frozen=True)
class Convention:
    """A choice that is left open.

    Attributes:
        name: unique in the catalogue.
        means: what is left open, and where.
        picks: what may be picked, by the word for it: a number, or None for what the formula yields anyway.
        usual: the pick in force unless another is.
        ends: of a kink, the ends of the subdifferential there; None where nothing lies between the picks.
    """

    name: str
    means: str
    picks: Mapping[str, float | None]
    usual: str
    ends: tuple[float, float] | None = None

    def chosen(self, at: npt.NDArray[np.bool_], values: Array) -> Array:
        """The values, with the pick in force wherever ``at`` is true."""
        if not np.any(at):
            return values
        followed = _followed.get()
        followed.met.add(self.name)
        if followed.is_free and self.ends is not None:
            return np.where(at, _between(*self.ends, values), values)
        pick = self.picks[self.picked()]
        return values if pick is None else np.where(at, pick, values)

    def picked(self) -> str:
        """The word for the pick in force."""
        return _followed.get().picks.get(self.name, self.usual)


@dataclass(frozen=True)
class Picks:
    """The picks in force, and the conventions met.

    Attributes:
        picks: the pick of each convention that is not the usual one.
        is_free: whether any element of a subdifferential will do.
        met: the conventions that a number met exactly.
    """

    picks: Mapping[str, str] = field(default_factory=dict)
    is_free: bool = False
    met: set[str] = field(default_factory=set)


_USUAL = Picks()
_followed: ContextVar[Picks] = ContextVar("followed_picks", default=_USUAL)


def followed_picks() -> Picks:
    """The picks in force."""
    return _followed.get()


@contextmanager
def picking(picks: Mapping[str, str], is_free: bool = False) -> Iterator[Picks]:
    """Put picks in force for every formula that runs inside, on top of those in force outside.

    Args:
        picks: by the names of conventions, the words for picks.
        is_free: whether any element of a subdifferential will do; inside one that says so it always does.
    """
    outer = _followed.get()
    inner = Picks({**outer.picks, **picks}, is_free or outer.is_free)
    token = _followed.set(inner)
    try:
        yield inner
    finally:
        _followed.reset(token)
        outer.met.update(inner.met)


def hinge_convention(name: str, where: str, usual: str) -> Convention:
    """The convention of a hinge max(z, 0), whose slope at z = 0 may be anything from 0 to 1."""
    means = f"the slope of the hinge of {where}"
    return Convention(name, means, {"0": 0.0, "1": 1.0}, usual, ends=(0.0, 1.0))


def magnitude_convention(name: str, where: str) -> Convention:
    """The convention of a magnitude |z|, whose slope at z = 0 may be anything from -1 to 1."""
    means = f"the slope of the magnitude of {where}"
    return Convention(name, means, {"-1": -1.0, "0": 0.0, "1": 1.0}, "0", ends=(-1.0, 1.0))


def zero_convention(name: str, means: str, usual: str) -> Convention:
    """The convention of a product 0 log 0, which is 0 in the limit and nan in arithmetic."""
    return Convention(name, means, {"0": 0.0, "nan": math.nan}, usual)


def gradient_convention(name: str, means: str, usual: str) -> Convention:
    """The convention of a gradient that is deliberately not the derivative."""
    return Convention(name, means, {usual: None, DERIVATIVE: None}, usual)


def unit_step(excess: Array, convention: Convention) -> Array:
    """The slope of max(x, 0): 0 below zero, 1 above, and the pick at zero."""
    return convention.chosen(is_exactly_zero(excess), np.heaviside(excess, _number(convention)))


def sign(values: Array, convention: Convention) -> Array:
    """The slope of |x|: -1 below zero, 1 above, and the pick at zero; x / |x| of complex numbers."""
    if isinstance(values, ComplexPair):
        return np.sign(values)
    return convention.chosen(is_exactly_zero(values), np.sign(values))


def _number(convention: Convention) -> float:
    """The number that is picked, even where only rounding makes a value 0."""
    pick = convention.picks[convention.picked()]
    return 0.0 if pick is None else pick


def is_exactly_zero(values: Array) -> npt.NDArray[np.bool_]:
    """Where numbers are certainly 0: nothing else is within their error."""
    values = values.real if isinstance(values, Dual) else values
    return np.asarray(values.is_exactly(0.0) if isinstance(values, Bounded) else values == 0)


def _between(least: float, greatest: float, like: Array) -> Array:
    """An interval: of numbers that carry a budget, its middle with one that reaches both ends.

    It reaches a little beyond, as that of ``Bounded.unit_step`` does.
    """
    middle = (least + greatest) / 2
    around = like.real if isinstance(like, Dual) else like
    if not isinstance(around, Bounded):
        return middle
    reach = (greatest - least) / 4 + 4 * around.format.unit_roundoff
    interval = Bounded(np.asarray(middle), np.asarray(reach), around.format)
    return like.lift(interval) if isinstance(like, Dual) else interval
