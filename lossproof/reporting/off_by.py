"""By how much wrong numbers are off: by a difference or by a factor, whichever says more."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lossproof.judging.number_text import significant
from lossproof.records.record import Record

DIFFERENCE, FACTOR = "difference", "factor"
_KINDS = (DIFFERENCE, FACTOR)
_DIGITS = 4
# Fewer checks, or fewer true numbers, say nothing about others.
_FEWEST = 3
# A span that is wider, as a share of the error that it holds, tells too few digits.
_WIDEST = 0.02

# An element of a detail, as ``judging.illustrations`` describes it.
Element = Mapping[str, Any]


@dataclass(frozen=True)
class _Span:
    """The errors that explain a number, since its budget leaves room for rounding."""

    least: float
    most: float

    @property
    def middle(self) -> float:
        return (self.least + self.most) / 2

    def and_of(self, other: _Span) -> _Span:
        return _Span(max(self.least, other.least), min(self.most, other.most))

    def tells(self, kind: str) -> bool:
        """Whether it holds an error that explains every number, and only such that look alike."""
        error = self.middle if kind == DIFFERENCE else self.middle - 1
        return 0 <= self.most - self.least <= _WIDEST * abs(error)

    def __str__(self) -> str:
        """The number with the fewest digits that it holds; of many digits, the first."""
        texts = [significant(self.middle, digits) for digits in range(1, _DIGITS + 1)]
        return next((text for text in texts if self.least <= float(text) <= self.most), texts[-1])


@dataclass(frozen=True)
class SharedError:
    """An error that all wrong numbers have: a difference, or a factor."""

    kind: str
    text: str

    def __str__(self) -> str:
        if self.kind == FACTOR:
            return f"{self.text} times the true value"
        side = "below" if self.text.startswith("-") else "above"
        return f"{self.text.removeprefix('-')} {side} the true value"


def shared_error(failing: Sequence[Record]) -> SharedError | None:
    """The error that the wrong numbers of failing checks share; None if they are too few or share none."""
    numeric = [elements for record in failing if (elements := elements_of(record))]
    if len(numeric) < _FEWEST:
        return None
    alike = {kind: _Span(-math.inf, math.inf) for kind in _KINDS}
    truths = set()
    for element in (one for elements in numeric for one in elements):
        truths.add(element["expected"])
        spans = _spans(element)
        alike = {kind: span.and_of(spans[kind]) for kind, span in alike.items() if kind in spans}
        alike = {kind: span for kind, span in alike.items() if span.least <= span.most}
        if not alike:
            return None
    told = (SharedError(kind, str(span)) for kind, span in alike.items() if span.tells(kind))
    return next(told, None) if len(truths) >= _FEWEST else None


def shared_error_in_words(failing: Sequence[Record]) -> str:
    """Such as ``all are 0.5 above the true value``; empty if the wrong numbers share no error."""
    error = shared_error(failing)
    if error is None:
        return ""
    who = "all" if all(map(elements_of, failing)) else "all wrong numbers"
    # A detail has the worst elements only.
    is_seen = all(record.off <= len(elements_of(record)) for record in failing)
    return f"{who} are {error}{'' if is_seen else ', as far as the details show'}"


def errors(elements: Sequence[Element], shared: str = "") -> dict[str, Any]:
    """``{kind, texts}``: the error of each element as a difference or as a factor.

    It is the kind that all failing checks of the loss share; else the one that varies less here, and of
    those the one with fewer digits. Empty where neither can be told.
    """
    spans = [_spans(element) for element in elements]
    kinds = [kind for kind in _KINDS if spans and all(kind in one for one in spans)]
    if not kinds:
        return {}

    def rank(kind: str) -> tuple[bool, float, int]:
        middles = [one[kind].middle for one in spans]
        varies = (max(middles) - min(middles)) / (max(map(abs, middles)) or 1.0)
        return kind != shared, varies, sum(_digits(str(one[kind])) for one in spans)

    best = min(kinds, key=rank)
    return {"kind": best, "texts": [str(one[best]) for one in spans]}


def elements_of(record: Record) -> Sequence[Element]:
    """The wrong elements that the detail of a check has: the worst of them."""
    elements: Sequence[Element] = (record.detail or {}).get("elements", ())
    return elements


def _spans(element: Element) -> dict[str, _Span]:
    """The span of each kind of error that can be told of an element."""
    true, observed, share = (float(element[name]) for name in ("expected", "observed", "share"))
    error = observed - true
    if not math.isfinite(error) or error == 0:
        return {}
    # Both numbers are written out to about half a unit in the last place.
    unit = abs(error) / element["ulp"] if element["ulp"] else 0.0
    budget = abs(error) / share if math.isfinite(share) and share else 0.0
    # A larger result is rounded as much more.
    room = (budget + unit) * max(1.0, abs(observed / true) if true else 1.0)
    spans = {DIFFERENCE: _Span(error - room, error + room)}
    # Zero is no multiple that tells anything.
    if true and observed:
        ends = sorted(((observed - room) / true, (observed + room) / true))
        spans[FACTOR] = _Span(*ends)
    return spans


def _digits(text: str) -> int:
    return len(text.partition("e")[0].replace(".", "").strip("-0"))
