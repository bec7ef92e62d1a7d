"""Lines of worked steps, ``-1 - log(1.367879) ≈ -1.313262``, and the digits that make them true."""

from __future__ import annotations

from collections.abc import Iterable

import flint

from lossproof.numbers.ball import Undecided
from lossproof.numbers.near import Near
from lossproof.numbers.numerals import decimals_of_zero, exponent_of
from lossproof.numbers.terms import Number, Term

# How far from 0 a printed expression may be whose true value is 0.
_NEXT_TO_ZERO = flint.fmpq(1, 10**7)
# The exponent of a difference that is not finite; its negative stands for no difference.
_UTMOST = 10**9


class Equation:
    """A term and the number that it yields, as printed.

    ``=`` means that the printed term, computed exactly, is the printed number; ``≈`` means that the number
    is a correct rounding both of what the printed term yields and of its true value.
    """

    def __init__(self, term: Term) -> None:
        self.term = term
        self.number = term.number
        self._yields = self.number.value

    @property
    def is_plain(self) -> bool:
        """Whether the term is no more than a number."""
        return self.term is self.number

    def holds(self) -> bool:
        """Whether the number is a correct rounding of what the printed term yields."""
        self._yields = self.term.as_printed()
        numeral = self.number.numeral
        if not (self._yields.is_finite and numeral.shown.is_finite):
            return _is_same_special(self._yields, numeral.shown)
        within = _NEXT_TO_ZERO if numeral.unit is None else numeral.unit / 2
        difference = self._yields - numeral.shown
        return bool(abs(difference.rational if difference.is_exact else difference.ball()) <= within)

    @property
    def numbers(self) -> set[Number]:
        """All numbers that are printed in it."""
        return {self.number, *self.term.numbers()}

    def lengthen(self) -> Number:
        """Print one more digit of the number whose rounding matters most, and return that number.

        Raises:
            Undecided: where no number has another digit.
        """
        influences = {number: self._influence(number) for number in self.term.numbers()}
        for number in sorted(influences, key=influences.__getitem__, reverse=True):
            if influences[number] > -_UTMOST and number.lengthen():
                return number
        raise Undecided(f"the digits of {self.term.expression().text}")

    def text(self) -> str:
        """The line, or the number alone where that says it all. Call it once the equation holds."""
        numeral = self.number.numeral
        decimals, text = numeral.decimals, numeral.text
        if not self.is_plain:
            difference = self._yields - numeral.shown
            is_equal = not numeral.shown.is_finite or (difference.is_exact and difference.rational == 0)
            text = f"{self.term.expression().text} {'=' if is_equal else '≈'} {text}"
            if numeral.text == "0" and not is_equal:
                proven = decimals_of_zero(difference)
                decimals = proven if decimals is None else min(decimals, proven)
        return text if decimals is None else f"{text} (to {decimals:,} decimals)"

    def _influence(self, number: Number) -> int:
        """The exponent of what the rounding of a number changes."""
        change = self.term.as_printed(unrounded=number) - self._yields
        if not change.is_finite:
            return _UTMOST
        return -_UTMOST if change.ball().contains(0) else exponent_of(change)


def settle(equations: Iterable[Equation]) -> None:
    """Lengthen the numbers of equations, which stand in the order of their lines, until all of them hold.

    Raises:
        Undecided: where balls are too wide to tell the digits needed.
    """
    lines = [equation for equation in equations if not equation.is_plain]
    # Last line first: the digits of a number are settled once all lines that show it are.
    pending = lines = lines[::-1]
    while pending:
        lengthened = set[Number]()
        for line in pending:
            while not line.holds():
                lengthened.add(line.lengthen())
        pending = [line for line in lines if lengthened & line.numbers] if lengthened else []


def _is_same_special(one: Near, other: Near) -> bool:
    if one.is_finite or other.is_finite:
        return False
    first, second = one.ball(), other.ball()
    return bool((first.is_nan() and second.is_nan()) or first == second)
