"""A reader of worked steps, who computes each line as it is printed and knows nothing of how it came about.

Fractions hold what is rational, balls of many bits the rest. A sum keeps the two apart, so that
1 + exp(-9999) needs no ten thousand digits.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import reduce

import flint

_TOKEN = re.compile(r"\s*(log-sum-exp|[a-z]+|\d+\.?\d*(?:e[-+]\d+)?|[-+*/^(),|])")
_REMARK = re.compile(r" \(to ([\d,]+) decimals\)$")
_NONE = flint.arb(0)
# No ball of reasonable width tells more of a number next to 0.
MOST_DECIMALS = 30_000


@dataclass(frozen=True)
class Value:
    """A rational number and a ball to add to it; or a float that is nan or infinite."""

    exact: Fraction = Fraction(0)
    rest: flint.arb = _NONE
    special: float | None = None

    @property
    def is_exact(self) -> bool:
        return self.special is None and bool(self.rest == 0)

    def ball(self) -> flint.arb:
        return self.rest + ball_of(self.exact) if self.exact else self.rest

    def sign(self) -> int:
        if self.is_exact:
            return (self.exact > 0) - (self.exact < 0)
        return 1 if self.ball() > 0 else -1 if self.ball() < 0 else 0

    def float(self) -> float:
        return float(self.sign()) if self.special is None else self.special


@dataclass(frozen=True)
class Line:
    """``expression sign result``, without the two first where the line is a number alone."""

    expression: str
    sign: str
    result: str
    decimals: int | None

    @property
    def is_whole(self) -> bool:
        """Whether no terms of it are left out."""
        return "..." not in self.expression

    def number(self) -> Value:
        return evaluate(self.result)

    def half_unit(self) -> Fraction:
        """Half a unit of the last digit printed; of a 0 its bound, as far as that can be checked."""
        if self.decimals is not None:
            return Fraction(1, 10 ** min(self.decimals, MOST_DECIMALS))
        last = self.result.rpartition(" ")[2]
        mantissa, _, exponent = last.partition("e")
        if Fraction(mantissa.strip("-")) == 0:
            return Fraction(0)
        return Fraction(10) ** (int(exponent or 0) - len(mantissa.partition(".")[2])) / 2


@dataclass(frozen=True)
class Step:
    name: str
    lines: list[Line]


def read(steps: str) -> Iterator[Step]:
    """The steps of a text."""
    name, lines = "", list[Line]()
    for text in steps.splitlines():
        if text.startswith("  "):
            if text.startswith("  ["):
                lines.append(_line(text.partition("]: ")[2]))
            continue
        if name:
            yield Step(name, lines)
        name, _, told = text.partition(": ")
        lines = [_line(told)] if told else []
    yield Step(name, lines)


def _line(text: str) -> Line:
    remark = _REMARK.search(text)
    decimals = int(remark[1].replace(",", "")) if remark else None
    text = _REMARK.sub("", text)
    expression, sign, result = re.fullmatch(r"(?:(.*) ([=≈]) )?(.*)", text).groups("")  # type: ignore[union-attr]
    return Line(expression, sign, result, decimals)


def float_of(text: str) -> float:
    return float(text.replace("(", "").replace(")", ""))


def ball_of(number: Fraction) -> flint.arb:
    return flint.arb(flint.fmpq(number.numerator, number.denominator))


def minus(one: Value, other: Value) -> Value:
    return _plus(one, _negative(other))


def evaluate(text: str) -> Value:
    """What a printed expression yields, at the precision in force."""
    tokens = _TOKEN.findall(text)
    assert "".join(tokens) == text.replace(" ", ""), text
    value = _sum(tokens)
    assert not tokens, text
    return value


def _sum(tokens: list[str]) -> Value:
    value = _product(tokens)
    while tokens and tokens[0] in "+-":
        sign, term = tokens.pop(0), _product(tokens)
        value = _plus(value, term if sign == "+" else _negative(term))
    return value


def _product(tokens: list[str]) -> Value:
    value = _signed(tokens)
    while tokens and tokens[0] in "*/":
        by = _times if tokens.pop(0) == "*" else _over
        value = by(value, _signed(tokens))
    return value


def _signed(tokens: list[str]) -> Value:
    if tokens[0] == "-":
        tokens.pop(0)
        return _negative(_power(tokens))
    return _power(tokens)


def _power(tokens: list[str]) -> Value:
    base = _atom(tokens)
    if tokens and tokens[0] == "^":
        tokens.pop(0)
        return _raised(base, _atom(tokens))
    return base


def _atom(tokens: list[str]) -> Value:
    token = tokens.pop(0)
    if token == "(" or token == "|":
        value = _sum(tokens)
        assert tokens.pop(0) == (")" if token == "(" else "|")
        return value if token == "(" else _magnitude(value)
    if token in ("inf", "nan"):
        return Value(special=float(token))
    if token[0].isdigit():
        return Value(Fraction(token))
    assert tokens.pop(0) == "("
    operands = [_sum(tokens)]
    while tokens[0] == ",":
        tokens.pop(0)
        operands.append(_sum(tokens))
    assert tokens.pop(0) == ")"
    return _FUNCTIONS[token](*operands)


def _plus(one: Value, other: Value) -> Value:
    if one.special is not None or other.special is not None:
        return Value(special=one.float() + other.float())
    return Value(one.exact + other.exact, one.rest + other.rest)


def _negative(one: Value) -> Value:
    return Value(special=-one.special) if one.special is not None else Value(-one.exact, -one.rest)


def _magnitude(one: Value) -> Value:
    if one.special is not None:
        return Value(special=abs(one.special))
    sign = one.sign()
    return one if sign > 0 else _negative(one) if sign < 0 or one.is_exact else Value(rest=abs(one.ball()))


def _times(one: Value, other: Value) -> Value:
    if one.special is not None or other.special is not None:
        return Value(special=one.float() * other.float())
    if other.is_exact:
        one, other = other, one
    if one.is_exact:
        return Value(one.exact * other.exact, other.rest * ball_of(one.exact))
    return Value(rest=one.ball() * other.ball())


def _over(one: Value, other: Value) -> Value:
    if one.special is not None or other.special is not None or other == Value():
        divisor = other.float()
        ratio = one.float() / divisor if divisor else one.float() * math.inf
        return Value(special=ratio) if ratio - ratio != 0 else Value(Fraction(0))
    if other.is_exact:
        return _times(one, Value(1 / other.exact))
    # x / (1 + r) is x - x r / (1 + r): what is next to a rational stays so.
    if one.is_exact and other.exact:
        ratio_of_exact = one.exact / other.exact
        return Value(ratio_of_exact, -ball_of(ratio_of_exact) * other.rest / other.ball())
    return Value(rest=one.ball() / other.ball())


def _raised(base: Value, exponent: Value) -> Value:
    if base.special is not None:
        power = base.special ** exponent.float()
        return Value(special=power) if power - power != 0 else Value(Fraction(power))
    by = exponent.exact
    if base.is_exact and exponent.is_exact and max(abs(by.numerator), by.denominator) < 100:
        root = _root(base.exact, by.denominator)
        if root is not None and (root or by >= 0):
            return Value(root**by.numerator)
    if base == Value():
        return Value(special=math.inf) if by < 0 else Value()
    return Value(rest=base.ball() ** exponent.ball())


def _root(number: Fraction, degree: int) -> Fraction | None:
    if degree == 1:
        return number
    if number < 0:
        return None
    root = Fraction(*(int(flint.fmpz(part).root(degree)) for part in number.as_integer_ratio()))
    return root if root**degree == number else None


def _exp(one: Value) -> Value:
    if one.special is not None:
        return Value() if one.special == -math.inf else one
    return Value(Fraction(1)) if one == Value() else Value(rest=one.ball().exp())


def _log(one: Value) -> Value:
    if one.special is not None:
        return one if one.special > 0 else Value(special=math.nan)
    if one.sign() <= 0 and one.is_exact:
        return Value(special=-math.inf if one.exact == 0 else math.nan)
    if one.is_exact and one.exact == 1:
        return Value()
    if abs(one.ball() - 1) < 0.5:
        return Value(rest=minus(one, Value(Fraction(1))).ball().log1p())
    return Value(rest=one.ball().log())


def _sqrt(one: Value) -> Value:
    if one.special is not None:
        return one if one.special > 0 else Value(special=math.nan)
    root = _root(one.exact, 2) if one.is_exact else None
    return Value(rest=one.ball().sqrt()) if root is None else Value(root)


def _greater(one: Value, other: Value) -> Value:
    if math.nan in (one.special, other.special) or any(map(_is_nan, (one, other))):
        return Value(special=math.nan)
    if one.special is not None or other.special is not None:
        return one if math.inf == one.special or other.special == -math.inf else other
    lead = minus(one, other)
    if lead.sign() == 0 and not lead.is_exact:
        return Value(rest=one.ball().max(other.ball()))
    return one if lead.sign() >= 0 else other


def _is_nan(one: Value) -> bool:
    return one.special is not None and math.isnan(one.special)


def _largest(*operands: Value) -> Value:
    return reduce(_greater, operands)


def _log_sum_exp(*operands: Value) -> Value:
    finite = [operand for operand in operands if operand.special != -math.inf]
    if len(finite) < 2:
        return finite[0] if finite else operands[0]
    return _log(reduce(_plus, map(_exp, finite)))


_FUNCTIONS: dict[str, Callable[..., Value]] = {
    "exp": _exp,
    "log": _log,
    "sqrt": _sqrt,
    "max": _largest,
    "min": lambda *operands: _negative(_largest(*map(_negative, operands))),
    "log-sum-exp": _log_sum_exp,
    "arctan": lambda one: Value(rest=one.ball().atan()),
}
