"""The tables of the losses of a target for each class: several labels, and probabilities of the classes."""

from __future__ import annotations

import numpy as np

from proofs.combinations.circumstances import LONG_DTYPES, chosen, option, upstream
from proofs.combinations.class_targets import CLASSES, FORMS, HUNDREDS, RULES, dimensions, shapes, sizes
from proofs.combinations.classes import FEW_PUSHES, LOW_LOGITS, META_OF_ONE, leading
from proofs.combinations.logits import LOGITS, MASKED, logits
from proofs.combinations.table import Call, Choice, Levels, Rule, Table
from proofs.combinations.tensors import (
    Shape,
    Tensor,
    drawn,
    drawn_classes,
    filled,
    function_of,
    in_blocks,
    nearly_whole,
    patched,
)
from proofs.combinations.weights import WEIGHTS, weights

_LABELS: Levels = (
    "-labels",
    "the last label alone",
    "no label",
    "many labels",
    "a label twice",
    "labels after the end",
)
_SHARES: Levels = ("-0 and 1", "all alike", "int64 targets", "any numbers")
_BLOCKS = (1, 0, 0, 1, 1)
_DISTRIBUTIONS: Levels = ("-distributions", "one-hot targets", "targets of 0", "beyond 1", "sums near 1")


def _ends(shape: Shape, labels: list[int]) -> Tensor:
    """Rows with these labels at their beginning, and -1 in all other places."""
    classes = shape[-1]
    rows = shape[0] if len(shape) == 2 else 1
    numbers = {}
    # The first and the last row and one between; the others have no label.
    for row in sorted({0, rows // 2, rows - 1}):
        for place, label in enumerate(labels[:classes]):
            numbers[row * classes + place] = label
    return patched(filled(-1, shape, "int64"), numbers)


def _label_sets(choice: Choice, shape: Shape) -> Tensor:
    classes = shape[-1]
    last = classes - 1
    if choice["target"] == "many labels":
        return drawn_classes(classes, shape, choice.seed("target"))
    labels = {
        "-labels": [last // 2, 0],
        "the last label alone": [last],
        "no label": [],
        "a label twice": [last, 0, last],
        "labels after the end": [0, -1, last],
    }[choice["target"]]
    return _ends(shape, labels)


def _multilabel_margin(choice: Choice) -> Call:
    own, _ = shapes(choice)
    target = _label_sets(choice, own)
    input = logits(choice, own, -1)
    if choice["classes"] in HUNDREDS or choice["logits"] in MASKED:
        rows, columns = np.nonzero(np.atleast_2d(target.values) >= 0)
        labels = np.atleast_2d(target.values)[rows, columns]
        input = leading(input, (rows * own[-1] + labels).tolist(), choice["logits"])
    args = {"input": input.text, "target": target.text}
    return Call(args, {}, upstream(choice, own[:-1]))


def _multilabel_soft_margin(choice: Choice) -> Call:
    own, _ = shapes(choice)
    # The classes come last.
    own = (own[0], *own[2:], own[1]) if len(own) > 2 else own
    if choice["target"] == "any numbers":
        target = drawn(-0.5, 2, own, choice.seed("target"), choice.format)
    elif choice["target"] == "all alike":
        target = filled(choice.among("label", 0, 1), own)
    else:
        target = in_blocks(_BLOCKS, own, "int64" if choice["target"] == "int64 targets" else None)
    input = logits(choice, own, -1)
    params = {"weight": weights(choice, own[-1:])}
    return Call({"input": input.text, "target": target.text}, params, upstream(choice, own[:-1]))


def _with_probabilities(choice: Choice) -> Call:
    own, others = shapes(choice)
    axis, classes = min(len(own) - 1, 1), sizes(choice)[1]
    level, seed = choice["target"], choice.seed("target")
    if level == "-distributions":
        target = function_of("softmax", drawn(-3, 3, own, seed, choice.format), axis)
    elif level == "sums near 1" and classes > 1:
        target = nearly_whole(choice, "target", own, axis)
    elif level == "beyond 1":
        target = drawn(-1, 2, own, seed, choice.format)
    else:
        target = filled(0, own)
        if level == "one-hot targets":
            target = patched(target, {0: 1.0, target.values.size // 2: 1.0, target.values.size - 1: 1.0})
    input = logits(choice, own, axis)
    params = {
        "weight": weights(choice, (classes,)),
        "label_smoothing": chosen(choice, "label_smoothing"),
    }
    return Call({"input": input.text, "target": target.text}, params, upstream(choice, others))


# Of 1024 classes they are 0 in float16, and so is what they multiply.
_SMALL_SHARES = Rule(
    ("dtype", "label_smoothing"),
    lambda dtype, smoothing: dtype != "float16" or smoothing != "label_smoothing 1e-6",
)
_LIGHT = Rule(("form", "classes"), lambda form, classes: form != "more dimensions" or classes not in HUNDREDS)

TABLES = (
    Table(
        "CrossEntropyLoss",
        {
            **dimensions(),
            "classes": CLASSES[:-1],
            "logits": LOGITS,
            "target": _DISTRIBUTIONS,
            "weight": WEIGHTS,
            "label_smoothing": option("label_smoothing", "0.1", "1", "1e-6"),
        },
        (*RULES, *LOW_LOGITS, _SMALL_SHARES),
        _with_probabilities,
        "probabilities",
    ),
    Table(
        "MultiLabelMarginLoss",
        {
            **dimensions(),
            "dtype": LONG_DTYPES,
            "form": FORMS[:2],
            "classes": CLASSES[:-1],
            "logits": LOGITS,
            "target": _LABELS,
        },
        (
            *RULES,
            META_OF_ONE,
            *FEW_PUSHES,
            Rule(
                ("dtype", "classes"),
                lambda dtype, own: dtype != "float64" or own != "near 128 or 256 classes",
            ),
            Rule(("target", "logits"), lambda target, level: target != "many labels" or level not in MASKED),
            # The pushes of a row are summed one by one, and those of equal numbers err to one side.
            Rule(
                ("logits", "classes"),
                lambda logits, classes: logits != "equal logits" or classes in CLASSES[:2],
            ),
            Rule(
                ("target", "classes"),
                lambda target, classes: target != "many labels" or classes in CLASSES[:2],
            ),
        ),
        _multilabel_margin,
    ),
    Table(
        "MultiLabelSoftMarginLoss",
        # A known defect: the label that does not apply multiplies the logarithm of what is masked by 0.
        {
            **dimensions(),
            "classes": CLASSES[:-1],
            "logits": LOGITS[:-2],
            "target": _SHARES,
            "weight": WEIGHTS,
        },
        (*RULES, _LIGHT),
        _multilabel_soft_margin,
    ),
)
