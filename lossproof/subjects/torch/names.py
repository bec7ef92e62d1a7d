"""Looks up what this torch has, since releases differ and no table says how."""

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
    """The object with a dotted name in torch, such as ``torch.nn.functional.nll_loss``.

    Modules on its path are imported. Unsupported is raised if this torch has no such name, or if the object
    is known not to take one of the ``parameters``.
    """
    value: Any = torch
    path, *rest = name.split(".")
    for part in rest:
        path = f"{path}.{part}"
        try:
            value = getattr(value, part) if hasattr(value, part) else import_module(path)
        except ImportError:
            raise Unsupported(f"{_RELEASE} has no {path}") from None
    required = tuple(parameters)
    accepted = _parameters_of(value) if required else None
    missing = [] if accepted is None else [name for name in required if name not in accepted]
    if missing:
        raise Unsupported(f"{_RELEASE} has no parameter '{missing[0]}' of {name}")
    return value


# Every case asks again; a planted fault is a new function each time, so that few need be kept.
@lru_cache(maxsize=128)
def _parameters_of(value: Callable[..., Any]) -> frozenset[str] | None:
    """The parameters of a callable; None if they are unknown, or if it accepts any."""
    try:
        parameters = inspect.signature(value).parameters
    except ValueError:  # a function written in C
        return None
    is_open = any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values())
    return None if is_open else frozenset(parameters)
