"""What a check looks at: a kind, and the argument that it is about where there is one."""

from __future__ import annotations

# Kinds whose numbers are held against the reference's.
NUMERIC = ("value", "gradient", "vjp", "jvp", "vmap", "func.grad", "autocast", "bias")


class Quantity(str):
    """A quantity as records write it: ``value``, or ``gradient:input``, the kind before the colon.

    It is a text, so that it compares, sorts and travels as one.
    """

    __slots__ = ()

    @classmethod
    def of(cls, kind: str, argument: str = "") -> Quantity:
        """The quantity of a kind, by an argument if one is named."""
        return cls(f"{kind}:{argument}" if argument else kind)

    @property
    def kind(self) -> str:
        """Such as ``gradient``; of what has no argument, all of it."""
        return self.partition(":")[0]

    @property
    def argument(self) -> str:
        """The argument's name; empty where the quantity has none."""
        return self.partition(":")[2]
