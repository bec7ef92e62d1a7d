"""The tables of the losses with labels of 1 and -1: hinge embedding, margin ranking and soft margin."""

from __future__ import annotations

from proofs.combinations.circumstances import (
    FORMS,
    PLACES,
    SCALES,
    SIZE_RULE,
    SIZES,
    SPECIAL_RULES,
    SPECIALS,
    UPSTREAMS,
    ZEROS,
    chosen,
    common,
    option,
    scaled,
    shape,
    upstream,
    with_special,
    with_zeros,
)
from proofs.combinations.regression import BROADCAST_RULE, BROADCASTS, shapes
from proofs.combinations.table import Call, Choice, Levels, Table
from proofs.combinations.tensors import Shape, Tensor, filled, in_blocks

LABELS: Levels = ("-labels of both signs", "labels of one sign", "labels of whole numbers", "a label of 0")
FINITE: Levels = ("-nothing special", "a tie", "almost a tie")


def labels(choice: Choice, own: Shape) -> Tensor:
    """The labels of the level of that name."""
    level = choice["labels"]
    if level == "labels of one sign":
        return filled(choice.among("sign", 1, -1), own)
    if level == "a label of 0":
        return in_blocks((1, 0, -1), own)
    dtype = ("int64", "int32")[choice.among("dtype", 0, 1)]
    return in_blocks((1, -1, -1, 1), own, dtype if level == "labels of whole numbers" else None)


def _hinge(choice: Choice) -> Call:
    own, others, both = shapes(choice)
    margin = chosen(choice, "margin") if "margin" in choice.row else None
    input = with_zeros(choice, scaled(choice, "input", own, power=1))
    # What ties with the margin is on the edge of the hinge.
    edge = 1.0 if margin is None or "inf" in margin else float(margin)
    input = with_special(choice, input, filled(edge, ()))
    args = {"input": input.text, "target": labels(choice, others).text}
    return Call(args, {"margin": margin}, upstream(choice, both))


def _ranking(choice: Choice) -> Call:
    own, others, both = shapes(choice)
    if others == ():
        others = (1,) * len(own)
    others = (1,) * (len(own) - len(others)) + others
    first = with_zeros(choice, scaled(choice, "input1", own))
    second = scaled(choice, "input2", others)
    first = with_special(choice, first, second)
    args = {"input1": first.text, "input2": second.text, "target": labels(choice, both).text}
    return Call(args, {"margin": chosen(choice, "margin")}, upstream(choice, both))


def _soft(choice: Choice) -> Call:
    own = shape(choice)
    others = shapes(choice)[1]
    input = with_zeros(choice, scaled(choice, "input", own))
    target = labels(choice, others)
    input = with_special(choice, input, target)
    return Call({"input": input.text, "target": target.text}, {}, upstream(choice, own))


def _dimensions(scales: Levels, broadcasts: Levels) -> dict[str, Levels]:
    return {
        **common(),
        "form": FORMS,
        "size": SIZES,
        "broadcast": broadcasts,
        "scale": scales,
        "labels": LABELS,
        "zeros": ZEROS,
        "special": SPECIALS,
        "place": PLACES,
        "upstream": UPSTREAMS,
    }


_RULES = (SIZE_RULE, BROADCAST_RULE, *SPECIAL_RULES)
_MARGIN = {"margin": option("margin", "1", "0", "-0.5", "8192", ".inf")}
TABLES = (
    Table("HingeEmbeddingLoss", {**_dimensions(SCALES, BROADCASTS), **_MARGIN}, _RULES, _hinge),
    Table("MarginRankingLoss", {**_dimensions(SCALES, BROADCASTS), **_MARGIN}, _RULES, _ranking),
    # Beyond the largest exponential, the soft margin is a known defect.
    Table("SoftMarginLoss", {**_dimensions(SCALES[:2], BROADCASTS[:2]), "special": FINITE}, _RULES, _soft),
)
