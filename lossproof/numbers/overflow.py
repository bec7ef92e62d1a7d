"""What may come out in place of a number once a step before it has left the format's range.

Rounded to a format, a number beyond its range is an infinity, and IEEE 754 says what becomes of that: added
to another number it stays one, times zero it is nan, as a divisor it is gone. Followed through a formula,
this tells which results its overflow explains, and which it does not. In a format without infinities such a
number is nan, and so is what is made of it.

A mark is a sum of the bits below, and 0 for what certainly comes out as a number. Arithmetic that is wider
on the way yields the number all the same: a mark says what may come out, not what must. Where no number of an
array has a mark, which is so in nearly all formulas, there are none at all: None.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from lossproof.numbers.formats import Float64Array, Format
from lossproof.numbers.rules import Place, followed_rules

Marks = npt.NDArray[Any]  # of whole numbers, whose width does not matter
BoolArray = npt.NDArray[np.bool_]
Axis = int | tuple[int, ...] | None

POSITIVE, NEGATIVE, UNDEFINED = 1, 2, 4
INFINITE = POSITIVE | NEGATIVE


class Marked(Protocol):
    """Numbers with bounds, and with marks if any may overflow."""

    value: Float64Array
    bound: Float64Array
    format: Format
    marks: Marks | None


def marks_of(numbers: Float64Array) -> Marks:
    """The mark of each number that is infinite or nan; 0 of the others."""
    return (
        np.where(numbers == np.inf, POSITIVE, 0)
        | np.where(numbers == -np.inf, NEGATIVE, 0)
        | np.where(np.isnan(numbers), UNDEFINED, 0)
    )


def own_overflow(
    marks: Marks | None,
    results: Float64Array,
    format: Format,
    name: str,
    operands: Sequence[Float64Array],
    pole: BoolArray | bool = False,
) -> Marks | None:
    """The marks, and those of results that leave the range in this very operation.

    Args:
        marks: what the operands' marks come to.
        results: of the operation.
        format: the format whose range they leave.
        name, operands: the operation; of an infinite operand, an infinity is the true result.
        pole: where it is the true result of numbers, too: it must come out.
    """
    is_beyond = np.abs(results) > format.largest
    if not np.count_nonzero(is_beyond):
        return marks
    is_beyond = is_beyond & ~np.asarray(pole)
    for operand in operands:
        is_beyond = is_beyond & np.isfinite(operand)
    if not np.count_nonzero(is_beyond):
        return marks
    if note := followed_rules().note_overflow:
        note(is_beyond, lambda place: _in_words(name, operands, results, place))
    own = np.where(is_beyond, marks_of(format.overflow(results)), 0)
    return own if marks is None else marks | own


def largest_of(numbers: Float64Array, axis: Axis, keepdims: bool) -> Float64Array:
    """The largest magnitude along an axis, infinite or nan where any number is."""
    return np.asarray(np.max(np.abs(numbers), axis=axis, keepdims=keepdims, initial=0.0))


def of_sum(first: Marked, second: Marked) -> Marks | None:
    """Of the sum of two: infinities of both signs make nan."""
    if first.marks is None and second.marks is None:
        return None
    one, other = _all_marks(first), _all_marks(second)
    is_undefined = (one & INFINITE & _opposite(other)) > 0
    return one | other | _undefined_where(is_undefined)


def of_product(first: Marked, second: Marked) -> Marks | None:
    """Of the product: the signs that the other factor may have, 0 among them, make an infinity what it is."""
    if first.marks is None and second.marks is None:
        return None
    marks = (_all_marks(first) | _all_marks(second)) & UNDEFINED
    for one, other in ((_all_marks(first), _signs(second)), (_all_marks(second), _signs(first))):
        infinite = one & INFINITE
        marks = marks | _signed(infinite, other) | _undefined_where((infinite > 0) & (other & UNDEFINED > 0))
    return marks


def of_quotient(dividend: Marked, divisor: Marked) -> Marks | None:
    """Of the quotient. By an infinity it is 0, which is a number like any other and explains nothing."""
    if dividend.marks is None and divisor.marks is None:
        return None
    above, below, signs = _all_marks(dividend), _all_marks(divisor), _signs(divisor)
    either_sign = np.where(signs & UNDEFINED, INFINITE, signs)
    is_undefined = ((above & INFINITE) > 0) & ((below & INFINITE) > 0)
    signed = _signed(above & INFINITE, either_sign)
    return np.asarray(signed | ((above | below) & UNDEFINED) | _undefined_where(is_undefined))


def of_greater(first: Marked, second: Marked) -> Marks | None:
    """Of the greater of two: minus infinity only where both may be that."""
    if first.marks is None and second.marks is None:
        return None
    one, other = _all_marks(first), _all_marks(second)
    return np.asarray(((one | other) & (POSITIVE | UNDEFINED)) | (one & other & NEGATIVE))


def of_opposite(number: Marked) -> Marks | None:
    """Of the negated number."""
    return None if number.marks is None else _opposite(number.marks)


def of_growing(number: Marked, below: int) -> Marks | None:
    """Of a function that grows, as exp and log do; ``below`` is its mark of minus infinity."""
    return None if number.marks is None else _growing(number.marks, below)


def of_bounded(number: Marked) -> Marks | None:
    """Of a function that is finite of everything but nan."""
    return None if number.marks is None else number.marks & UNDEFINED


def of_total(numbers: Marked, axis: Axis, keepdims: bool) -> Marks | None:
    """Of the sum along an axis. One element that may be either infinity is not a pair of them."""
    if numbers.marks is None:
        return None
    positive = (numbers.marks & POSITIVE) > 0
    negative = (numbers.marks & NEGATIVE) > 0
    options: Any = {"axis": axis, "keepdims": keepdims}
    marked = np.sum(positive | negative, **options)
    is_undefined = np.any(positive, **options) & np.any(negative, **options) & (marked > 1)
    return np.asarray(_any_along(numbers.marks, axis, keepdims) | _undefined_where(is_undefined))


def of_largest(numbers: Marked, axis: Axis, keepdims: bool) -> Marks | None:
    """Of the maximum along an axis."""
    if numbers.marks is None:
        return None
    options: Any = {"axis": axis, "keepdims": keepdims}
    all_along = np.bitwise_and.reduce(numbers.marks, **options)
    any_along = _any_along(numbers.marks, axis, keepdims)
    return np.asarray((any_along & (POSITIVE | UNDEFINED)) | (all_along & NEGATIVE))


def of_norm(numbers: Marked, axis: int) -> Marks | None:
    """Of a norm along an axis, which is kept."""
    return None if numbers.marks is None else _growing(_any_along(numbers.marks, axis, True), POSITIVE)


def of_log_sum_exp(numbers: Marked, is_counted: BoolArray, axis: int) -> Marks | None:
    """Of the log-sum-exp of those that count: an infinite maximum is subtracted from itself."""
    if numbers.marks is None:
        return None
    marks = _growing(_any_along(np.where(is_counted, numbers.marks, 0), axis, False), 0)
    # Minus infinity stands for nothing, and comes out of nothing else.
    is_nothing = np.all(~is_counted | (numbers.marks & NEGATIVE > 0), axis=axis) & np.any(
        is_counted, axis=axis
    )
    return marks | _undefined_where((marks & POSITIVE) > 0) | np.where(is_nothing, NEGATIVE, 0)


def _all_marks(number: Marked) -> Marks:
    """Those of numbers that truly are infinite or nan among them."""
    own = marks_of(number.value)
    return own if number.marks is None else own | number.marks


def _signs(number: Marked) -> Marks:
    """The signs that a computed number may have, as bits; the bit of nan stands for 0."""
    reach = np.maximum(number.bound, number.format.underflow)
    return (
        np.where(number.value + number.bound > 0, POSITIVE, 0)
        | np.where(number.value - number.bound < 0, NEGATIVE, 0)
        | np.where(np.abs(number.value) <= reach, UNDEFINED, 0)
        | (_all_marks(number) & INFINITE)
    )


def _signed(infinite: Marks, signs: Marks) -> Marks:
    return np.where(signs & POSITIVE, infinite, 0) | np.where(signs & NEGATIVE, _opposite(infinite), 0)


def _opposite(marks: Marks) -> Marks:
    return ((marks & POSITIVE) << 1) | ((marks & NEGATIVE) >> 1) | (marks & UNDEFINED)


def _growing(marks: Marks, below: int) -> Marks:
    return (marks & (POSITIVE | UNDEFINED)) | np.where(marks & NEGATIVE, below, 0)


def _any_along(marks: Marks, axis: Axis, keepdims: bool) -> Marks:
    options: Any = {"axis": axis, "keepdims": keepdims}
    return np.asarray(np.bitwise_or.reduce(marks, **options))


def _undefined_where(condition: BoolArray) -> Marks:
    return np.where(condition, UNDEFINED, 0)


def _in_words(name: str, operands: Sequence[Float64Array], results: Float64Array, place: Place) -> str:
    """A result that is beyond the range, as an equation: ``300 * 300 = 90000``."""
    first, *others = (f"{np.broadcast_to(operand, results.shape)[place]:.6g}" for operand in operands)
    expression = f"{first} {name} {others[0]}" if others else f"{name}({first})"
    if " " in name:
        expression = f"{name} {first}"
    return f"{expression} = {results[place]:.6g}"
