"""Class indices: their dtype, which classes they name, and which of them are ignored."""

from __future__ import annotations

import math

from proofs.combinations.circumstances import ELEMENTWISE, UPSTREAMS, chosen, common, option
from proofs.combinations.table import Choice, Levels, Rule
from proofs.combinations.tensors import Shape, Tensor, drawn_classes, filled, in_blocks, listed, patched

FORMS: Levels = ("-a batch", "one vector of classes", "more dimensions", "no rows")
ROWS: Levels = ("-few rows", "one row", "near 32 rows", "near 256 rows")
CLASSES: Levels = (
    "-few classes",
    "near 16 classes",
    "near 128 or 256 classes",
    "hundreds of classes",
    "thousands of classes",
    "32769 classes",
)
# So many are in few rows only.
MANY = CLASSES[4:]
# So many that a kernel takes them in blocks; the last block is not whole.
HUNDREDS = CLASSES[3:]
_SIZES = {
    "-few rows": (3, 4, 5, 6),
    "one row": (1,),
    "near 32 rows": (15, 17, 31, 32, 33),
    "near 256 rows": (127, 129, 255, 256, 257),
    "300 rows": (300,),
    "one class": (1,),
    "-few classes": (2, 3, 4, 5, 7),
    "near 16 classes": (15, 16, 17),
    "near 128 or 256 classes": (128, 129, 256, 257),
    "hundreds of classes": (133, 150, 200, 300, 411),
    # Most of them make rows that do not begin at aligned addresses.
    "thousands of classes": (1023, 1024, 1025, 1030, 1100, 1531, 2049, 2051),
    "32769 classes": (32769,),
}
TARGETS: Levels = ("-any classes", "all the first class", "all the last class")
DTYPES: Levels = ("-int64", "uint8 targets")
IGNORED: Levels = ("-nothing ignored", "one ignored", "all but one ignored", "all ignored")
IGNORE_INDEX: Levels = option("ignore_index", "-1", "0")
_FEW = 1000
_BLOCK = 128
# More numbers than two bytes count.
_MANY_BYTES = ("300 rows", "near 128 or 256 classes")
_DEFAULT_IGNORED = -100
_LARGEST_BYTE = 255

RULES = (
    Rule(
        ("form", "rows"),
        lambda form, rows: (
            rows == "-few rows" or form == "-a batch" or (form, rows) == ("more dimensions", "one row")
        ),
    ),
    # Only few rows of many classes, and the other way round: one of the two is the size that is looked at.
    Rule(
        ("rows", "classes"),
        lambda rows, classes: (
            rows not in ("near 256 rows", "300 rows")
            or classes in CLASSES[:2]
            or (rows, classes) == _MANY_BYTES
        ),
    ),
    Rule(
        ("rows", "classes", "target dtype"),
        lambda rows, classes, dtype: (
            rows != "300 rows" or ((rows, classes) == _MANY_BYTES and dtype == "uint8 targets")
        ),
    ),
    Rule(
        ("rows", "classes"),
        lambda rows, classes: classes not in MANY or rows in ("-few rows", "one row"),
    ),
    Rule(
        ("form", "classes"),
        lambda form, classes: (
            (classes not in MANY or form != "more dimensions")
            and (classes != "32769 classes" or form in ("one vector of classes", "no rows"))
        ),
    ),
    Rule(("target dtype", "classes"), lambda dtype, classes: dtype == "-int64" or _SIZES[classes][-1] < 1000),
    Rule(("form", "ignored"), lambda form, ignored: form != "no rows" or ignored == "-nothing ignored"),
    # Known defects: the kernels of more dimensions, of one vector and of smoothing take int64 only.
    Rule(
        ("target dtype", "form"),
        lambda dtype, form: dtype == "-int64" or form not in ("more dimensions", "one vector of classes"),
    ),
    # Nor do derivatives of derivatives.
    Rule(
        ("target dtype", "dtype"),
        lambda target, dtype: target == "-int64" or dtype in ("float16", "bfloat16"),
    ),
    # A byte is not negative.
    Rule(
        ("target dtype", "ignored", "ignore_index"),
        lambda dtype, ignored, index: (
            dtype == "-int64"
            or (ignored == "-nothing ignored" and not index.endswith(" -1"))
            or index.endswith(" 0")
        ),
    ),
)


