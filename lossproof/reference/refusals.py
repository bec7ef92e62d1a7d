"""The ways in which a loss refuses its arguments; each has a name of its own."""

from __future__ import annotations

from typing import ClassVar


class Refusal(ValueError):
    """The arguments are outside of what the loss is defined for; the message says which and why."""

    kind: ClassVar[str]


class IndexRefusal(Refusal):
    """A class index is outside [0, C)."""

    kind = "index"


class ShapeRefusal(Refusal):
    """Shapes do not belong together."""

    kind = "shape"


class DtypeRefusal(Refusal):
    """A dtype that the argument cannot have."""

    kind = "dtype"


class RangeRefusal(Refusal):
    """A value outside of the argument's range."""

    kind = "range"


class OptionRefusal(Refusal):
    """A parameter that does not exist, or a value that it does not take."""

    kind = "option"


REFUSALS = {
    refusal.kind: refusal
    for refusal in (IndexRefusal, ShapeRefusal, DtypeRefusal, RangeRefusal, OptionRefusal)
}
