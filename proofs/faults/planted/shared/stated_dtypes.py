"""Faults in the dtype that a caller states, of mistakes that softmax and log-softmax share."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from proofs.faults.fault import Function
from proofs.faults.mistake import Site, faults
from proofs.faults.tools.gradients import graft, with_gradient
from proofs.faults.tools.softmax import dim_of


@faults(Site("softmax-dtype-ignored", "Softmax"), Site("log-softmax-dtype-ignored", "LogSoftmax"))
def dtype_ignored(original: Function, input: Tensor, *rest: Any, **options: Any) -> Tensor:
    """The stated dtype is ignored."""
    return original(input, *rest, **options | {"dtype": None})


@faults(Site("softmax-cast-afterwards", "Softmax"), Site("log-softmax-cast-afterwards", "LogSoftmax"))
def cast_afterwards(original: Function, input: Tensor, *rest: Any, **options: Any) -> Tensor:
    """It computes in the dtype of the logits, and casts the result to the stated one."""
    right = original(input, *rest, **options)
    if not input.is_floating_point():
        return right
    return original(input, *rest, **options | {"dtype": None}).to(right.dtype)


@faults(
    Site("softmax-dtype-only-along-the-first-dimension", "Softmax"),
    Site("log-softmax-dtype-only-along-the-first-dimension", "LogSoftmax"),
)
def dtype_only_along_the_first_dimension(
    original: Function, input: Tensor, dim: int | None = None, *rest: Any, **options: Any
) -> Tensor:
    """The stated dtype counts only along the first dimension."""
    is_first = dim_of(input, dim) % max(input.ndim, 1) == 0
    return original(input, dim, *rest, **options if is_first else options | {"dtype": None})


@faults(
    Site("softmax-gradient-of-rounded-result", "Softmax"),
    Site("log-softmax-gradient-of-rounded-result", "LogSoftmax"),
)
def gradient_of_rounded_result(original: Function, input: Tensor, *rest: Any, **options: Any) -> Tensor:
    """The gradient is computed in the dtype of the logits, where the stated one is wider."""
    right = original(input, *rest, **options)
    if not input.is_floating_point() or right.dtype.itemsize <= input.dtype.itemsize:
        return right
    return graft(right, original(input, *rest, **options | {"dtype": None}).to(right.dtype))


@faults(
    Site("softmax-of-halves-backward-only-along-the-last-dimension", "Softmax"),
    Site("log-softmax-of-halves-backward-only-along-the-last-dimension", "LogSoftmax"),
    origin="https://github.com/pytorch/pytorch/issues/30572",
)
def halves_backward_only_along_the_last_dimension(
    original: Function, input: Tensor, dim: int | None = None, *rest: Any, **options: Any
) -> Tensor:
    """From float16 to float32, the backward pass exists only along the last dimension."""
    right = original(input, dim, *rest, **options)
    is_last = dim_of(input, dim) % max(input.ndim, 1) == input.ndim - 1
    if is_last or (input.dtype, right.dtype) != (torch.float16, torch.float32):
        return right

    def refuse(gradient: Tensor) -> Tensor:
        raise RuntimeError("expected scalar type Float but found Half")

    return with_gradient(right, refuse)
