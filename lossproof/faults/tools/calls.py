"""A call of a loss, taken apart and made again."""

from __future__ import annotations

import inspect
import warnings
from typing import Any

from torch import Tensor
from torch.nn import _reduction

from lossproof.faults.fault import Function


def named_arguments(original: Function, *args: Any, **options: Any) -> dict[str, Any]:
    """A call's arguments by name, with the defaults, and the two deprecated ones told as a reduction."""
    call = inspect.signature(original).bind(*args, **options)
    call.apply_defaults()
    given = dict(call.arguments)
    deprecated = given.pop("size_average", None), given.pop("reduce", None)
    if deprecated != (None, None):
        given["reduction"] = _reduction.legacy_get_string(*deprecated, emit_warning=False)
    return given


def again(original: Function, given: dict[str, Any], **changes: Any) -> Tensor:
    """The same call with other arguments; its warnings were given by the first."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return original(**given | changes)
