"""Weights of classes and of elements: none, drawn, with zeros, zero, huge, and in other shapes."""

from __future__ import annotations

from proofs.combinations.table import SILENT, Choice, Levels, Rule
from proofs.combinations.tensors import Shape, drawn, filled, patched

WEIGHTS: Levels = ("-no weights", "weights", "weights with zeros", "weights of 0")
_HUGE = 64.0
# What each of the weights belongs to, where they broadcast.
SPREADS: Levels = ("-weights of elements", "weights of columns", "weights of rows", "one weight")
_ANYWHERE = ("-weights of elements", "one weight")
SPREAD_RULES = (
    Rule(
        ("weight", "spread"),
        lambda weight, spread: not weight.startswith(SILENT) or spread.startswith(SILENT),
    ),
    Rule(("form", "spread"), lambda form, spread: spread in _ANYWHERE or form == "3 or 5 dimensions"),
)


def spread(choice: Choice, shape: Shape) -> Shape:
    """The shape of weights that broadcast to this one."""
    if choice["spread"] == "weights of columns":
        return shape[-1:]
    if choice["spread"] == "one weight":
        return () if shape == () else ((), (1,))[choice.among("dimensions of weight", 0, 1)]
    return (*shape[:-1], 1) if choice["spread"] == "weights of rows" else shape


def weight_levels(name: str) -> Levels:
    """The levels of weights of another name."""
    return tuple(level.replace("weight", name) for level in WEIGHTS)


def weights(choice: Choice, shape: Shape, name: str = "weight") -> str | None:
    """Weights of this shape, or None."""
    level = choice[name].replace(name, "weight")
    if level.startswith(SILENT):
        return None
    if level == "weights of 0":
        return filled(0, shape).text
    own = drawn(0.25, 2, shape, choice.seed(name), choice.format)
    count = own.values.size
    if level == "weights with zeros":
        own = patched(own, {0: 0.0, count - 1: 0.0} if count > 2 else {choice.among("zero", 0, 1): 0.0})
    elif choice.among("huge", 0, 1):
        own = patched(own, {choice.among("place", 0, count // 2, max(count - 1, 0)): _HUGE})
    return own.text
