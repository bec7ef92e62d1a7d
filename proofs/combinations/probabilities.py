"""The tables of the losses of probabilities element by element: BCE, with logits or without, and KL."""

from __future__ import annotations

import math

from proofs.combinations.circumstances import (
    ELEMENTWISE,
    PLACES,
    SCALES,
    SHAPED,
    SIZE_RULE,
    SPECIAL_RULES,
    SPECIALS,
    UPSTREAMS,
    ZEROS,
    chosen,
    common,
    opposite,
    option,
    place,
    scaled,
    shape,
    upstream,
    with_special,
    with_zeros,
)
from proofs.combinations.regression import BROADCAST_RULE, BROADCASTS, OWNERS, shapes
from proofs.combinations.table import Call, Choice, Levels, Rule, Table
from proofs.combinations.tensors import Shape, Tensor, drawn, in_blocks, next_to, patched
from proofs.combinations.weights import SPREAD_RULES, SPREADS, WEIGHTS, spread, weight_levels, weights

_RANGES: Levels = ("-ordinary", "near 0", "near 1", "below the bound")
_LIMITS = {
    "-ordinary": (2.0**-4, 1 - 2.0**-4),
    "near 0": (0.0, 2.0**-9),
    "near 1": (1 - 2.0**-3, 1.0),
    # Of a logarithm of -100.
    "below the bound": (2.0**-149, 2.0**-146),
}
_PROBABILITIES: Levels = (
    "-nothing special",
    "a probability of 0",
    "a probability of 1",
    "a tie",
    "almost a tie",
)
_EXACT = {"a probability of 0": 0.0, "a probability of 1": 1.0}
_LABELS: Levels = (
    "-shares",
    "targets of 0 and 1",
    "targets of 1",
    "shares near 0 or 1",
    "targets beyond 0 and 1",
)
_LABEL_BLOCKS = {
    "targets of 0 and 1": (1, 0, 0, 1),
    "targets of 1": (1,),
    "targets beyond 0 and 1": (-1, 2, 1.5),
}


def _with_exact(choice: Choice, tensor: Tensor, other: Tensor) -> Tensor:
    special, count = choice["special"], tensor.values.size
    if special == "-nothing special" or count == 0:
        return tensor
    at = place(choice, count)
    if special in _EXACT:
        return patched(tensor, {at: _EXACT[special]})
    met = opposite(tensor.shape, other, at)
    return patched(tensor, {at: met if special == "a tie" else next_to(met, choice.format, -math.inf)})


def _targets(choice: Choice, own: Shape) -> Tensor:
    if choice["labels"] == "-shares":
        return drawn(0, 1, own, choice.seed("target"), choice.format)
    if choice["labels"] == "shares near 0 or 1":
        # In single precision, they or what they lack of 1 are rounded.
        low, high = ((0, 2.0**-20), (1 - 2.0**-20, 1))[choice.among("near", 0, 1)]
        return drawn(low, high, own, choice.seed("target"), choice.format)
    return in_blocks(_LABEL_BLOCKS[choice["labels"]], own)


def _bce(choice: Choice) -> Call:
    own = shape(choice)
    input = drawn(*_LIMITS[choice["range"]], own, choice.seed("input"), choice.format)
    target = _targets(choice, own)
    if choice["owner"] == "target":
        target = _with_exact(choice, target, input)
    else:
        input = _with_exact(choice, input, target)
    params = {"weight": weights(choice, spread(choice, own))}
    return Call({"input": input.text, "target": target.text}, params, upstream(choice, own))


def _of_columns(choice: Choice, own: Shape) -> Shape:
    if choice["pos_weight"] == "one pos_weight":
        return () if own == () else ((), (1,))[choice.among("dimensions of pos_weight", 0, 1)]
    return own[-1:]


def _bce_with_logits(choice: Choice) -> Call:
    own = shape(choice)
    input = with_zeros(choice, scaled(choice, "input", own, power=1))
    target = _targets(choice, own)
    input = with_special(choice, input, target)
    params = {
        "weight": weights(choice, spread(choice, own)),
        "pos_weight": weights(choice, _of_columns(choice, own), "pos_weight"),
    }
    return Call({"input": input.text, "target": target.text}, params, upstream(choice, own))


