"""The tables of the losses of class indices: NLL, cross entropy and the margins over classes."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from proofs.combinations.circumstances import LONG_DTYPES, chosen, option, upstream
from proofs.combinations.class_targets import (
    CLASSES,
    DTYPES,
    FORMS,
    HUNDREDS,
    IGNORE_INDEX,
    IGNORED,
    MANY,
    ROWS,
    RULES,
    dimensions,
    shapes,
    sizes,
    targets,
)
from proofs.combinations.logits import CLOSE, LOGITS, MASKED, logits
from proofs.combinations.table import Call, Choice, Levels, Rule, Table
from proofs.combinations.tensors import Shape, Tensor, drawn, patched
from proofs.combinations.weights import WEIGHTS, weights

SPECIALS: Levels = (
    "-nothing special",
    "minus infinity beside the target",
    "nan at the target",
    "infinity at the target",
)

SMOOTHING: Levels = option("label_smoothing", "0", "0.1", "1", "1e-6")
UNSMOOTHED = ("-label_smoothing left out", "label_smoothing 0")


def with_special(choice: Choice, input: Tensor, target: Tensor, axis: int) -> Tensor:
    """Something special at the target of the middle row, or beside it."""
    special = choice.row.get("special", "-nothing special")
    if special.startswith("-") or target.values.size == 0:
        return input
    at = target.values.size // 2
    index = [int(place) for place in _unravelled(at, target.shape)]
    label, classes = int(target.values.flat[at]), input.shape[axis]
    label = label if 0 <= label < classes else 0
    if special == "minus infinity beside the target":
        label = (label + 1) % classes
    value = {"nan at the target": math.nan, "infinity at the target": math.inf}.get(special, -math.inf)
    index.insert(axis, label)
    return patched(input, {_raveled(index, input.shape): value})


def _unravelled(place: int, shape: Shape) -> list[int]:
    found = []
    for size in reversed(shape):
        found.append(place % size)
        place //= size
    return found[::-1]


def _raveled(index: list[int], shape: Shape) -> int:
    place = 0
    for own, size in zip(index, shape, strict=True):
        place = place * size + own
    return place


def _nll(choice: Choice) -> Call:
    own, others = shapes(choice)
    axis, classes = min(len(own) - 1, 1), sizes(choice)[1]
    target = targets(choice, others, classes)
    input = drawn(-8, 0, own, choice.seed("input"), choice.format)
    input = with_special(choice, input, target, axis)
    params = {"weight": weights(choice, (classes,)), "ignore_index": chosen(choice, "ignore_index")}
    return Call({"input": input.text, "target": target.text}, params, upstream(choice, others))


def _cross_entropy(choice: Choice) -> Call:
    own, others = shapes(choice)
    axis, classes = min(len(own) - 1, 1), sizes(choice)[1]
    target = targets(choice, others, classes)
    input = with_special(choice, logits(choice, own, axis), target, axis)
    params = {
        "weight": weights(choice, (classes,)),
        "ignore_index": chosen(choice, "ignore_index"),
        "label_smoothing": chosen(choice, "label_smoothing"),
    }
    return Call({"input": input.text, "target": target.text}, params, upstream(choice, others))


def leading(input: Tensor, places: Iterable[int], level: str) -> Tensor:
    """The input with scores at these places that few others come near, so that only few push."""
    lead = {"logits far apart": 90.0, "-ordinary logits": 4.5}.get(level, 3.0)
    return patched(input, dict.fromkeys(places, lead))


def _multi_margin(choice: Choice) -> Call:
    own, others = shapes(choice)
    axis, classes = min(len(own) - 1, 1), sizes(choice)[1]
    target = targets(choice, others, classes)
    input = logits(choice, own, axis)
    if choice["classes"] in HUNDREDS or choice["logits"] in MASKED:
        rows = np.arange(target.values.size)
        input = leading(input, (rows * classes + target.values.ravel()).tolist(), choice["logits"])
    input = with_special(choice, input, target, axis)
    params = {
        "p": chosen(choice, "p"),
        "margin": chosen(choice, "margin"),
        "weight": weights(choice, (classes,)),
    }
    return Call({"input": input.text, "target": target.text}, params, upstream(choice, others))


_IGNORING: dict[str, Levels] = {"target dtype": DTYPES, "ignored": IGNORED, "ignore_index": IGNORE_INDEX}
# Known defects, each with cases of its own.
_SMOOTHING_IN_HALF = Rule(
    ("dtype", "classes", "label_smoothing"),
    lambda dtype, classes, smoothing: dtype != "float16" or classes not in MANY or smoothing in UNSMOOTHED,
)
# Where the classes are not last, exponentials are summed one by one: added to 1, the low ones err together.
LOW_LOGITS = (
    Rule(
        ("form", "logits", "classes"),
        lambda form, logits, classes: (
            form != "more dimensions" or logits != "most logits far below" or classes in CLASSES[:2]
        ),
    ),
)
META_OF_ONE = Rule(
    ("form", "reduction"), lambda form, reduction: form != "one vector of classes" or reduction != "none"
)
_SPECIAL_IN_IGNORED = (
    Rule(
        ("special", "ignored"),
        lambda special, ignored: special.startswith("-") or ignored == "-nothing ignored",
    ),
    Rule(
        ("special", "ignore_index"),
        lambda special, index: special.startswith("-") or index != "ignore_index 0",
    ),
)
# A known defect: the losses are summed in float16, which keeps their sum where it is that of one number.
_SUM_IN_HALF = Rule(
    ("dtype", "reduction", "ignored"),
    lambda dtype, reduction, ignored: (
        dtype != "float16" or reduction == "none" or ignored in ("all but one ignored", "all ignored")
    ),
)
_BYTES_SMOOTHED = Rule(
    ("target dtype", "label_smoothing"),
    lambda dtype, smoothing: dtype == "-int64" or smoothing in UNSMOOTHED,
)
_WEIGHT_OF_0 = Rule(
    ("reduction", "label_smoothing", "weight", "target", "ignored"),
    lambda reduction, smoothing, weight, target, ignored: (
        reduction != "mean"
        or smoothing in UNSMOOTHED
        or weight != "weights with zeros"
        or (target == "-any classes" and ignored in IGNORED[:2])
    ),
)
_MARGINS: Levels = ("-nothing special", "minus infinity beside the target", "infinity at the target")
# Of many classes, the pushes are summed one by one: a known defect, unless they are few.
FEW_PUSHES = (
    Rule(("logits", "classes"), lambda logits, classes: logits not in CLOSE or classes not in HUNDREDS),
    Rule(
        ("margin", "classes"),
        lambda margin, classes: margin not in ("margin 8192", "margin .inf") or classes in CLASSES[:2],
    ),
)
# Infinity is subtracted from infinity.
_INFINITE_MARGINS = tuple(
    Rule(
        ("margin", name),
        lambda margin, level: margin != "margin .inf" or level not in (*MASKED, *_MARGINS[1:]),
    )
    for name in ("logits", "special")
)

TABLES = (
    Table(
        "NLLLoss",
        {
            **dimensions(),
            **_IGNORING,
            "rows": (*ROWS, "300 rows"),
            "weight": WEIGHTS,
            "special": SPECIALS,
        },
        (*RULES, *_SPECIAL_IN_IGNORED),
        _nll,
    ),
    Table(
        "NLLLoss2d",
        {
            **dimensions(),
            "form": ("-more dimensions",),
            "rows": ROWS[:3],
            "classes": CLASSES[:4],
            "ignored": IGNORED,
            "ignore_index": IGNORE_INDEX,
            "weight": WEIGHTS,
            "special": SPECIALS,
        },
        (*_SPECIAL_IN_IGNORED, _SUM_IN_HALF),
        _nll,
    ),
    Table(
        "CrossEntropyLoss",
        {
            **dimensions(),
            **_IGNORING,
            "logits": LOGITS,
            "weight": WEIGHTS,
            "label_smoothing": SMOOTHING,
            "special": SPECIALS,
        },
        (*RULES, *_SPECIAL_IN_IGNORED, _BYTES_SMOOTHED, _SMOOTHING_IN_HALF, *LOW_LOGITS, _WEIGHT_OF_0),
        _cross_entropy,
    ),
    Table(
        "MultiMarginLoss",
        {
            **dimensions(),
            "dtype": LONG_DTYPES,
            # Of no rows, the result is never written.
            "form": FORMS[:2],
            "classes": CLASSES[:-1],
            "logits": LOGITS,
            "weight": WEIGHTS,
            "p": option("p", "1", "2"),
            "margin": option("margin", "1", "0", "-0.5", "8192", ".inf"),
            "special": _MARGINS,
        },
        (*RULES, META_OF_ONE, *FEW_PUSHES, *_INFINITE_MARGINS),
        _multi_margin,
    ),
)
