"""Drawn numbers in programs: how they are drawn, instead of the numbers, of which there may be 100,000."""

from __future__ import annotations

import ast
import inspect
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from lossproof.corpus.generator import draw_bits, draw_on_grid
from lossproof.corpus.tensors import Uniform
from lossproof.numbers.formats import FORMATS, Float64Array
from lossproof.subjects.call import Values

# The formats to which NumPy rounds: in these alone, a program can be compared with the numbers that it draws.
_ROUNDED = ("float64", "float32")


def draw(
    low: float, high: float, shape: tuple[int, ...], seed: int, bits: int, dtype: npt.DTypeLike, patch: Any
) -> Float64Array:
    """The numbers on the grid, rounded to a dtype, of which a few are replaced."""
    numbers = draw_on_grid(low, high, shape, seed, bits).astype(dtype).astype(np.float64)
    for place, number in patch.items():
        numbers[place] = number
    return numbers


# What a program that draws numbers has on one of its lines.
DRAWN = f"{draw.__name__}("


def drawn_source(values: Values) -> str:
    """An expression that draws the numbers in double precision; empty if they are not drawn."""
    form, patch = values.drawn, {}
    if form is not None and not isinstance(form, Uniform):
        if not isinstance(form.inner, Uniform):
            return ""
        patch = {at: values.numbers[at].item() for at in form.at}
        form = form.inner
    # Python writes no infinity or nan.
    if form is None or values.dtype not in _ROUNDED or not all(map(math.isfinite, patch.values())):
        return ""
    bits = FORMATS[values.dtype].precision
    stated = float(form.low), float(form.high), form.shape, form.seed, bits, values.dtype, patch
    # A mode may have changed the numbers.
    if not np.array_equal(draw(*stated), values.numbers):
        return ""
    return f"{DRAWN}{', '.join(map(repr, stated))})"


def _definition(function: Callable[..., Any]) -> tuple[str, ...]:
    """The source of a function without annotations, whose imports a program does not have."""
    [definition] = ast.parse(inspect.getsource(function)).body
    assert isinstance(definition, ast.FunctionDef)
    definition.returns = None
    for argument in definition.args.args:
        argument.annotation = None
    return ("", "", *ast.unparse(definition).splitlines())


# What such a program needs.
DRAWING = (
    "import numpy as np",
    *_definition(draw_bits),
    *_definition(draw_on_grid),
    *_definition(draw),
    "",
    "",
)
