"""Faults of cross entropy that nothing but a mode shows."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd import forward_ad

from proofs.faults.fault import Function, fault
from proofs.faults.tools.class_targets import is_mean, picked_total, reduced_as


@fault("CrossEntropyLoss", shows_in_modes=True, needs=("torch.autograd.forward_ad._set_fwd_grad_enabled",))
def ce_forward_mode_loses_tangent(original: Function, *args: Any, **options: Any) -> Tensor:
    """Forward-mode differentiation takes the loss as a constant."""
    with forward_ad._set_fwd_grad_enabled(False):
        return original(*args, **options)


@fault("CrossEntropyLoss", origin="https://github.com/pytorch/pytorch/issues/111484", shows_in_modes=True)
def ce_second_call_adds_up(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """A buffer is not cleared, so that a second call for the same target adds to the first one's loss."""
    result = original(input, target, *rest, **options)
    kept: dict[str, Any] = vars(target)
    earlier: Tensor | float = kept.get("_earlier_loss", 0.0)
    kept["_earlier_loss"] = result.detach()
    return result + earlier


@fault("CrossEntropyLoss", shows_in_modes=True)
def ce_meta_mean_has_a_dimension(original: Function, input: Tensor, *args: Any, **options: Any) -> Tensor:
    """The mean of tensors without numbers has a dimension of size 1."""
    result = original(input, *args, **options)
    return result.reshape(1) if input.is_meta and is_mean(options) else result


@fault("CrossEntropyLoss", shows_in_modes=True)
def ce_second_thread_lost(
    original: Function, input: Tensor, target: Tensor, weight: Tensor | None = None, **options: Any
) -> Tensor:
    """With more than one thread only the first one's half of the rows is summed."""
    result = original(input, target, weight, **options)
    if torch.get_num_threads() == 1 or target.is_floating_point() or target.numel() < 2:
        return result
    losses = original(input, target, weight, **{**options, "reduction": "none"}).flatten()
    half = len(losses) // 2
    losses = torch.cat([losses[:half], 0 * losses[half:]]).reshape(target.shape)
    return reduced_as(losses, picked_total(target, weight, options), options)
