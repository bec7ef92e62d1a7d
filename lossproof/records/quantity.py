"""The quantity that a check looks at: a kind, and the argument that it concerns, if any."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase

# Kinds whose numbers are compared with the reference's.
NUMERIC = ("value", "gradient", "vjp", "jvp", "vmap", "func.grad", "autocast", "bias")


class Quantity(str):
    """A quantity as records write it, ``value`` or ``gradient:input``, with the kind before the colon.

    It is a string, so that it compares, sorts and serializes as one.
    """

    __slots__ = ()

    @classmethod
    def of(cls, kind: str, argument: str = "") -> Quantity:
        """The quantity of a kind, for an argument if one is named."""
        return cls(f"{kind}:{argument}" if argument else kind)

    @property
    def kind(self) -> str:
        """The kind, such as ``gradient``."""
        return self.partition(":")[0]

    @property
    def argument(self) -> str:
        """The argument's name; empty where the quantity has none."""
        return self.partition(":")[2]

    def is_among(self, patterns: Iterable[str]) -> bool:
        """Whether a shell pattern, such as ``gradient*`` or ``*:input``, matches the quantity or its kind."""
        return any(fnmatchcase(text, pattern) for pattern in patterns for text in (self, self.kind))
