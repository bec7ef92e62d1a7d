"""What this torch has by a name, found out by looking: releases differ in it, and no table says how."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from functools import lru_cache
from importlib import import_module
from typing import Any

import torch

from lossproof.subjects.call import Unsupported

_RELEASE = f"torch {str(torch.__version__).partition('+')[0]}"


def look_up(name: str, parameters: Iterable[str] = ()) -> Any:
    """What torch has by a dotted name, such as ``torch.nn.functional.nll_loss``.

    Args:
        name: the name, from ``torch`` on; modules on its way are imported.
        parameters: those that it must take, where it can be asked which it takes.

    Raises:
        Unsupported: where this torch has no such name, or it takes no such parameter.
    """
    found: Any = torch
    path, *rest = name.split(".")
    for part in rest:
        path = f"{path}.{part}"
        try:
            found = getattr(found, part) if hasattr(found, part) else import_module(path)
        except ImportError:
            raise Unsupported(f"{_RELEASE} has no {path}") from None
    wanted = tuple(parameters)
    taken = _taken_by(found) if wanted else None
    missing = [] if taken is None else [parameter for parameter in wanted if parameter not in taken]
    if missing:
        raise Unsupported(f"{_RELEASE} has no parameter '{missing[0]}' of {name}")
    return found


# A call asks for every case anew; what is planted is another function each time, so that few are kept.
@lru_cache(maxsize=128)
def _taken_by(found: Callable[..., Any]) -> frozenset[str] | None:
    """The parameters that it takes; None where it does not say, or takes any."""
    try:
        parameters = inspect.signature(found).parameters
    except ValueError:  # a function written in C
        return None
    is_open = any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values())
    return None if is_open else frozenset(parameters)