def _kl(choice: Choice) -> Call:
    own, others, both = shapes(choice)
    low = -4 if choice["scale"] == "-ordinary" else -512
    input = drawn(low, -0.25, own, choice.seed("input"), choice.format)
    least, most = (-4, -0.25) if choice["log_target"] == "log_target true" else (2.0**-5, 1)
    target = drawn(least, most, others, choice.seed("target"), choice.format)
    input = with_special(choice, input, target)
    params = {"log_target": chosen(choice, "log_target")}
    return Call({"input": input.text, "target": target.text}, params, upstream(choice, both))


# Known defects, each with cases of its own.
_BOUND_IN_HALF = Rule(
    ("dtype", "range", "special"),
    lambda dtype, range, special: dtype != "float16" or (range == "-ordinary" and special not in _EXACT),
)
# That bound is a single-precision constant.
_BOUND_IN_DOUBLE = Rule(
    ("dtype", "range", "special"),
    lambda dtype, range, special: (
        dtype != "float64" or (range != "below the bound" and special not in _EXACT)
    ),
)
# At a label of 0 or 1 these are probabilities of 0 and 1 in other words, and beyond.
_TIES = Rule(
    ("labels", "special"), lambda labels, special: labels == "-shares" or not special.endswith("tie")
)
_BELOW_0 = Rule(
    ("range", "special"), lambda range, special: range != "below the bound" or special != "almost a tie"
)
_FINITE: Levels = ("-nothing special", "a tie", "almost a tie")

TABLES = (
    Table(
        "BCELoss",
        {
            **common(),
            **SHAPED,
            "range": _RANGES,
            "labels": _LABELS[:4],
            "special": _PROBABILITIES,
            "place": PLACES,
            "owner": OWNERS,
            "weight": WEIGHTS,
            "spread": SPREADS,
            "upstream": UPSTREAMS,
        },
        (SIZE_RULE, *SPECIAL_RULES, *SPREAD_RULES, _BOUND_IN_HALF, _BOUND_IN_DOUBLE, _TIES, _BELOW_0),
        _bce,
    ),
    Table(
        "BCEWithLogitsLoss",
        {
            **common(),
            **SHAPED,
            "scale": SCALES,
            "labels": _LABELS,
            "zeros": ZEROS,
            "special": _FINITE,
            "place": PLACES,
            "weight": WEIGHTS,
            "spread": SPREADS,
            "pos_weight": (*weight_levels("pos_weight"), "one pos_weight"),
            "upstream": UPSTREAMS,
        },
        (
            SIZE_RULE,
            *SPECIAL_RULES,
            *SPREAD_RULES,
            Rule(
                ("dtype", "scale", "upstream"),
                lambda dtype, scale, upstream: (
                    dtype != "float16" or scale != "huge" or upstream != "huge upstream"
                ),
            ),
            Rule(
                ("dtype", "scale", "pos_weight"),
                lambda dtype, scale, own: dtype != "float16" or scale != "huge" or own.startswith("-"),
            ),
        ),
        _bce_with_logits,
    ),
    Table(
        "KLDivLoss",
        {
            **common((*ELEMENTWISE, "batchmean")),
            **SHAPED,
            "broadcast": BROADCASTS,
            "scale": ("-ordinary", "huge"),
            "special": SPECIALS,
            "place": PLACES,
            "log_target": option("log_target", "false", "true"),
            "upstream": UPSTREAMS,
        },
        (
            SIZE_RULE,
            BROADCAST_RULE,
            *SPECIAL_RULES,
            # Their sum is beyond the range.
            Rule(
                ("dtype", "broadcast", "upstream"),
                lambda dtype, broadcast, upstream: (
                    dtype != "float16" or broadcast == "-alike" or upstream != "huge upstream"
                ),
            ),
        ),
        _kl,
    ),
)
