"""The tables of the losses of vectors: cosines, distances and triplets."""

from __future__ import annotations

from proofs.combinations.circumstances import (
    DTYPES,
    LONG_SIZES,
    UPSTREAMS,
    bounds,
    chosen,
    common,
    not_finite,
    option,
    size,
    upstream,
)
from proofs.combinations.table import Call, Choice, Levels, Rule, Table
from proofs.combinations.tensors import Shape, Tensor, drawn, filled, in_blocks, joined, next_to, patched
from proofs.combinations.vector_rules import (
    ALL_EPS,
    EPS_IN_HALF,
    IN_HALF,
    NOT_FINITE,
    POWERS,
    POWERS_IN_HALF,
    PRODUCTS,
    RULES,
    SAME_DISTANCES,
    SECOND_DERIVATIVES,
    SUBNORMAL_SQUARES,
    UNLABELLED,
    ZEROS_IN_DOUBLE,
    ZEROS_IN_HALF,
)

_FORMS: Levels = ("-vectors", "one vector alone", "many rows", "one component", "one row", "no rows")
_SCALES: Levels = ("-ordinary", "tiny", "huge")
_SPECIALS: Levels = (
    "-nothing special",
    "infinity or nan",
    "equal components",
    "almost equal components",
    "zeros",
)
_PLACES: Levels = ("-nowhere", "first", "in the middle", "last")
# What is not finite has a known defect in the hinge of the triplets.
_TIES: Levels = ("-nothing special", "equal components", "almost equal components", "zeros")
_BROADCASTS: Levels = ("-alike", "second broadcast", "first broadcast")


def _shape(choice: Choice) -> Shape:
    long = size(choice)
    few = 3 if long != 3 else 5
    return {
        "-vectors": ((few, long), (2, 5, long))[
            choice.among("dimensions", 0, int("labels" not in choice.row and long < 1000))
        ],
        "one vector alone": (long,),
        "many rows": (choice.among("rows", 33, 65, 129) if long < 40 else 5, long),
        "one component": (few, 1),
        "one row": (1, long),
        "no rows": (0, long),
    }[choice["form"]]


def _pair(choice: Choice) -> tuple[Tensor, Tensor]:
    """Two tensors of vectors, one of which may have something special about a component."""
    own = _shape(choice)
    first, second = own, own
    if choice["broadcast"] == "second broadcast":
        second = (1, *own[1:])
    if choice["broadcast"] == "first broadcast":
        first = (1, *own[1:])
    low, high = _bounds(choice)
    one = drawn(low, high, first, choice.seed("first"), choice.format)
    other = drawn(low, high, second, choice.seed("second"), choice.format)
    return _with_special(choice, one, other), other


def _bounds(choice: Choice) -> tuple[float, float]:
    low, high = bounds(choice["scale"], choice.format)
    # Room for the squares of a thousand components.
    return (low / 64, high / 64) if choice["scale"] == "huge" else (low, high)


