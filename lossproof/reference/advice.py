"""The warnings of the reference about legal calls; each has a kind, as each refusal has."""

from __future__ import annotations

from typing import ClassVar


class ReferenceWarning(UserWarning):
    """A legal call that is probably not what was meant: for a parameter, unless a subclass says more."""

    kind: ClassVar[str] = "option"


class ShapeWarning(ReferenceWarning):
    """Shapes that fit together, but hardly as intended."""

    kind = "shape"
