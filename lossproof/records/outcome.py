"""Outcomes of checks."""

from __future__ import annotations

from enum import Enum


class Outcome(str, Enum):
    """The outcome of a check; in JSON it is its name.

    A check is ``overflowed`` if its result is not finite because a step of the formula leaves the format's
    range. A ``changed convention`` is a pick that is as right as the one on record for the subject and its
    version, but differs from it; an ``other convention`` is a pick for which none is on record.

    Only a subject that is neither torch nor the reference can be ``close``, with an error beyond its budget
    that an honest formula other than the reference's may have, or can have it said that it ``accepts`` what
    torch refuses.

    Attributes:
        sign: a symbol for it where there is little room.
        gravity: how much it concerns a reader, from 0 on: of several outcomes, the gravest is shown.
    """

    AGREE = "agree", "✓", 1
    CLOSE = "close", "≲", 5
    OVERFLOWED = "overflowed", "↥", 3
    OTHER_CONVENTION = "other convention", "≈", 2
    ACCEPTS = "accepts", "∋", 4
    CHANGED_CONVENTION = "changed convention", "⇄", 7
    DISAGREE = "disagree", "✗", 9
    ERROR = "error", "!", 8
    UNSUPPORTED = "unsupported", "\N{EN DASH}", 0
    KNOWN_DEFECT = "known defect", "◆", 6

    sign: str
    gravity: int

    def __new__(cls, name: str, sign: str = "", gravity: int = 0) -> Outcome:
        """Make a member that equals its name."""
        member = str.__new__(cls, name)
        member._value_, member.sign, member.gravity = name, sign, gravity
        return member

    # A member equals its name, so that it must have the name's hash.
    __hash__ = str.__hash__
    # Releases of Python differ in how an f-string shows a member.
    __str__ = str.__str__
    __format__ = str.__format__  # type: ignore[assignment]  # the parameter is positional there

    @property
    def is_failing(self) -> bool:
        """Whether it fails a run."""
        return self in FAILING

    @property
    def is_passing(self) -> bool:
        """Whether the check found nothing wrong."""
        return self in _PASSING


GRAVEST_FIRST = tuple(sorted(Outcome, key=lambda outcome: -outcome.gravity))
FAILING = (Outcome.DISAGREE, Outcome.ERROR, Outcome.CHANGED_CONVENTION)
# Only a foreign subject can have these.
FOREIGN = (Outcome.CLOSE, Outcome.ACCEPTS)
_PASSING = (Outcome.AGREE, Outcome.OVERFLOWED, Outcome.OTHER_CONVENTION)


def outcome_table() -> list[dict[str, object]]:
    """The outcomes as data for the page, the gravest first: ``{name, sign, fails}`` each."""
    return [
        {"name": outcome.value, "sign": outcome.sign, "fails": outcome.is_failing}
        for outcome in GRAVEST_FIRST
    ]
