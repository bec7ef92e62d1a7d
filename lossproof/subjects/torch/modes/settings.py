"""The modes that are settings of torch."""

from __future__ import annotations

import torch

from lossproof.subjects.torch.modes.mode import Loss, Result, Tensors, plain


def threads(loss: Loss, tensors: Tensors, wrt: tuple[str, ...], upstream: torch.Tensor) -> Result:
    """Two threads, not one."""
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        return plain(loss, tensors, wrt, upstream)
    finally:
        torch.set_num_threads(before)


def autocast(loss: Loss, tensors: Tensors) -> Result:
    """Under autocast to bfloat16, where each operation has a documented dtype of its own."""
    device = next(iter(tensors.values())).device.type
    with torch.autocast(device, dtype=torch.bfloat16):
        return loss(**tensors), {}
