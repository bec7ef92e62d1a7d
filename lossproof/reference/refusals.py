"""The ways in which a loss refuses its arguments; each has a name of its own."""

from __future__ import annotations

from typing import ClassVar


class Refusal(ValueError):
    """The loss is not defined for these arguments; the message says which of them and why."""

    kind: ClassVar[str]


class IndexRefusal(Refusal):
    """A class index is outside [0, C)."""

    kind = "index"


class ShapeRefusal(Refusal):
    """Shapes do not fit together."""

    kind = "shape"


class DtypeRefusal(Refusal):
    """The argument cannot have this dtype."""

    kind = "dtype"


class RangeRefusal(Refusal):
    """A value outside the argument's range."""

    kind = "range"


class OptionRefusal(Refusal):
    """A parameter that does not exist, or a value that it does not take."""

    kind = "option"


REFUSALS = {
    refusal.kind: refusal
    for refusal in (IndexRefusal, ShapeRefusal, DtypeRefusal, RangeRefusal, OptionRefusal)
}
