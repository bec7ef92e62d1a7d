"""Watches what torch does between a call and its result."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any

import torch

from lossproof.subjects.torch.names import look_up


def noting_dtypes(dtypes: set[torch.dtype]) -> AbstractContextManager[Any]:
    """Add to ``dtypes`` the floating dtypes that operations return, whoever calls them."""

    def dispatch(
        self: object, function: Any, types: Any, args: Any = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        result = function(*args, **(kwargs or {}))
        for output in result if isinstance(result, (tuple, list)) else (result,):
            if isinstance(output, torch.Tensor) and output.is_floating_point():
                dtypes.add(output.dtype)
        return result

    mode = look_up("torch.utils._python_dispatch.TorchDispatchMode")
    noting: AbstractContextManager[Any] = type("Noting", (mode,), {"__torch_dispatch__": dispatch})()
    return noting
