"""Ways of writing the same call: defaults that are given or left out, and numbers of another kind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from lossproof.reference.catalogue import LOSSES
from lossproof.reference.option import Kind
from lossproof.subjects.call import Call, Values
from lossproof.subjects.promise import Promise
from lossproof.subjects.torch.forms import WITH_LAYERS
from lossproof.subjects.torch.modes.mode import EVERY_DTYPE, Mode, plain

_LENGTHS = ("input_lengths", "target_lengths")
_LEGACY = ("size_average", "reduce")


def defaults_given(call: Call) -> Call:
    """The call with every default that is no tensor."""
    return replace(call, params={**_defaults(call), **call.params})


def defaults_left_out(call: Call) -> Call:
    """The call without what is the default anyway, the reduction included."""
    defaults = _defaults(call)
    params = {
        name: value
        for name, value in call.params.items()
        if name not in defaults or isinstance(value, Values) or value != defaults[name]
    }
    is_default = call.reduction == "mean" and not any(name in call.params for name in _LEGACY)
    return replace(call, params=params, reduction=None if is_default else call.reduction)


def numbers_of_another_kind(call: Call) -> Call:
    """The call with integers in the place of floats that are whole, and floats in the place of integers."""
    return replace(call, params=dict(call.params) | _converted(call))


def variance_as_number(call: Call) -> Call:
    """The call with a Python number in the place of a variance that is the same everywhere."""
    args = {name: values for name, values in call.args.items() if name != "var"}
    params = {**call.params, "var": float(call.args["var"].numbers.flat[0])}
    return replace(call, args=args, params=params, wrt=tuple(name for name in call.wrt if name != "var"))


def lengths_in_tuples(call: Call) -> Call:
    """The call with tuples of Python numbers in the place of the lengths of sequences."""
    args = {name: values for name, values in call.args.items() if name not in _LENGTHS}
    tuples = {name: tuple(call.args[name].numbers.tolist()) for name in _LENGTHS}
    return replace(call, args=args, params={**call.params, **tuples})


def _defaults(call: Call) -> dict[str, Any]:
    """The defaults of the parameters that both a module and a function take."""
    loss = LOSSES[call.loss]
    return {
        name: option.default
        for name, option in loss.typed_parameters.items()
        if option.default is not None and name not in loss.functional_only
    }


def _converted(call: Call) -> dict[str, Any]:
    """The parameters that are numbers, and can be numbers of another kind."""
    types = LOSSES[call.loss].typed_parameters
    reals = {name for name, option in types.items() if option.kind is Kind.REAL and not option.known}
    converted: dict[str, Any] = {}
    for name in reals & set(call.params):
        value = call.params[name]
        if isinstance(value, int):
            converted[name] = float(value)
        elif value.is_integer():
            converted[name] = int(value)
    return converted


def _can_be_given(call: Call) -> bool:
    return call.loss not in WITH_LAYERS and not set(_defaults(call)) <= set(call.params)


def _can_be_left_out(call: Call) -> bool:
    return call.loss not in WITH_LAYERS and defaults_left_out(call) != call


def _has_constant_variance(call: Call) -> bool:
    variance = call.args.get("var")
    if call.loss != "GaussianNLLLoss" or variance is None or not variance.numbers.size:
        return False
    return bool(np.all(variance.numbers == variance.numbers.flat[0]))


def _has_lengths(call: Call) -> bool:
    return all(name in call.args and call.args[name].numbers.ndim == 1 for name in _LENGTHS)


MODES: Mapping[str, Mode] = {
    "defaults_given": Mode(plain, Promise.AS_PLAIN, EVERY_DTYPE, _can_be_given, rewritten=defaults_given),
    "defaults_left_out": Mode(
        plain, Promise.AS_PLAIN, EVERY_DTYPE, _can_be_left_out, rewritten=defaults_left_out
    ),
    "numbers_of_another_kind": Mode(
        plain,
        Promise.AS_PLAIN,
        EVERY_DTYPE,
        lambda call: call.loss not in WITH_LAYERS and bool(_converted(call)),
        rewritten=numbers_of_another_kind,
    ),
}
MODES_OF_FUNCTIONS: Mapping[str, Mode] = {
    "variance_as_number": Mode(
        plain, Promise.AS_PLAIN, EVERY_DTYPE, _has_constant_variance, rewritten=variance_as_number
    ),
    "lengths_in_tuples": Mode(
        plain, Promise.AS_PLAIN, EVERY_DTYPE, _has_lengths, rewritten=lengths_in_tuples
    ),
}
