"""lossproof: a conformance suite for loss functions.

``forward`` and ``gradient`` are the from-scratch reference: NumPy in, NumPy out, no torch. ``conforms`` turns
a test function of your own project into a test for each case of a loss.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lossproof.reference import forward, gradient
    from lossproof.running.conforms import conforms

__all__ = ["conforms", "forward", "gradient"]


def __getattr__(name: str) -> Any:
    # Only when it is asked for: the reference needs neither pytest nor the judge, and the command no NumPy
    # until it has something to compute.
    if name == "conforms":
        from lossproof.running.conforms import conforms

        return conforms
    if name in ("forward", "gradient"):
        from lossproof import reference

        return getattr(reference, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
