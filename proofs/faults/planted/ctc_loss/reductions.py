"""Faults in how the CTC loss is reduced."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from proofs.faults.fault import Function, fault
from proofs.faults.tools.ctc import shared, unreduced_losses
from proofs.faults.tools.kernels import reduced


@fault("CTCLoss")
def ctc_zeroed_left_out_of_mean(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """Losses that zero_infinity made 0 do not count in the mean's denominator."""
    right = original(*args, **options)
    if not options.get("zero_infinity") or options.get("reduction", "mean") != "mean":
        return right
    losses = original(*args, **options | {"reduction": "none", "zero_infinity": False})
    return right * losses.numel() / (~losses.isinf()).sum().clamp(min=1)


@fault("CTCLoss")
def ctc_mean_by_batch(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """The mean divides the sum of the losses by the batch alone."""
    losses = unreduced_losses(original, *args, **options)
    return reduced(losses, options.get("reduction", "mean"))


@fault("CTCLoss")
def ctc_mean_by_all_lengths(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """The mean divides the sum of the losses by the sum of the targets' lengths."""
    losses = unreduced_losses(original, *args, **options)
    if options.get("reduction", "mean") != "mean":
        return reduced(losses, options.get("reduction", "mean"))
    return losses.sum() / args[3].sum().clamp(min=1)


@fault("CTCLoss")
def ctc_mean_by_empty_length(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """The mean divides the loss of an empty target by 0."""
    losses = unreduced_losses(original, *args, **options)
    if options.get("reduction", "mean") != "mean":
        return reduced(losses, options.get("reduction", "mean"))
    return (losses / args[3].reshape(losses.shape)).mean()


@fault("CTCLoss")
def ctc_mean_over_all_pairs(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """Lengths in a column are divided into losses in a row, and the mean taken of all pairs."""
    losses = unreduced_losses(original, *args, **options)
    if options.get("reduction", "mean") != "mean":
        return reduced(losses, options.get("reduction", "mean"))
    return (losses / args[3].clamp(min=1)).mean()


@fault("CTCLoss", origin="https://github.com/pytorch/pytorch/issues/21680")
def ctc_empty_target_impossible(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """An empty target is taken for one that does not fit."""
    losses = unreduced_losses(original, *args, **options)
    impossible = 0.0 if options.get("zero_infinity") else torch.inf
    losses = torch.where(args[3].reshape(losses.shape) == 0, impossible, losses)
    return shared(losses, args[3], options)
