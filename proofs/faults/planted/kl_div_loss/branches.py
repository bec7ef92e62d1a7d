"""Faults at the branches of the Kullback-Leibler divergence."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from proofs.faults.fault import Function, fault
from proofs.faults.tools.kernels import reduced, with_reduction


@fault("KLDivLoss", blind=True)
def kl_small_targets_cut_by_single(
    original: Function, input: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """Probabilities below the normal numbers of single precision count as 0 in double precision too."""
    if target.dtype == torch.float64 and not options.get("log_target"):
        target = torch.where(target.abs() < torch.finfo(torch.float32).tiny, 0 * target, target)
    return original(input, target, **options)


@fault("KLDivLoss", blind=True)
def kl_logarithm_by_log1p(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """The target's logarithm is log1p of the rounded t - 1, which forgets the digits of a small t."""
    result = original(input, target, **options)
    if options.get("log_target") or not target.is_floating_point() or input.shape != target.shape:
        return result
    logarithm = (target.detach() - 1).log1p()
    product = torch.where(target > 0, target.detach() * (logarithm - target.detach().log()), 0)
    losses = original(input, target, **with_reduction(options) | {"reduction": "none"})
    reduction = with_reduction(options)["reduction"]
    error = torch.where(losses.isfinite() & product.isfinite(), product, 0).detach().to(result.dtype)
    if reduction == "batchmean":
        return result + error.sum() / max(len(input), 1) if input.ndim else result
    return result + reduced(error, reduction)


@fault("KLDivLoss")
def kl_next_to_itself_zero(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """Logarithms that differ by less than 2^-16 count as equal."""
    if options.get("log_target") and input.shape == target.shape and input.dtype == target.dtype:
        is_next = (input != target) & ((input - target).abs() < 2.0**-16)
        input = input.where(~is_next, input - input.detach() + target.detach())
    return original(input, target, **options)
