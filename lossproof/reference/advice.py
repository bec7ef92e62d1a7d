"""What the reference warns of in legal calls; each warning has a kind, as each refusal has."""

from __future__ import annotations

from typing import ClassVar


class ReferenceWarning(UserWarning):
    """A legal call that probably means something else: by one of its parameters, if no subclass says more."""

    kind: ClassVar[str] = "option"


class ShapeWarning(ReferenceWarning):
    """Shapes that belong together, though hardly as they were meant."""

    kind = "shape"