def dimensions(reductions: Levels = ELEMENTWISE) -> dict[str, Levels]:
    """Those of all losses of classes."""
    return {
        **common(reductions),
        "form": FORMS,
        "rows": ROWS,
        "classes": CLASSES,
        "target": TARGETS,
        "upstream": UPSTREAMS,
    }


def sizes(choice: Choice) -> tuple[int, int]:
    """How many rows and how many classes there are."""
    rows, classes = (choice.among(name, *_SIZES[choice[name]]) for name in ("rows", "classes"))
    if "target dtype" in choice.row and choice["target dtype"] == "uint8 targets":
        classes = min(classes, _LARGEST_BYTE + 1) if rows != 300 else _LARGEST_BYTE + 1
    return rows, classes


def shapes(choice: Choice) -> tuple[Shape, Shape]:
    """The shapes of the input and of its targets; the sizes all differ."""
    rows, classes = sizes(choice)
    if choice["form"].endswith("more dimensions") and classes > _BLOCK:
        rows = min(rows, 2)
    pixels = ((8,), (2, 1, 8), (11,), (9, 10))[
        choice.among("pixels", *range(3 + _may_be_flat(choice, rows * classes)))
    ]
    return {
        "-a batch": ((rows, classes), (rows,)),
        "one vector of classes": ((classes,), ()),
        "more dimensions": ((rows, classes, *pixels), (rows, *pixels)),
        "-more dimensions": ((rows, classes, *pixels), (rows, *pixels)),
        "no rows": ((0, classes), (0,)),
    }[choice["form"]]


def _may_be_flat(choice: Choice, count: int) -> bool:
    """Whether there may be pixels in two dimensions.

    A known defect: then the gradient of NLLLoss must be contiguous, and is not if the input is not.
    """
    return count < _FEW and (choice["dtype"] != "float32" or not choice.table.startswith("NLL"))


def targets(choice: Choice, shape: Shape, classes: int) -> Tensor:
    """Class indices, some of which may be ignored."""
    dtype = "uint8" if choice.row.get("target dtype") == "uint8 targets" else None
    last = classes - 1
    ignored = (
        int(chosen(choice, "ignore_index") or _DEFAULT_IGNORED) if "ignore_index" in choice.row else None
    )
    fixed = {
        "all the first class": (0,),
        "all the last class": (last,),
        "-any classes": (last, 0, last // 2, min(1, last)),
    }[choice["target"]]
    if choice["target"] == "-any classes" and dtype is None:
        own = drawn_classes(classes, shape, choice.seed("target"))
        own = patched(own, {math.prod(shape) // 2: last}) if shape else listed(last)
    elif dtype is None and len(fixed) == 1:
        own = filled(fixed[0], shape, "int64") if shape else listed(fixed[0])
    else:
        own = in_blocks(fixed, shape, dtype or "int64")
    level = choice.row.get("ignored", "-nothing ignored")
    if level == "-nothing ignored" or ignored is None:
        return own
    count = math.prod(shape)
    if level == "one ignored":
        place = choice.among("ignored", 0, count // 2, count - 1)
        return patched(own, {place: ignored}) if shape else listed(ignored, dtype)
    every = filled(ignored, shape, dtype or "int64")
    kept = fixed[0] if fixed[0] != ignored else max(last, 0) - (last == ignored)
    if level == "all but one ignored" and shape:
        return patched(every, {choice.among("kept", 0, count // 2, count - 1): max(kept, 0)})
    return every
