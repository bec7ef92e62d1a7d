"""A call of a loss, taken apart and made again."""

from __future__ import annotations

import inspect
import warnings
from typing import Any

from torch import Tensor

from proofs.faults.fault import Function


def named_arguments(original: Function, *args: Any, **options: Any) -> dict[str, Any]:
    """A call's arguments by name, with the defaults, and the two deprecated ones told as a reduction."""
    call = inspect.signature(original).bind(*args, **options)
    call.apply_defaults()
    given = dict(call.arguments)
    deprecated = given.pop("size_average", None), given.pop("reduce", None)
    if deprecated != (None, None):
        given["reduction"] = reduction_meant_by(*deprecated)
    return given


def again(original: Function, given: dict[str, Any], **changes: Any) -> Tensor:
    """The same call with other arguments; its warnings were given by the first."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return original(**given | changes)


def reduction_meant_by(size_average: bool | None, reduce: bool | None) -> str:
    """The reduction that the two deprecated arguments stand for; None is True."""
    if reduce is False:
        return "none"
    return "sum" if size_average is False else "mean"
