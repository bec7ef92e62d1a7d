"""Results in the dtype of one of their tensors."""

from __future__ import annotations

import torch
from torch import Tensor


def like(result: Tensor, tensor: Tensor) -> Tensor:
    """A result in the dtype of one of its tensors."""
    return result.to(tensor.dtype) if tensor.is_floating_point() else result


def wider(result: Tensor, tensor: Tensor | None) -> Tensor:
    """A result in the wider of its own dtype and a tensor's, if there is one."""
    return result if tensor is None else result.to(torch.promote_types(result.dtype, tensor.dtype))
