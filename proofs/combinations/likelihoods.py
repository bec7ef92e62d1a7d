"""The tables of the likelihoods of numbers: PoissonNLLLoss and GaussianNLLLoss."""

from __future__ import annotations

import math

from proofs.combinations.circumstances import (
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
from proofs.combinations.tensors import Shape, Tensor, drawn, in_blocks, patched

_COUNTS: Levels = ("-counts", "counts of whole numbers", "fractional counts", "huge counts")
_FEW = (2, 5, 1, 7)
_RATES: Levels = ("-ordinary rates", "small rates", "large rates", "rates up to eps")
# The powers of two between which the rates lie, or the logarithms.
_POWERS = {
    "-ordinary rates": (-2, 2),
    "small rates": (-8, -4),
    "large rates": (3, 8),
    # The default one is 1e-8.
    "rates up to eps": (-40, -27),
}

_VARIANCES: Levels = ("-variances alike", "one column of variances", "variances of rows")
_SIZES_OF_VARIANCES: Levels = (
    "-ordinary variances",
    "variances below eps",
    "huge variances",
    "tiny variances",
    "one variance of 0",
)


def _counts(choice: Choice, own: Shape) -> Tensor:
    level = choice["counts"]
    if level == "counts of whole numbers":
        return in_blocks(_FEW, own, ("int64", "uint8")[choice.among("dtype", 0, 1)])
    if level == "-counts":
        return in_blocks(_FEW, own)
    top = 9.0 if level == "fractional counts" else 2.0 ** (math.frexp(choice.format.largest)[1] // 2)
    return drawn(1.25, top, own, choice.seed("target"), choice.format)


def _poisson(choice: Choice) -> Call:
    own, others, both = shapes(choice)
    is_log = choice["log_input"] != "log_input false"
    low, high = _POWERS[choice["rates"]]
    least, most = (low, high) if is_log else (2.0**low, 2.0**high)
    input = drawn(least, most, own, choice.seed("input"), choice.format)
    target = _counts(choice, others)
    input = with_special(choice, input, target)
    params = {name: chosen(choice, name) for name in ("log_input", "full", "eps")}
    return Call({"input": input.text, "target": target.text}, params, upstream(choice, both))


def _var(choice: Choice, own: Shape) -> Tensor:
    shaped = {
        "-variances alike": own,
        "one column of variances": (*own[:-1], 1),
        "variances of rows": own[:-1],
    }[choice["variances"]]
    level, seed = choice["var"], choice.seed("var")
    if level == "variances below eps":
        return drawn(0, 2.0**-22, shaped, seed, choice.format)
    if level == "tiny variances":
        return drawn(2.0**-24, 2.0**-22, shaped, seed, choice.format)
    if level == "huge variances":
        return drawn(16, 2.0**12, shaped, seed, choice.format)
    ordinary = drawn(0.25, 3, shaped, seed, choice.format)
    if level == "one variance of 0" and ordinary.values.size:
        return patched(ordinary, {place(choice, ordinary.values.size): 0.0})
    return ordinary


def _gaussian(choice: Choice) -> Call:
    own = shape(choice)
    others = own[1:] if choice["broadcast"] == "targets broadcast" else own
    input = with_zeros(choice, scaled(choice, "input", own))
    target = with_zeros(choice, scaled(choice, "target", others))
    if choice["owner"] == "target":
        target = with_special(choice, target, input)
    else:
        input = with_special(choice, input, target)
    args = {"input": input.text, "target": target.text, "var": _var(choice, own).text}
    params = {name: chosen(choice, name) for name in ("full", "eps")}
    return Call(args, params, upstream(choice, own))


TABLES = (
    Table(
        "PoissonNLLLoss",
        {
            **common(),
            **SHAPED,
            "broadcast": BROADCASTS,
            "rates": _RATES,
            "counts": _COUNTS,
            "special": SPECIALS,
            "place": PLACES,
            "log_input": option("log_input", "true", "false"),
            "full": option("full", "false", "true"),
            "eps": option("eps", "1e-8", "0", "0.5"),
            "upstream": UPSTREAMS,
        },
        (
            SIZE_RULE,
            BROADCAST_RULE,
            *SPECIAL_RULES,
            # Their quotients and products are beyond the range.
            Rule(("dtype", "counts"), lambda dtype, counts: dtype != "float16" or counts != "huge counts"),
            Rule(
                ("dtype", "rates", "upstream"),
                lambda dtype, rates, upstream: (
                    dtype != "float16" or rates != "large rates" or upstream != "huge upstream"
                ),
            ),
            # Nor is 1e-8 in the range.
            Rule(("dtype", "rates"), lambda dtype, rates: dtype != "float16" or rates != "rates up to eps"),
            # Their exponentials are.
            Rule(
                ("counts", "special"),
                lambda counts, special: counts != "huge counts" or not special.endswith("tie"),
            ),
            # A known defect: their logarithm is taken in single precision.
            Rule(
                ("dtype", "counts", "full"),
                lambda dtype, counts, full: (
                    dtype != "float64" or full != "full true" or "whole" not in counts
                ),
            ),
        ),
        _poisson,
    ),
    Table(
        "GaussianNLLLoss",
        {
            **common(),
            **SHAPED,
            "broadcast": BROADCASTS[:2],
            "scale": SCALES,
            "zeros": ZEROS,
            "special": SPECIALS,
            "place": PLACES,
            "owner": OWNERS,
            "variances": _VARIANCES,
            "var": _SIZES_OF_VARIANCES,
            "full": option("full", "false", "true"),
            "eps": option("eps", "1e-6", "0.5", "0", "1e-30"),
            "upstream": UPSTREAMS,
        },
        (
            SIZE_RULE,
            BROADCAST_RULE,
            *SPECIAL_RULES,
            Rule(("form", "variances"), lambda form, var: form == "3 or 5 dimensions" or var[0] == "-"),
            Rule(
                ("dtype", "var"),
                lambda dtype, var: dtype != "float16" or var == "-ordinary variances",
            ),
            # Nothing divides by 0.
            Rule(
                ("eps", "var"),
                lambda eps, var: (
                    eps not in ("eps 0", "eps 1e-30") or var in ("-ordinary variances", "tiny variances")
                ),
            ),
        ),
        _gaussian,
    ),
)
