"""The parameters of a call as a function wants them: every one has a value, and each goes by one name."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from lossproof.reference.catalogue import LOSSES
from lossproof.reference.option import Option
from lossproof.reference.reductions import canonical_reduction
from lossproof.reference.softmax import implicit_dimension
from lossproof.subjects.call import Call, Unsupported, Values

SUPERSEDED = ("size_average", "reduce")


def effective_parameters(call: Call) -> dict[str, Any]:
    """Every parameter of the call's loss, the defaults of torch spelled out.

    ``size_average`` and ``reduce`` are expressed by ``reduction``, and ``dim`` is the one that torch guesses
    if none is given. Parameters that the catalogue does not have, which torch refuses, are kept.
    """
    loss = LOSSES[call.loss]
    types = {**loss.typed_parameters, **loss.typed_reductions}
    parameters = {name: option.default for name, option in types.items()} | dict(call.params)
    if call.reduction is not None:
        parameters["reduction"] = call.reduction
    size_average, reduce = (parameters.pop(name, None) for name in SUPERSEDED)
    if loss.reductions:
        parameters["reduction"] = canonical_reduction(parameters["reduction"], size_average, reduce)
    if "dim" in types and parameters["dim"] is None and "input" in call.args:
        parameters["dim"] = implicit_dimension(call.args["input"].numbers.ndim)
    return parameters


def stated_types(loss: str) -> dict[str, Option]:
    """The parameters that an implementation may say it has, with types; none of the superseded ones."""
    found = LOSSES[loss]
    reductions = {"reduction": found.typed_reductions["reduction"]} if found.reductions else {}
    return {**found.typed_parameters, **reductions}


def taken_parameters(
    call: Call, takes: Callable[[str], bool], fixed: Mapping[str, Any], who: str, names: Iterable[str] = ()
) -> dict[str, Any]:
    """Those of the effective parameters that a function takes.

    Args:
        call: the call.
        takes: whether the function takes a parameter.
        fixed: the values of the parameters that it does not take, where they are not torch's defaults.
        who: the name of the function, for the reason.
        names: those of the function's parameters, if they are known, of which one may be meant.

    Raises:
        Unsupported: if the call needs a value that the function cannot be given.
    """
    parameters = effective_parameters(call)
    for name, value in parameters.items():
        if not takes(name) and not is_its_own(call.loss, name, value, fixed):
            raise Unsupported(f"{who} has no parameter '{name}'{_meant(name, set(names) - set(parameters))}")
    return {name: value for name, value in parameters.items() if takes(name)}


def _meant(name: str, others: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, others, n=1)
    return f"; its '{near[0]}' is none of torch's" if near else ""


def is_its_own(loss: str, name: str, value: Any, fixed: Mapping[str, Any]) -> bool:
    """Whether a value is what an implementation without the parameter computes with anyway."""
    types = {**LOSSES[loss].typed_parameters, **LOSSES[loss].typed_reductions}
    own = fixed.get(name, types[name].default if name in types else None)
    return not isinstance(value, Values) and bool(value == own)


def parameters_in(function: Callable[..., Any]) -> tuple[str, ...] | None:
    """The names of a function's parameters; None if it takes any keyword, or does not say."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (ValueError, TypeError):
        return None
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
        return None
    return tuple(parameter.name for parameter in parameters if parameter.kind is not parameter.VAR_POSITIONAL)


def named(names: Iterable[str] | None) -> Callable[[str], bool]:
    """Whether a parameter is among these; any is if they are None."""
    known = None if names is None else frozenset(names)
    return lambda name: known is None or name in known
