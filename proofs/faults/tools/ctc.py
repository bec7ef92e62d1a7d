"""Building blocks of the faults in the CTC loss."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from proofs.faults.fault import Function
from proofs.faults.tools.kernels import reduced


def unreduced_losses(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """The result without a reduction; calls that the original refuses are refused."""
    original(*args, **options)
    return original(*args, **options | {"reduction": "none"})


def mass(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """For each input, the sum of all probabilities in its frames; its gradient is the p of p - posterior.

    It is 0 if zero_infinity leaves no gradient.
    """
    log_probs, _, input_lengths, _ = args
    masses = summed(log_probs, counted(log_probs, input_lengths))
    if options.get("zero_infinity"):
        losses = original(*args, **options | {"reduction": "none", "zero_infinity": False})
        masses = torch.where(losses == torch.inf, 0, masses)
    return masses


def shared(masses: Tensor, target_lengths: Tensor, options: dict[str, Any]) -> Tensor:
    """Numbers for each input, reduced as their losses are."""
    if options.get("reduction", "mean") == "mean":
        return (masses / target_lengths.reshape(masses.shape).clamp(min=1)).mean()
    return reduced(masses, options.get("reduction", "mean"))


def counted(log_probs: Tensor, input_lengths: Tensor) -> Tensor:
    """Which frames are within the length of their input, as (T, N, 1) or (T, 1)."""
    frames = torch.arange(log_probs.shape[0], device=log_probs.device)
    within: Tensor = frames[:, None] < input_lengths.reshape(1, -1)
    return within if log_probs.ndim == 2 else within.unsqueeze(2)


def summed(log_probs: Tensor, counts: Tensor) -> Tensor:
    """The probabilities that count, summed: a number for each input, or for the only one."""
    probabilities = torch.where(counts, log_probs, -torch.inf).exp()
    return probabilities.sum((0, 2)) if log_probs.ndim == 3 else probabilities.sum()
