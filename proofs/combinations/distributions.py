"""The tables of what losses are made of: softmax, information, entropy, and the objective."""

from __future__ import annotations

import math

from proofs.combinations.circumstances import (
    DTYPES,
    LONG_SIZES,
    PLACES,
    SIZES,
    UPSTREAMS,
    chosen,
    option,
    place,
    size,
    upstream,
)
from proofs.combinations.logits import LOGITS, logits
from proofs.combinations.table import Call, Choice, Levels, Rule, Table
from proofs.combinations.tensors import Shape, Tensor, drawn, function_of, nearly_whole, patched

_FORMS: Levels = ("-rows", "one vector", "columns or 4 dimensions", "no rows")
# What is only a line of other functions gets fewer cases.
_SOME: Levels = (*SIZES[:3], "hundreds")
_DIMS: Levels = ("dim 0", "dim 1", "dim -1")
_SPECIALS: Levels = ("-nothing special", "minus infinity", "infinity", "nan")
_SPECIAL_RULES = (
    Rule(
        ("special", "place"), lambda special, place: (special == "-nothing special") == (place == "-nowhere")
    ),
    Rule(("form", "place"), lambda form, place: form != "no rows" or place == "-nowhere"),
    Rule(("form", "size"), lambda form, size: form != "no rows" or size == "-few"),
)
_NUMBERS = {
    "minus infinity": -math.inf,
    "infinity": math.inf,
    "nan": math.nan,
    "0": 0.0,
    "1": 1.0,
    "1/2": 0.5,
}
_SHARES: Levels = (
    "-nothing special",
    "a probability of 1",
    "a probability of 1/2",
    "a tiny probability",
    "sums near 1",
)


def _shape(choice: Choice) -> Shape:
    long = size(choice)
    few = 3 if long != 3 else 5
    return {
        "-rows": (few, long),
        "one vector": (long,),
        "columns or 4 dimensions": (
            (long, few) if choice.among("form", 0, 1) else (2 if long < 1000 else 1, long, 1, few)
        ),
        "no rows": (0, long),
    }[choice["form"]]


def _with_special(choice: Choice, tensor: Tensor) -> Tensor:
    special = choice["special"].removeprefix("a probability of ")
    if special == "a tiny probability" and tensor.values.size:
        # It is subnormal.
        tiny = 2.0 ** (choice.format.smallest_exponent - 1)
        return patched(tensor, {place(choice, tensor.values.size): tiny})
    if special not in _NUMBERS or not tensor.values.size:
        return tensor
    return patched(tensor, {place(choice, tensor.values.size): _NUMBERS[special]})


def _softmax(choice: Choice) -> Call:
    own = _shape(choice)
    input = _with_special(choice, logits(choice, own, int(choice["dim"].split()[-1])))
    return Call({"input": input.text}, {"dim": chosen(choice, "dim")}, upstream(choice, own))


def _self_information(choice: Choice) -> Call:
    own = _shape(choice)
    p = _with_special(choice, drawn(2.0**-6, 1, own, choice.seed("p"), choice.format))
    return Call({"p": p.text}, {}, upstream(choice, own))


def _distribution(choice: Choice, name: str, own: Shape) -> Tensor:
    if choice["special"] == "sums near 1" and own[-1] > 1:
        return nearly_whole(choice, name, own, -1)
    drawn_logits = drawn(-2, 2, own, choice.seed(name), choice.format)
    return function_of("softmax", drawn_logits, -1) if own[-1] else drawn_logits


def _entropy(choice: Choice) -> Call:
    own = _shape(choice)
    p = _with_special(choice, _distribution(choice, "p", own))
    return Call({"p": p.text}, {}, upstream(choice, own[:-1]))


def _cross_entropy(choice: Choice) -> Call:
    own = _shape(choice)
    others = own[-1:] if choice["broadcast"] == "q broadcast" else own
    p = _with_special(choice, _distribution(choice, "p", own))
    q = _distribution(choice, "q", others)
    return Call({"p": p.text, "q": q.text}, {}, upstream(choice, own[:-1]))


def _objective(choice: Choice) -> Call:
    own = _shape(choice)
    losses = drawn(0, 4, own, choice.seed("losses"), choice.format)
    parameters = drawn(-2, 2, (size(choice, "parameters"),), choice.seed("w"), choice.format)
    if choice["special"] != "-nothing special":
        parameters = patched(parameters, {0: 0.0, parameters.values.size - 1: -0.0})
    params = {name: chosen(choice, name) for name in ("l1", "l2")}
    return Call({"losses": losses.text, "parameters": parameters.text}, params, upstream(choice, ()))


def _dimensions(specials: Levels, sizes: Levels = _SOME) -> dict[str, Levels]:
    return {
        "dtype": DTYPES,
        "form": _FORMS,
        "size": sizes,
        "special": specials,
        "place": PLACES,
        "upstream": UPSTREAMS,
    }


_SOFTMAX = {**_dimensions(_SPECIALS, LONG_SIZES), "logits": LOGITS, "dim": _DIMS}
_SOFTMAX_RULES = (
    *_SPECIAL_RULES,
    Rule(("form", "dim"), lambda form, dim: form != "one vector" or dim != "dim 1"),
)

TABLES = (
    Table("Softmax", _SOFTMAX, _SOFTMAX_RULES, _softmax),
    Table("LogSoftmax", _SOFTMAX, _SOFTMAX_RULES, _softmax),
    Table(
        "SelfInformation", _dimensions((*_SHARES, "a probability of 0")), _SPECIAL_RULES, _self_information
    ),
    Table("Entropy", _dimensions(_SHARES), _SPECIAL_RULES, _entropy),
    Table(
        "DistributionCrossEntropy",
        {**_dimensions(_SHARES), "broadcast": ("-alike", "q broadcast")},
        _SPECIAL_RULES,
        _cross_entropy,
    ),
    Table(
        "Objective",
        {
            "dtype": DTYPES,
            "form": _FORMS[:3],
            "size": _SOME,
            "special": ("-nothing special", "parameters of 0"),
            "l1": option("l1", "0", "0.5", "2", "1e-30", "100"),
            "l2": option("l2", "0", "0.25", "1", "1e-30", "100"),
            "upstream": UPSTREAMS,
        },
        (),
        _objective,
    ),
)
