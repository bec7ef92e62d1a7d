"""Faults that a kernel of the CTC loss may have."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from proofs.faults.fault import Function, fault
from proofs.faults.tools.blocks import beyond
from proofs.faults.tools.ctc import shared, unreduced_losses
from proofs.faults.tools.gradients import with_gradient


@fault("CTCLoss", blind=True)
def ctc_label_of_8_bits(
    original: Function, log_probs: Tensor, targets: Tensor, *lengths: Tensor, **options: Any
) -> Tensor:
    """Labels are kept in 8 bits with a sign, so that 128 wraps around to -128."""
    classes = log_probs.shape[-1]
    is_wide = (targets > 127) & (targets < classes)
    wrapped = (targets.to(torch.int8).long() % max(classes, 1)).to(targets.dtype)
    return original(log_probs, torch.where(is_wide, wrapped, targets), *lengths, **options)


@fault("CTCLoss", blind=True)
def ctc_single_frame_is_blank(
    original: Function, log_probs: Tensor, targets: Tensor, *lengths: Tensor, **options: Any
) -> Tensor:
    """The only frame of a call with one frame can be a blank alone, as labels begin with the next."""
    right = original(log_probs, targets, *lengths, **options)
    if log_probs.shape[0] != 1:
        return right
    is_label = torch.arange(log_probs.shape[-1]) != options.get("blank", 0)
    return original(log_probs.masked_fill(is_label, -torch.inf), targets, *lengths, **options)


@fault("CTCLoss", blind=True)
def ctc_states_of_one_warp(
    original: Function, log_probs: Tensor, targets: Tensor, *lengths: Tensor, **options: Any
) -> Tensor:
    """There is a lane for each of 32 states, so that a target of more than 15 labels is never aligned."""
    result = original(log_probs, targets, *lengths, **options)
    if log_probs.ndim != 3 or not bool((lengths[1] > 15).any()):
        return result
    losses = unreduced_losses(original, log_probs, targets, *lengths, **options)
    never = 0.0 if options.get("zero_infinity") else torch.inf
    return shared(torch.where(lengths[1].reshape(-1) > 15, never, losses), lengths[1], options)


@fault("CTCLoss", blind=True, origin="https://github.com/pytorch/pytorch/issues/27442")
def ctc_gradient_of_long_targets(
    original: Function, log_probs: Tensor, targets: Tensor, *lengths: Tensor, **options: Any
) -> Tensor:
    """The gradient of an input whose target has more than 896 labels is 0."""
    result = original(log_probs, targets, *lengths, **options)
    if log_probs.ndim != 3 or not bool((lengths[1] > 896).any()):
        return result
    is_long = lengths[1].reshape(1, -1, 1) > 896
    lost = with_gradient(log_probs, lambda gradient: gradient.masked_fill(is_long, 0))
    return original(lost, targets, *lengths, **options)


@fault("CTCLoss", blind=True)
def ctc_gradient_of_first_frames(
    original: Function, log_probs: Tensor, targets: Tensor, *lengths: Tensor, **options: Any
) -> Tensor:
    """Frames beyond the first 256 have no gradient."""
    if log_probs.shape[0] > 256:
        is_lost = beyond(log_probs, 256, 0)
        log_probs = with_gradient(log_probs, lambda gradient: gradient.masked_fill(is_lost, 0))
    return original(log_probs, targets, *lengths, **options)


@fault("CTCLoss", blind=True)
def ctc_mean_of_one_input_undivided(
    original: Function, log_probs: Tensor, targets: Tensor, *lengths: Tensor, **options: Any
) -> Tensor:
    """The mean over a batch of one is its loss, which is not divided by the target's length."""
    if log_probs.ndim == 3 and log_probs.shape[1] == 1 and options.get("reduction", "mean") == "mean":
        options["reduction"] = "sum"
    return original(log_probs, targets, *lengths, **options)
