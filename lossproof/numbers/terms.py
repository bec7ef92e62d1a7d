"""What a printed formula is made of: certified numbers, and operations on them.

A term knows its true value, how it is written, and what a reader gets by computing with the numbers as they
are printed.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from lossproof.numbers import near
from lossproof.numbers.near import Near
from lossproof.numbers.numerals import Numeral, next_numeral, numeral_of

# A longer operand stands as its number, so that no line outgrows the eye.
_LONGEST_OPERAND = 60
# Of more operands the first are shown, and the last.
_MOST_OPERANDS = 8

# How strongly an expression holds together, the weakest first.
_SUM, _PRODUCT, _SIGN, _POWER, _ATOM = range(5)


class Expression(NamedTuple):
    """A text, and how strongly it holds together."""

    text: str
    strength: int

    def within(self, strength: int) -> str:
        """The text, in parentheses where its surroundings hold more strongly."""
        return self.text if self.strength >= strength else f"({self.text})"


@dataclass(frozen=True, slots=True)
class Operator:
    """What is done to operands: to their values, and to their expressions."""

    compute: Callable[..., Near]
    write: Callable[..., Expression]


class Term:
    """A number or an operation. ``value`` is its true value."""

    __slots__ = ("value",)

    def __init__(self, value: Near) -> None:
        self.value = value

    @property
    def number(self) -> Number:
        """The value as a number to print; always the same object."""
        raise NotImplementedError

    def expression(self) -> Expression:
        """The term as it is written."""
        raise NotImplementedError

    def is_long(self) -> bool:
        """Whether it takes too much room as an operand."""
        return False

    def as_printed(self, unrounded: Number | None = None) -> Near:
        """What the printed numbers yield, one of them taken without its rounding."""
        raise NotImplementedError

    def numbers(self) -> Iterator[Number]:
        """The numbers that are printed in it."""
        raise NotImplementedError


class Number(Term):
    """A number, printed with as few digits as the lines that it stands in allow."""

    __slots__ = ("_numeral",)

    def __init__(self, value: Near) -> None:
        super().__init__(value)
        self._numeral: Numeral | None = None

    @property
    def number(self) -> Number:
        return self

    @property
    def numeral(self) -> Numeral:
        """How it is printed."""
        if self._numeral is None:
            self._numeral = numeral_of(self.value)
        return self._numeral

    def lengthen(self) -> bool:
        """Print more of its digits; false where none are left."""
        longer = next_numeral(self.value, self.numeral)
        if longer is not None:
            self._numeral = longer
        return longer is not None

    def expression(self) -> Expression:
        numeral = self.numeral
        is_sum, is_negative = numeral.head is not None, numeral.text.startswith("-")
        return Expression(numeral.text, _SUM if is_sum else _SIGN if is_negative else _ATOM)

    def as_printed(self, unrounded: Number | None = None) -> Near:
        return self.value if self is unrounded else (self._numeral or self.numeral).shown

    def numbers(self) -> Iterator[Number]:
        yield self


class Operation(Term):
    """An operator and its operands."""

    __slots__ = ("_number", "_operands", "_shown", "operator")

    def __init__(self, operator: Operator, operands: Sequence[Term]) -> None:
        super().__init__(operator.compute(*(operand.value for operand in operands)))
        self.operator = operator
        self._operands = operands
        self._number: Number | None = None
        self._shown: Sequence[Term] | None = None

    @property
    def number(self) -> Number:
        if self._number is None:
            self._number = Number(self.value)
        return self._number

    @property
    def shown(self) -> Sequence[Term]:
        """The operands as they are written: long ones as numbers, of many the first and the last."""
        if self._shown is None:
            self._shown = [operand.number if operand.is_long() else operand for operand in self._ends()]
        return self._shown

    def expression(self) -> Expression:
        parts = [operand.expression() for operand in self.shown]
        if len(self._operands) > _MOST_OPERANDS:
            parts[-1] = parts[-1]._replace(text=f"{parts[-1].text} ({len(self._operands)} terms)")
        return self.operator.write(*parts)

    def is_long(self) -> bool:
        return len(self.expression().text) > _LONGEST_OPERAND

    def as_printed(self, unrounded: Number | None = None) -> Near:
        """The operator on what its printed operands yield; what is not shown keeps its true value."""
        return self.operator.compute(*(operand.as_printed(unrounded) for operand in self.shown))

    def numbers(self) -> Iterator[Number]:
        for operand in self.shown:
            yield from operand.numbers()

    def _ends(self) -> Sequence[Term]:
        if len(self._operands) <= _MOST_OPERANDS:
            return self._operands
        left_out = self._operands[_MOST_OPERANDS - 2 : -1]
        hidden = _LeftOut(self.operator.compute(*(operand.value for operand in left_out)))
        return [*self._operands[: _MOST_OPERANDS - 2], hidden, self._operands[-1]]


class _LeftOut(Term):
    """Operands in the middle that are not shown, put together."""

    __slots__ = ()

    def expression(self) -> Expression:
        return Expression("...", _ATOM)

    def as_printed(self, unrounded: Number | None = None) -> Near:
        return self.value

    def numbers(self) -> Iterator[Number]:
        return iter(())


def _infix(sign: str) -> Callable[[Expression, Expression], Expression]:
    def write(one: Expression, other: Expression) -> Expression:
        first = one.within(_POWER if one.text.startswith("-") else _PRODUCT)
        return Expression(f"{first} {sign} {other.within(_POWER)}", _PRODUCT)

    return write


def _named(function: str) -> Callable[..., Expression]:
    def write(*operands: Expression) -> Expression:
        return Expression(f"{function}({', '.join(operand.text for operand in operands)})", _ATOM)

    return write


def _sum(*terms: Expression) -> Expression:
    text = terms[0].within(_SUM)
    for term in terms[1:]:
        shown = term.within(_SUM)
        text += f" - {shown[1:]}" if shown.startswith("-") else f" + {shown}"
    return Expression(text, _SUM)


def _difference(one: Expression, other: Expression) -> Expression:
    text = other.within(_PRODUCT)
    return Expression(f"{one.within(_SUM)} - {f'({text})' if text.startswith('-') else text}", _SUM)


SUM = Operator(near.total, _sum)
DIFFERENCE = Operator(operator.sub, _difference)
PRODUCT = Operator(operator.mul, _infix("*"))
QUOTIENT = Operator(operator.truediv, _infix("/"))
POWER = Operator(Near.power, lambda base, by: Expression(f"{base.within(_ATOM)}^{by.within(_ATOM)}", _POWER))
OPPOSITE = Operator(operator.neg, lambda one: Expression(f"-{one.within(_POWER)}", _SIGN))
MAGNITUDE = Operator(abs, lambda one: Expression(f"|{one.text}|", _ATOM))
LARGEST = Operator(near.largest, _named("max"))
LEAST = Operator(near.least, _named("min"))
LOG_SUM_EXP = Operator(near.log_sum_exp, _named("log-sum-exp"))
EXPONENTIAL = Operator(Near.exp, _named("exp"))
LOGARITHM = Operator(Near.log, _named("log"))
LOGARITHM_OF_ONE_PLUS = Operator(
    Near.log_of_one_plus, lambda one: Expression(f"log({_sum(Expression('1', _ATOM), one).text})", _ATOM)
)
SQUARE_ROOT = Operator(Near.sqrt, _named("sqrt"))
ARC_TANGENT = Operator(Near.arctan, _named("arctan"))
SIGN = Operator(Near.sign, _named("sign"))
STEP = Operator(Near.step, lambda one, at_zero: Expression(f"step({one.text})", _ATOM))
