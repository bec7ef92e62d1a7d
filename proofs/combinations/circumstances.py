"""The dimensions that many losses share, and what their levels mean."""

from __future__ import annotations

import math

import numpy as np

from lossproof.numbers.formats import Format
from proofs.combinations.table import Choice, Levels, Rule
from proofs.combinations.tensors import Shape, Tensor, drawn, filled, next_to, patched

DTYPES: Levels = ("float32", "float64", "bfloat16", "float16")
# Of losses that torch does not have in half precision on a processor.
LONG_DTYPES: Levels = ("float32", "float64")
ELEMENTWISE: Levels = ("mean", "none", "sum")

# Sizes on both sides of those that kernels are cut at; which of them, each row draws.
SIZES: Levels = ("-few", "near 16 or 32", "near 128 or 256", "near 1024")
# Of rows, most of which do not begin at aligned addresses, nor end with a block.
LONG_SIZES: Levels = (*SIZES[:3], "hundreds", "thousands")
_SIZES = {
    "-few": (2, 3, 4, 5, 6, 7),
    "near 16 or 32": (15, 16, 17, 31, 32, 33),
    "near 128 or 256": (127, 128, 129, 255, 256, 257),
    "near 1024": (1023, 1024, 1025),
    "hundreds": (133, 150, 200, 300, 411),
    "thousands": (1023, 1024, 1025, 1030, 1100, 1531, 2051),
}

FORMS: Levels = ("-one dimension", "one number", "no rows", "3 or 5 dimensions")
SHAPED: dict[str, Levels] = {"form": FORMS, "size": SIZES}
SMALL_FORMS = ("one number", "no rows")
SIZE_RULE = Rule(("form", "size"), lambda form, size: form not in SMALL_FORMS or size == "-few")

SCALES: Levels = ("-ordinary", "tiny", "huge")

SPECIALS: Levels = ("-nothing special", "infinity or nan", "a tie", "almost a tie")
# Of losses whose nan is a known defect.
WITHOUT_NAN: Levels = ("-nothing special", "infinity", "a tie", "almost a tie")
PLACES: Levels = ("-nowhere", "first", "in the middle", "last")
ZEROS: Levels = ("-no zeros", "zeros of both signs")
SPECIAL_RULES = (
    Rule(
        ("special", "place"), lambda special, place: (special == "-nothing special") == (place == "-nowhere")
    ),
    # Nowhere is there a place in nothing.
    Rule(("form", "place"), lambda form, place: form != "no rows" or place == "-nowhere"),
)

# Times a weight, and times a few numbers, it is still in the range of float16.
_HUGE = 128.0
UPSTREAMS: Levels = ("-any upstream", "upstream with zeros", "huge upstream")


def common(reductions: Levels = ELEMENTWISE) -> dict[str, Levels]:
    """The dtype and the reduction."""
    return {"dtype": DTYPES, "reduction": reductions}


def size(choice: Choice, purpose: str = "size") -> int:
    """A size of the level of that name."""
    return choice.among(purpose, *_SIZES[choice["size"]])


def shape(choice: Choice) -> Shape:
    """A shape of the form and the size; no two of its dimensions are equal but for those of 1."""
    long = size(choice)
    # Many in one dimension are enough.
    if choice["size"] == "near 1024" and choice["form"] == "3 or 5 dimensions":
        return ((2, 1, long), (1, 2, 1, 1, long))[choice.among("dimensions", 0, 1)]
    few, some = (2 if long > 2 else 5), (3 if long > 3 else 4)
    return {
        "-one dimension": ((long,), (1, long), (long, 1))[choice.among("dimensions", 0, 1, 2)],
        "one number": (),
        "no rows": (0, 3),
        "3 or 5 dimensions": ((few, long, some), (few, 1, long, 1, some))[choice.among("dimensions", 0, 1)],
    }[choice["form"]]


def bounds(scale: str, format: Format, power: int = 2) -> tuple[float, float]:
    """Between which numbers those of a scale lie; their power is in the range still, if barely."""
    top = math.frexp(format.largest)[1]
    reach = {
        "-ordinary": 3.0,
        "tiny": 2.0 ** ((format.smallest_exponent - 4) // power),
        "subnormal": 2.0 ** (format.smallest_exponent - 1),
        # Room for the sum of a few thousand, and for weights.
        "huge": 2.0 ** (top // 2 - 3 if power == 2 else top * 3 // 4),
    }[scale]
    return -reach, reach


def scaled(choice: Choice, name: str, own: Shape, power: int = 2) -> Tensor:
    """An argument of the level of scale; what is tiny is subnormal itself, or its power is."""
    scale = choice["scale"]
    if scale == "tiny" and choice.among("subnormal", 0, 1):
        scale = "subnormal"
    low, high = bounds(scale, choice.format, power)
    return drawn(low, high, own, choice.seed(name), choice.format)


def not_finite(choice: Choice, may_be_nan: bool) -> float:
    """An infinity of either sign, or nan."""
    return (math.inf, -math.inf, math.nan)[choice.among("not finite", *range(2 + may_be_nan))]


def place(choice: Choice, count: int) -> int:
    """The place of what is special, among so many."""
    return {"first": 0, "in the middle": count // 2, "last": count - 1}.get(choice["place"], 0)


def with_zeros(choice: Choice, tensor: Tensor) -> Tensor:
    """The tensor with a zero of each sign, if the row says so."""
    if choice["zeros"] == "-no zeros":
        return tensor
    count = tensor.values.size
    return patched(tensor, {1 % max(count, 1): 0.0, max(count - 2, 0): -0.0})


def with_special(choice: Choice, tensor: Tensor, other: Tensor) -> Tensor:
    """The tensor with what is special about it: infinite, or as the other one has it there, or almost."""
    special, count = choice["special"], tensor.values.size
    if special == "-nothing special" or count == 0:
        return tensor
    at = place(choice, count)
    if special.startswith("infinity"):
        return patched(tensor, {at: not_finite(choice, may_be_nan=special.endswith("nan"))})
    met = opposite(tensor.shape, other, at)
    return patched(tensor, {at: met if special == "a tie" else next_to(met, choice.format)})


def opposite(own: Shape, other: Tensor, at: int) -> float:
    """The first number of the other tensor that meets the one at a place, where both are broadcast."""
    grid = np.arange(math.prod(own)).reshape(own)
    places, values = np.broadcast_arrays(grid, other.values)
    return float(values.flat[int(np.flatnonzero(places == at)[0])])


def upstream(choice: Choice, result: Shape) -> str | None:
    """The upstream gradient for a result of this shape."""
    own = result if choice.reduction == "none" else ()
    if choice["upstream"] == "-any upstream":
        return None
    base = drawn(-2, 2, own, choice.seed("upstream"), choice.format)
    if choice["upstream"] == "huge upstream":
        return (patched(base, {base.values.size // 2: _HUGE}) if own else filled(_HUGE, ())).text
    if not own:
        return filled(0, ()).text
    return patched(base, {0: 0.0, base.values.size - 1: 0.0}).text


def option(name: str, *values: str) -> Levels:
    """The levels of an option: left out, or each of these."""
    return (f"-{name} left out", *(f"{name} {value}" for value in values))


def chosen(choice: Choice, name: str) -> str | None:
    """The value of an option, or None where it is left out."""
    level = choice[name]
    return None if level.startswith("-") else level.removeprefix(f"{name} ")
