"""Scores of classes: ordinary, equal, far apart, masked, or most of them so low that they hardly count."""

from __future__ import annotations

import math

from proofs.combinations.table import Choice, Levels
from proofs.combinations.tensors import Shape, Tensor, drawn, filled, joined

LOGITS: Levels = (
    "-ordinary logits",
    "equal logits",
    "logits far apart",
    "tiny logits",
    "most logits 8 to 12 below",
    "most logits far below",
    "a masked block",
    "all masked but one",
)
MASKED = LOGITS[-2:]
# Of those in which nearly all scores are near the target's.
CLOSE = ("equal logits", "tiny logits")
_REACHES = {"-ordinary logits": 4.0, "logits far apart": 96.0, "tiny logits": 2.0**-12}
# How far below: their exponentials are nearly nothing, or subnormal numbers of single precision.
_DEPTHS = ((16, 20), (80, 100))
# Kernels go through a row in blocks of so many; in masks, one of them has nothing to show.
_BLOCK = 128


def logits(choice: Choice, shape: Shape, axis: int) -> Tensor:
    """Numbers of the level of logits; the classes are along the axis."""
    level, classes = choice["logits"], shape[axis]
    if level == "equal logits":
        return filled(1.5, shape)
    if level in _REACHES or not math.prod(shape) or classes < 2:
        reach = _REACHES.get(level, 4.0)
        return drawn(-reach, reach, shape, choice.seed("input"), choice.format)
    if level == "a masked block":
        hidden = classes // 2 if classes <= _BLOCK else _masked(choice, classes)
        kept = drawn(-4, 4, _with(shape, axis, classes - hidden), choice.seed("input"), choice.format)
        mask = filled(-math.inf, _with(shape, axis, hidden))
        # Before the others as the padding of an attention, or behind them as that of a vocabulary.
        return joined([mask, kept] if choice.among("side", 0, 1) else [kept, mask], axis)
    top = choice.among("top", 0, classes // 2, classes - 1)
    # The largest one beside those that are below or masked.
    parts = [
        _low(choice, _with(shape, axis, count), name)
        for name, count in (("before", top), ("after", classes - 1 - top))
    ]
    return joined([parts[0], filled(0.5, _with(shape, axis, 1)), parts[1]], axis)


def _masked(choice: Choice, classes: int) -> int:
    """How many of the classes are masked: whole blocks, or all but the last or first one."""
    most = (classes - 1) // _BLOCK
    return _BLOCK * choice.among("masked", 1, most)


def _low(choice: Choice, shape: Shape, name: str) -> Tensor:
    level = choice["logits"]
    if level == "all masked but one":
        return filled(-math.inf, shape)
    if level == "most logits 8 to 12 below":
        least, most = 8, 12
    # Of double precision, they are subnormal from 708.
    elif choice["dtype"] == "float64" and choice.among("depth of double", 0, 1):
        least, most = 708, 740
    else:
        least, most = _DEPTHS[choice.among("depth", 0, 1)]
    return drawn(0.5 - most, 0.5 - least, shape, choice.seed(name), choice.format)


def _with(shape: Shape, axis: int, size: int) -> Shape:
    axis %= len(shape)
    return (*shape[:axis], size, *shape[axis + 1 :])
