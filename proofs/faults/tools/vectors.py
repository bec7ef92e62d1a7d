"""Building blocks of the faults in the losses of vectors."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from proofs.faults.tools.gradients import with_gradient
from proofs.faults.tools.kernels import reduced, with_reduction


def as_asked(losses: Tensor, options: Mapping[str, Any]) -> Tensor:
    """The losses in the reduction that the call asks for, including by the deprecated keywords."""
    return reduced(losses, with_reduction(options)["reduction"])


def unreduced(original: Callable[..., Tensor], *args: Tensor, **options: Any) -> Tensor:
    """The result without a reduction; calls that the original refuses are refused."""
    original(*args, **options)
    return original(*args, **{**with_reduction(options), "reduction": "none"})


def averaged_when_broadcast(tensor: Tensor, *others: Tensor) -> Tensor:
    """The tensor, whose gradient is averaged instead of summed if it is broadcast with others."""
    try:
        shape = torch.broadcast_tensors(tensor, *others)[0].shape  # type: ignore[no-untyped-call]  # torch's
    except RuntimeError:
        return tensor  # the loss will refuse it
    times = max(int(shape.numel()) // max(tensor.numel(), 1), 1)
    return with_gradient(tensor, lambda gradient: gradient / times)
