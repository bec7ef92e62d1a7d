"""Which circumstances of the losses of vectors go together."""

from __future__ import annotations

from proofs.combinations.circumstances import SIZES
from proofs.combinations.table import Rule

RULES = (
    Rule(
        ("special", "place"), lambda special, place: (special == "-nothing special") == (place == "-nowhere")
    ),
    Rule(("form", "place"), lambda form, place: form != "no rows" or place == "-nowhere"),
    Rule(("form", "size"), lambda form, size: form not in ("no rows", "one component") or size == "-few"),
    Rule(("form", "broadcast"), lambda form, own: own == "-alike" or form in ("-vectors", "many rows")),
)
# Known defects, each with cases of its own.
NOT_FINITE = tuple(
    Rule(
        ("special", name),
        lambda special, norm: (
            special != "infinity or nan" or not norm.endswith((" 1", ".inf", "eps0", "linf"))
        ),
    )
    for name in ("p",)
)
SUBNORMAL_SQUARES = Rule(
    ("scale", "eps"), lambda scale, eps: scale != "tiny" or eps not in ("eps 0", "eps 1e-30")
)
# Of components that are all eps, a sum one by one errs to one side.
ALL_EPS = Rule(("scale", "size"), lambda scale, size: scale != "tiny" or size in SIZES[:2])
POWERS_IN_HALF = Rule(
    ("dtype", "special", "p"),
    lambda dtype, special, p: dtype != "float16" or special != "equal components" or p != "p 3",
)
POWERS = (
    Rule(("scale", "p"), lambda scale, p: scale == "-ordinary" or p not in ("p 3", "p -1")),
    Rule(
        ("dtype", "scale", "p"), lambda dtype, scale, p: dtype != "float16" or scale != "huge" or p != "p 0.5"
    ),
    Rule(("dtype", "p"), lambda dtype, p: dtype != "float16" or p != "p -1"),
    # The power of the smallest component hides the others, which are summed one by one.
    Rule(("special", "p"), lambda special, p: special != "almost equal components" or p != "p -1"),
)
PRODUCTS = Rule(
    ("scale", "distance_function"),
    lambda scale, name: scale != "huge" or name != "distance_function cosine_distance",
)
SECOND_DERIVATIVES = Rule(
    ("special", "eps"), lambda special, eps: special != "equal components" or eps != "eps 0"
)
ZEROS_IN_HALF = Rule(("dtype", "special"), lambda dtype, special: dtype != "float16" or special != "zeros")
ZEROS_IN_DOUBLE = Rule(("dtype", "special"), lambda dtype, special: dtype != "float64" or special != "zeros")
# The default eps of 1e-8 is 0 in float16; and a vector of a broadcast number may be 0.
EPS_IN_HALF = (
    Rule(
        ("dtype", "special", "eps"),
        lambda dtype, special, eps: dtype != "float16" or special != "zeros" or eps in ("eps 0", "eps 0.5"),
    ),
    Rule(
        ("dtype", "broadcast", "dim", "eps"),
        lambda dtype, broadcast, dim, eps: (
            dtype != "float16" or broadcast == "-alike" or dim != "dim 0" or eps in ("eps 0", "eps 0.5")
        ),
    ),
)
# Both distances from the negative are the same, but for powers and roots of them nobody can tell.
SAME_DISTANCES = Rule(
    ("form", "special", "swap"),
    lambda form, special, swap: (
        form != "one component" or special != "equal components" or swap != "swap true"
    ),
)
UNLABELLED = Rule(
    ("special", "labels"), lambda special, labels: special != "infinity or nan" or labels != "a label of 0"
)
IN_HALF = Rule(("dtype", "size"), lambda dtype, size: dtype != "float16" or size == "-few")
