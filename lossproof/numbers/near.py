"""Numbers near a rational: an exact fraction, and a ball around what it lacks.

A ball of 192 bits cannot tell 1 + exp(-1000) from 1. Here the 1 stays exact, and next to it stands a ball
that holds exp(-1000) and not 0: the logarithm of their sum has all its digits. What is rational is not
rounded at all, so that 0.1 + 0.2 - 0.3 is or is not 0. Infinities and nan follow IEEE 754, as in balls.
"""

from __future__ import annotations

from functools import lru_cache, reduce

import flint

from lossproof.numbers import ball
from lossproof.numbers.ball import Undecided

_NOTHING = flint.fmpq(0)
_NO_REST = flint.arb(0)
_HALF = flint.fmpq(1, 2)
# A larger power of a fraction would fill the memory with digits that nobody reads.
_LARGEST_POWER = 64
# What is within this of 0 at every precision is taken for 0, the smallest float64 being 2^-1074.
_INDISTINGUISHABLE = flint.arb(2) ** -1400


class Near:
    """The sum of ``rational``, a ``flint.fmpq``, and ``rest``, a ``flint.arb`` that holds what it lacks."""

    __slots__ = ("rational", "rest")

    def __init__(self, rational: flint.fmpq, rest: flint.arb = _NO_REST) -> None:
        self.rational = rational
        self.rest = rest

    @property
    def is_exact(self) -> bool:
        """Whether it is the rational number itself."""
        return bool(self.rest.is_zero())

    @property
    def is_finite(self) -> bool:
        """Whether it is neither nan nor infinite."""
        return bool(self.rest.is_finite())

    def ball(self) -> flint.arb:
        """A ball around the number."""
        return self.rest if self.rational == 0 else self.rest + self.rational

    def __add__(self, other: Near) -> Near:
        return Near(self.rational + other.rational, self.rest + other.rest)

    def __sub__(self, other: Near) -> Near:
        return Near(self.rational - other.rational, self.rest - other.rest)

    def __neg__(self) -> Near:
        return Near(-self.rational, -self.rest)

    def __mul__(self, other: Near) -> Near:
        if self.is_exact and other.is_exact:
            return Near(self.rational * other.rational)
        if not (self.is_finite and other.is_finite):
            return _of_ball(self.ball() * other.ball())
        rest = self.rational * other.rest + other.rational * self.rest + self.rest * other.rest
        return Near(self.rational * other.rational, rest)

    def __truediv__(self, other: Near) -> Near:
        if other.rational == 0 or not (self.is_finite and other.is_finite):
            return _of_ball(ball.quotient(self.ball(), other.ball()))
        rational = self.rational / other.rational
        if self.is_exact and other.is_exact:
            return Near(rational)
        return Near(rational, ball.quotient(self.rest - rational * other.rest, other.ball()))

    def __abs__(self) -> Near:
        if self.is_exact:
            return Near(abs(self.rational))
        around = self.ball()
        return self if around > 0 else -self if around < 0 else _of_ball(abs(around))

    def exp(self) -> Near:
        return _ONE if self.is_exact and self.rational == 0 else _of_ball(self.ball().exp())

    def log(self) -> Near:
        around = self.ball()
        if around < 0:
            return _NAN
        # Next to 1 all depends on how far it is from there.
        if abs(around - 1) < _HALF:
            return _of_ball(ball.logarithm_of_one_plus((self - _ONE).ball()))
        return _of_ball(ball.logarithm(around))

    def log_of_one_plus(self) -> Near:
        return (_ONE + self).log()

    def sqrt(self) -> Near:
        """The square root, exact of a rational number's square."""
        if self.is_exact and (root := _root(self.rational, 2)) is not None:
            return Near(root)
        around = self.ball()
        return _NAN if around < 0 else _of_ball(ball.square_root(around))

    def power(self, exponent: Near) -> Near:
        """A power, exact where it is a rational number's and rational, and neither has large terms."""
        p, q = exponent.rational.p, exponent.rational.q
        if exponent.is_exact and max(abs(p), q) <= _LARGEST_POWER and (self.rational != 0 or p >= 0):
            if p == q:
                return self
            root = _root(self.rational, int(q)) if self.is_exact else None
            if root is not None:
                return Near(root ** int(p))
        around = self.ball()
        return _NAN if around < 0 else _of_ball(ball.power(around, exponent.ball()))

    def arctan(self) -> Near:
        return _of_ball(self.ball().atan())

    def sign(self) -> Near:
        return _of_ball(ball.sign(self.ball()))

    def step(self, at_zero: Near) -> Near:
        """0 below zero, 1 above, and ``at_zero`` there."""
        sign = ball.sign(self.ball())
        return at_zero if sign == 0 else _of_ball((sign + 1) / 2)


_ONE = Near(flint.fmpq(1))
_NAN = Near(_NOTHING, flint.arb("nan"))


@lru_cache(maxsize=4096)
def of_float(number: float) -> Near:
    """A float64 number; 0 for a minus 0, which is a sign that only floats have."""
    if number - number != 0:  # nan or infinite
        return _of_ball(flint.arb(number))
    return Near(flint.fmpq(*number.as_integer_ratio()))


def largest(*numbers: Near) -> Near:
    """The maximum; nan where any number is."""
    return reduce(_greater, numbers)


def least(*numbers: Near) -> Near:
    """The minimum; nan where any number is."""
    return -largest(*(-number for number in numbers))


def total(*numbers: Near) -> Near:
    """The sum."""
    return reduce(Near.__add__, numbers) if numbers else Near(_NOTHING)


def log_sum_exp(*numbers: Near) -> Near:
    """The logarithm of the sum of exponentials; of nothing but minus infinities it is minus infinity."""
    top = largest(*numbers)
    if not top.is_finite:
        return top
    # The largest term's exponential is an exact 1, next to which the others may be small.
    return total(*(_ONE if number is top else (number - top).exp() for number in numbers)).log() + top


def is_zero(number: Near) -> bool:
    """Whether a number is 0, as far as 421 decimals tell; Undecided where the ball is too wide to tell."""
    if number.is_exact:
        return bool(number.rational == 0)
    around = number.ball()
    if not around.contains(0):
        return False
    if not around.rad() < _INDISTINGUISHABLE:
        raise Undecided(f"whether {around} is 0")
    return True


def _root(number: flint.fmpq, degree: int) -> flint.fmpq | None:
    """The root of a rational number where it is rational too."""
    if degree == 1:
        return number
    if number < 0:
        return None
    root = flint.fmpq(number.p.root(degree), number.q.root(degree))
    return root if root**degree == number else None


def _of_ball(rest: flint.arb) -> Near:
    return Near(_NOTHING, rest)


def _greater(one: Near, other: Near) -> Near:
    if not (one.is_finite and other.is_finite):
        first, second = one.ball(), other.ball()
        return _NAN if first.is_nan() or second.is_nan() else one if first >= second else other
    lead = (one - other).ball()
    return one if lead >= 0 else other if lead <= 0 else _of_ball(one.ball().max(other.ball()))
