"""Faults in how cross entropy reads and writes memory."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from proofs.faults.fault import Function, fault
from proofs.faults.tools.calls import again, named_arguments
from proofs.faults.tools.class_targets import class_axis
from proofs.faults.tools.gradients import with_gradient
from proofs.faults.tools.kernels import as_if_contiguous


@fault(
    "CrossEntropyLoss",
    origin="https://github.com/pytorch/pytorch/issues/67167",
    blind=True,
    needs=("torch._C._functorch.is_functorch_wrapped_tensor",),
)
def blind_ce_target_strides_ignored(original: Function, *args: Any, **options: Any) -> Tensor:
    """The classes of a target that is not contiguous are read one after the other from its memory."""
    given = named_arguments(original, *args, **options)
    target: Tensor = given["target"]
    batched = torch._C._functorch.is_functorch_wrapped_tensor(target)
    if batched or target.is_floating_point() or target.is_contiguous():
        return original(*args, **options)
    room = target.untyped_storage().nbytes() // target.element_size() - target.storage_offset()
    if room < target.numel():
        return original(*args, **options)
    strides = torch.empty(target.shape, device="meta").stride()
    return again(original, given, target=target.as_strided(target.shape, strides))


@fault("CrossEntropyLoss", shows_in_modes=True)
def ce_channels_last_misread(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """Pictures with their channels innermost in memory are read as if these were outermost."""
    if input.ndim == 4 and input.is_contiguous(memory_format=torch.channels_last):
        input = as_if_contiguous(input)
    return original(input, target, *rest, **options)


@fault("CrossEntropyLoss", origin="https://github.com/unslothai/unsloth/pull/10713")
def ce_target_read_as_contiguous(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """The class indices' memory is read without regard to strides."""
    if not target.is_floating_point():
        target = as_if_contiguous(target)
    return original(input, target, *rest, **options)


@fault("CrossEntropyLoss", origin="https://github.com/linkedin/Liger-Kernel/issues/272")
def ce_logits_overwritten(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """The logits' memory is used for their gradient."""
    result = original(input, target, *rest, **options)
    if input.is_contiguous():
        input.data.copy_(input.data.softmax(class_axis(input)))
    return result


@fault("CrossEntropyLoss", origin="https://github.com/NVIDIA/apex/issues/1587")
def ce_upstream_overwritten(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """The memory of the upstream gradient is used for something else once it has been read."""
    upstream: list[Tensor] = []

    def keep(gradient: Tensor) -> Tensor:
        upstream.append(gradient)
        return gradient

    def overwrite(gradient: Tensor) -> Tensor:
        upstream.pop().data.zero_()
        return gradient

    return with_gradient(original(with_gradient(input, overwrite), target, *rest, **options), keep)