def _with_special(choice: Choice, one: Tensor, other: Tensor) -> Tensor:
    special, count = choice["special"], one.values.size
    if special.startswith("-") or not count:
        return one
    at = {"first": 0, "in the middle": count // 2, "last": count - 1}[choice["place"]]
    if special == "zeros":
        return _with_a_vector_of_zeros(choice, one)
    if special == "infinity or nan":
        return patched(one, {at: not_finite(choice, may_be_nan=True)})
    # Both have as many components.
    met = float(other.values.flat[at % other.values.size])
    return patched(one, {at: met if special == "equal components" else next_to(met, choice.format)})


def _with_a_vector_of_zeros(choice: Choice, one: Tensor) -> Tensor:
    *_, components = one.shape
    if one.values.size == components:
        return filled(0, one.shape)
    rows = one.shape[-2]
    before = {"first": 0, "in the middle": rows // 2, "last": rows - 1}[choice["place"]]
    format, (low, high) = choice.format, _bounds(choice)
    parts = [
        drawn(low, high, (*one.shape[:-2], count, components), choice.seed(name), format)
        for name, count in (("before", before), ("after", rows - 1 - before))
    ]
    return joined([parts[0], filled(0, (*one.shape[:-2], 1, components)), parts[1]], one.values.ndim - 2)


def _result(choice: Choice) -> Shape:
    return _shape(choice)[:-1]


def _cosine(choice: Choice) -> Call:
    one, other = _pair(choice)
    own = _shape(choice)
    dim = chosen(choice, "dim")
    axis = 1 if dim is None else int(dim)
    result = [*own]
    del result[axis]
    params = {"dim": dim, "eps": chosen(choice, "eps")}
    return Call({"x1": one.text, "x2": other.text}, params, upstream(choice, tuple(result)))


_LABELS: Levels = (
    "-labels of both signs",
    "labels of 1",
    "labels of -1",
    "labels of whole numbers",
    "a label of 0",
)


def _embedding(choice: Choice) -> Call:
    one, other = _pair(choice)
    own = _result(choice)
    level = choice["labels"]
    if level in ("labels of 1", "labels of -1"):
        target = filled(float(level.split()[-1]), own)
    else:
        blocks = (1, 0, -1) if level == "a label of 0" else (1, -1, -1, 1)
        dtype = ("int64", "int32")[choice.among("dtype", 0, 1)]
        target = in_blocks(blocks, own, dtype if level == "labels of whole numbers" else None)
    args = {"input1": one.text, "input2": other.text, "target": target.text}
    return Call(args, {"margin": chosen(choice, "margin")}, upstream(choice, own))


def _distance(choice: Choice) -> Call:
    one, other = _pair(choice)
    own = _result(choice)
    params = {name: chosen(choice, name) for name in ("p", "eps", "keepdim")}
    result = (*own, 1) if params["keepdim"] == "true" else own
    return Call({"x1": one.text, "x2": other.text}, params, upstream(choice, result))


def _triplet(choice: Choice) -> Call:
    # What is special about a component is not about the anchor, whose distances both would show it.
    positive, anchor = _pair(choice)
    low, high = _bounds(choice)
    negative = drawn(low, high, _shape(choice), choice.seed("negative"), choice.format)
    params = {name: chosen(choice, name) for name in _TRIPLET_OPTIONS if name in choice.row}
    args = {"anchor": anchor.text, "positive": positive.text, "negative": negative.text}
    return Call(args, params, upstream(choice, _result(choice)))


_TRIPLET_OPTIONS = ("margin", "p", "eps", "swap", "distance_function")
_BASE: dict[str, Levels] = {
    "form": _FORMS,
    "size": LONG_SIZES,
    "broadcast": _BROADCASTS,
    "scale": _SCALES,
    "special": _SPECIALS,
    "place": _PLACES,
    "upstream": UPSTREAMS,
}
_SWAP = option("swap", "false", "true")
_DEGREES = option("p", "1", "3", ".inf", "0.5", "-.inf", "0", "-1")
_MARGINS = option("margin", "1", "0.125", "100", "1e-6", ".inf")
_DISTANCES = option("distance_function", "pairwise_p1_eps0", "l2_eps0", "linf", "cosine_distance")

TABLES = (
    Table(
        "CosineSimilarity",
        {
            "dtype": DTYPES,
            **_BASE,
            "dim": option("dim", "1", "-1", "0"),
            "eps": option("eps", "1e-8", "0", "0.5", "1e-30"),
        },
        (
            *RULES,
            Rule(
                ("form", "dim"),
                lambda form, dim: form != "one vector alone" or dim in ("dim -1", "dim 0"),
            ),
            # Nothing is a vector of no components.
            Rule(("form", "dim"), lambda form, dim: form != "no rows" or dim != "dim 0"),
            SUBNORMAL_SQUARES,
            *EPS_IN_HALF,
        ),
        _cosine,
    ),
    Table(
        "CosineEmbeddingLoss",
        {
            **common(),
            **_BASE,
            "scale": _SCALES[:1],
            "labels": _LABELS,
            "margin": option("margin", "0", "0.5", "-0.5", "-1", "2"),
        },
        (*RULES, IN_HALF, ZEROS_IN_HALF, ZEROS_IN_DOUBLE, UNLABELLED),
        _embedding,
    ),
    Table(
        "PairwiseDistance",
        {
            "dtype": DTYPES,
            **_BASE,
            "p": _DEGREES,
            "eps": option("eps", "1e-6", "0", "0.1"),
            "keepdim": option("keepdim", "false", "true"),
        },
        (*RULES, *NOT_FINITE, *POWERS, POWERS_IN_HALF, SECOND_DERIVATIVES, ALL_EPS),
        _distance,
    ),
    Table(
        "TripletMarginLoss",
        {
            **common(),
            **_BASE,
            "special": _TIES,
            "margin": _MARGINS,
            "p": _DEGREES[:6],
            "eps": option("eps", "0", "0.1"),
            "swap": _SWAP,
        },
        (
            *RULES,
            *NOT_FINITE,
            *POWERS,
            POWERS_IN_HALF,
            PRODUCTS,
            SECOND_DERIVATIVES,
            ALL_EPS,
            SAME_DISTANCES,
        ),
        _triplet,
    ),
    Table(
        "TripletMarginWithDistanceLoss",
        {
            **common(),
            **_BASE,
            "special": _TIES,
            "margin": _MARGINS,
            "distance_function": _DISTANCES,
            "swap": _SWAP,
        },
        (
            *RULES,
            *NOT_FINITE,
            *POWERS,
            POWERS_IN_HALF,
            PRODUCTS,
            SECOND_DERIVATIVES,
            ALL_EPS,
            ZEROS_IN_HALF,
        ),
        _triplet,
    ),
)
