"""The tables of the losses of two tensors of any real numbers: L1, MSE, Smooth L1 and Huber."""

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
    WITHOUT_NAN,
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
from proofs.combinations.table import Call, Choice, Levels, Rule, Table
from proofs.combinations.tensors import Shape, Tensor, in_blocks
from proofs.combinations.weights import WEIGHTS, weights

BROADCASTS: Levels = ("-alike", "targets broadcast", "inputs broadcast", "both broadcast")
BROADCAST_RULE = Rule(
    ("form", "broadcast"),
    lambda form, broadcast: broadcast == "-alike" or form == "3 or 5 dimensions",
)
OWNERS: Levels = ("-input", "target")
_WARNS = '{when: call, kind: shape, torch: {type: UserWarning, match: "Using a target size"}}'
_WHOLE = ("int64", "uint8")
TARGETS: Levels = ("-targets of its dtype", "targets of whole numbers", "narrower targets")
NARROWER = {"float64": "float32", "float32": "float16"}
_TARGET_RULES = (
    Rule(("target", "dtype"), lambda target, dtype: target != "narrower targets" or dtype in NARROWER),
    Rule(("target", "owner"), lambda target, owner: target == TARGETS[0] or owner == "-input"),
)


def shapes(choice: Choice) -> tuple[Shape, Shape, Shape]:
    """The shapes of the input, of the target, and of what both broadcast to."""
    own = shape(choice)
    which = choice.among("broadcast", 0, 1)
    if choice["broadcast"] == "targets broadcast":
        return own, (own[1:], ())[which], own
    if choice["broadcast"] == "inputs broadcast":
        return ((1, *own[1:]) if which and own[0] > 1 else (*own[:-1], 1)), own, own
    if choice["broadcast"] == "both broadcast":
        # A column and a row.
        return (*own[:-1], 1), ((1,) * (len(own) - 1) + own[-1:], own[-1:])[which], own
    return own, own, own


def target_of(choice: Choice, own: Shape, floats: Tensor) -> Tensor:
    """The target in the dtype that the row says."""
    if choice["target"] == "targets of whole numbers":
        return in_blocks([2, 0, 3, 1], own, _WHOLE[choice.among("target", 0, 1)])
    if choice["target"] == "narrower targets":
        return in_blocks([0.5, -1.25, 2, 0], own, NARROWER[choice["dtype"]])
    return floats


def _build(choice: Choice) -> Call:
    own, others, both = shapes(choice)
    input = with_zeros(choice, scaled(choice, "input", own))
    target = target_of(choice, others, with_zeros(choice, scaled(choice, "target", others)))
    if choice["owner"] == "target":
        target = with_special(choice, target, input)
    else:
        input = with_special(choice, input, target)
    params = {name: chosen(choice, name) for name in ("beta", "delta") if name in choice.row}
    if "weight" in choice.row:
        params["weight"] = weights(choice, own)
    warns = None if choice["broadcast"] == "-alike" else _WARNS
    args = {"input": input.text, "target": target.text}
    return Call(args, params, upstream(choice, both), warns=warns)


def _table(loss: str, own: dict[str, Levels], targets: Levels, *rules: Rule) -> Table:
    dimensions = {
        **common(),
        "form": FORMS,
        "size": SIZES,
        "broadcast": BROADCASTS,
        "target": targets,
        "scale": SCALES,
        "zeros": ZEROS,
        "special": SPECIALS,
        "place": PLACES,
        "owner": OWNERS,
        "upstream": UPSTREAMS,
        **own,
    }
    all_rules = (SIZE_RULE, BROADCAST_RULE, *SPECIAL_RULES, *_TARGET_RULES, *rules)
    return Table(loss, dimensions, all_rules, _build)


# Known defects, each with cases of its own.
_WEIGHTS_OF_BROADCAST_INPUT = Rule(
    ("broadcast", "weight"),
    lambda broadcast, weight: broadcast not in BROADCASTS[2:] or weight == "-no weights",
)
_SUBNORMAL_IN_HALF = Rule(
    ("dtype", "scale", "upstream"),
    lambda dtype, scale, upstream: dtype != "float16" or scale != "tiny" or upstream != "huge upstream",
)
_ZERO_TENSORS = Rule(("dtype", "form"), lambda dtype, form: dtype != "float64" or form != "one number")
_META_OF_NOTHING = Rule(
    ("form", "target"), lambda form, target: form != "no rows" or target != "targets of whole numbers"
)
_SUM_IN_HALF = Rule(
    ("dtype", "size", "weight"),
    lambda dtype, size, weight: dtype != "float16" or size != "near 1024" or weight == "-no weights",
)
_DERIVATIVE_IN_WHOLE_NUMBERS = Rule(
    ("dtype", "target"), lambda dtype, target: dtype != "float64" or target != "targets of whole numbers"
)
_MEAN_OF_NOTHING = Rule(
    ("form", "reduction"), lambda form, reduction: form != "no rows" or reduction != "mean"
)

TABLES = (
    _table("L1Loss", {"special": WITHOUT_NAN}, TARGETS),
    _table(
        "MSELoss",
        {"weight": WEIGHTS},
        TARGETS,
        _WEIGHTS_OF_BROADCAST_INPUT,
        _SUM_IN_HALF,
        _SUBNORMAL_IN_HALF,
        _ZERO_TENSORS,
        _DERIVATIVE_IN_WHOLE_NUMBERS,
    ),
    _table(
        "SmoothL1Loss",
        {"special": WITHOUT_NAN, "beta": option("beta", "1", "0", "0.5", "100", ".inf", "1e-30")},
        TARGETS,
        _DERIVATIVE_IN_WHOLE_NUMBERS,
        _META_OF_NOTHING,
        # One infinity divided by the other is undefined.
        Rule(("special", "beta"), lambda special, beta: special != "infinity" or beta != "beta .inf"),
    ),
    _table(
        "HuberLoss",
        {"delta": option("delta", "1", "0.25", "100", ".inf", "1e-30"), "weight": WEIGHTS},
        TARGETS[:1],
        _MEAN_OF_NOTHING,
        _WEIGHTS_OF_BROADCAST_INPUT,
    ),
)
