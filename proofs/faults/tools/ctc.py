"""What the faults in the CTC loss have in common."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from proofs.faults.fault import Function
from proofs.faults.tools.kernels import reduced


def unreduced_losses(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """What the call yields without a reduction; it refuses what the call itself refuses."""
    original(*args, **options)
    return original(*args, **options | {"reduction": "none"})


def mass(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """For each input, the sum of all probabilities in its frames, whose gradient is the p of p - posterior.

    It is 0 where zero_infinity leaves no gradient.
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
    """Which frames of which inputs are within the input's length, (T, N, 1) or (T, 1)."""
    frames = torch.arange(log_probs.shape[0], device=log_probs.device)
    within: Tensor = frames[:, None] < input_lengths.reshape(1, -1)
    return within if log_probs.ndim == 2 else within.unsqueeze(2)


def summed(log_probs: Tensor, counts: Tensor) -> Tensor:
    """The probabilities that count, summed: a number for each input, or for the only one."""
    probabilities = torch.where(counts, log_probs, -torch.inf).exp()
    return probabilities.sum((0, 2)) if log_probs.ndim == 3 else probabilities.sum()
