"""Faults in the CTC loss: what is infinite or tiny, and the mean."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from proofs.faults.fault import Function, fault
from proofs.faults.planted.sequence.ctc_gradients import shared
from proofs.faults.tools.kernels import reduced

_LOSS = "CTCLoss"


def _losses(original: Function, *args: Tensor, **options: Any) -> Tensor:
    original(*args, **options)  # refuses what has to be refused
    return original(*args, **options | {"reduction": "none"})


@fault(_LOSS, origin="https://github.com/pytorch/pytorch/issues/176910")
def ctc_zero_infinity_dropped(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """zero_infinity has no effect."""
    return original(*args, **options | {"zero_infinity": False})


@fault(_LOSS, origin="https://github.com/SeanNaren/warp-ctc/issues/59")
def ctc_infinity_always_zero(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """A target that does not fit costs nothing, whatever zero_infinity says."""
    return original(*args, **options | {"zero_infinity": True})


@fault(_LOSS, origin="https://github.com/pytorch/pytorch/pull/21244")
def ctc_zero_infinity_hides_nan(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """zero_infinity makes nan 0 as well."""
    losses = _losses(original, *args, **options)
    if options.get("zero_infinity"):
        losses = torch.where(losses.isnan(), 0, losses)
    return shared(losses, args[3], options)


@fault(_LOSS)
def ctc_zero_infinity_of_finite(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """zero_infinity takes losses above 10 for infinite."""
    losses = _losses(original, *args, **options)
    if options.get("zero_infinity"):
        losses = torch.where(losses > 10, 0, losses)
    return shared(losses, args[3], options)


@fault(_LOSS)
def ctc_zeroed_left_out_of_mean(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """Losses that zero_infinity made 0 do not count in the mean's denominator."""
    right = original(*args, **options)
    if not options.get("zero_infinity") or options.get("reduction", "mean") != "mean":
        return right
    losses = original(*args, **options | {"reduction": "none", "zero_infinity": False})
    return right * losses.numel() / (~losses.isinf()).sum().clamp(min=1)


@fault(_LOSS)
def ctc_impossible_bounded(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """The logarithm of 0 is -1e5, and so no loss is above 1e5."""
    losses = _losses(original, *args, **options)
    return shared(torch.where(losses > 1e5, 1e5, losses), args[3], options)


@fault(_LOSS, origin="https://github.com/baidu-research/warp-ctc/issues/23")
def ctc_probabilities_underflow(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """The recursion runs on probabilities, and a loss whose probability underflows is infinite."""
    losses = _losses(original, *args, **options)
    smallest = torch.finfo(losses.dtype).smallest_normal
    return shared(torch.where((-losses.detach()).exp() < smallest, torch.inf, losses), args[3], options)


@fault(_LOSS)
def ctc_mean_by_batch(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """The mean divides the sum of the losses by the batch alone."""
    losses = _losses(original, *args, **options)
    return reduced(losses, options.get("reduction", "mean"))


@fault(_LOSS)
def ctc_mean_by_all_lengths(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """The mean divides the sum of the losses by the sum of the targets' lengths."""
    losses = _losses(original, *args, **options)
    if options.get("reduction", "mean") != "mean":
        return reduced(losses, options.get("reduction", "mean"))
    return losses.sum() / args[3].sum().clamp(min=1)


@fault(_LOSS)
def ctc_mean_by_empty_length(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """The mean divides the loss of an empty target by 0."""
    losses = _losses(original, *args, **options)
    if options.get("reduction", "mean") != "mean":
        return reduced(losses, options.get("reduction", "mean"))
    return (losses / args[3].reshape(losses.shape)).mean()


@fault(_LOSS)
def ctc_mean_over_all_pairs(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """Lengths in a column are divided into losses in a row, and the mean taken of all pairs."""
    losses = _losses(original, *args, **options)
    if options.get("reduction", "mean") != "mean":
        return reduced(losses, options.get("reduction", "mean"))
    return (losses / args[3].clamp(min=1)).mean()


@fault(_LOSS, origin="https://github.com/pytorch/pytorch/issues/21680")
def ctc_empty_target_impossible(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """An empty target is taken for one that does not fit."""
    losses = _losses(original, *args, **options)
    impossible = 0.0 if options.get("zero_infinity") else torch.inf
    losses = torch.where(args[3].reshape(losses.shape) == 0, impossible, losses)
    return shared(losses, args[3], options)
