"""What faults in the losses of vectors have in common."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from proofs.faults.tools.gradients import with_gradient
from proofs.faults.tools.kernels import reduced, with_reduction


def as_asked(losses: Tensor, options: Mapping[str, Any]) -> Tensor:
    """The losses in the reduction that the options of the call ask for, be it in the old way."""
    return reduced(losses, with_reduction(options)["reduction"])


def unreduced(original: Callable[..., Tensor], *args: Tensor, **options: Any) -> Tensor:
    """What the call yields without a reduction; it refuses what the call itself refuses."""
    original(*args, **options)
    return original(*args, **{**with_reduction(options), "reduction": "none"})


def averaged_when_broadcast(tensor: Tensor, *others: Tensor) -> Tensor:
    """The tensor; but where it is broadcast with others, its gradient is averaged instead of summed."""
    try:
        shape = torch.broadcast_tensors(tensor, *others)[0].shape  # type: ignore[no-untyped-call]  # torch's
    except RuntimeError:
        return tensor  # the loss will refuse it
    times = max(int(shape.numel()) // max(tensor.numel(), 1), 1)
    return with_gradient(tensor, lambda gradient: gradient / times)
