"""Takes a call of a loss apart, and repeats it with changes."""

from __future__ import annotations

import inspect
import warnings
from typing import Any

from torch import Tensor

from proofs.faults.fault import Function


def named_arguments(original: Function, *args: Any, **options: Any) -> dict[str, Any]:
    """A call's arguments by name, with defaults, and the two deprecated ones turned into a reduction."""
    call = inspect.signature(original).bind(*args, **options)
    call.apply_defaults()
    arguments = dict(call.arguments)
    deprecated = arguments.pop("size_average", None), arguments.pop("reduce", None)
    if deprecated != (None, None):
        arguments["reduction"] = reduction_meant_by(*deprecated)
    return arguments


def again(original: Function, arguments: dict[str, Any], **changes: Any) -> Tensor:
    """The same call with other arguments, but without the warnings, which the first call has issued."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return original(**arguments | changes)


def reduction_meant_by(size_average: bool | None, reduce: bool | None) -> str:
    """The reduction that the two deprecated arguments stand for; None is True."""
    if reduce is False:
        return "none"
    return "sum" if size_average is False else "mean"
