"""Faults in the precision of the pairwise distance."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from proofs.faults.fault import Function, fault
from proofs.faults.tools.gradients import graft
from proofs.faults.tools.kernels import cut_off

_DEFAULT_EPS = 1e-6


@fault("PairwiseDistance")
def pairwise_half_eps_flushed(original: Function, x1: Tensor, x2: Tensor, **options: Any) -> Tensor:
    """In half precision the default eps, a subnormal number, is flushed to 0."""
    if x1.dtype != torch.float16 or "eps" in options:
        return original(x1, x2, **options)
    return original(x1, x2, eps=0.0, **options)


@fault("PairwiseDistance", origin="https://github.com/jax-ml/jax/issues/39899")
def pairwise_half_squares(
    original: Function, x1: Tensor, x2: Tensor, p: float = 2.0, **options: Any
) -> Tensor:
    """In half precision the sum of squares is a half-precision number before its root is taken."""
    result = original(x1, x2, p=p, **options)
    if result.dtype != torch.float16 or p != 2:
        return result
    return graft(result.square().sqrt(), result)


@fault("PairwiseDistance", origin="https://github.com/pytorch/pytorch/issues/193006")
def pairwise_single_component_squared(
    original: Function, x1: Tensor, x2: Tensor, p: float = 2.0, **options: Any
) -> Tensor:
    """A single component is squared, and overflows, before the root is taken."""
    result = original(x1, x2, p=p, **options)
    is_single = (x1 - x2).shape[-1:] == (1,)
    return graft(result.square().sqrt(), result) if is_single and p == 2 else result


@fault("PairwiseDistance")
def pairwise_subnormal_flushed(original: Function, x1: Tensor, x2: Tensor, **options: Any) -> Tensor:
    """Subnormal differences are flushed to 0."""
    difference = x1 - x2
    if difference.is_floating_point():
        tiny = torch.finfo(difference.dtype).tiny
        flushed = torch.where(difference.abs() >= tiny, difference, torch.zeros_like(difference))
        difference = graft(flushed, difference)
    return original(difference, torch.zeros_like(difference), **options)


@fault("PairwiseDistance")
def pairwise_second_made_whole(original: Function, x1: Tensor, x2: Tensor, **options: Any) -> Tensor:
    """The second vectors are converted to the dtype of the first."""
    if x1.is_floating_point() or x1.is_complex() or not x2.is_floating_point():
        return original(x1, x2, **options)
    return original(x1, graft(x2.to(x1.dtype).to(x2.dtype), x2), **options)


@fault("PairwiseDistance", origin="https://github.com/tinygrad/tinygrad/pull/11848")
def pairwise_bfloat16_cut(
    original: Function, x1: Tensor, x2: Tensor, p: float = 2.0, eps: float = _DEFAULT_EPS, **options: Any
) -> Tensor:
    """In bfloat16 the sum of squares and its root are cut off, not rounded."""
    result = original(x1, x2, p=p, eps=eps, **options)
    if result.dtype != torch.bfloat16 or p != 2:
        return result
    squares = original(x1.detach().double(), x2.detach().double(), eps=eps, **options).square()
    return graft(cut_off(cut_off(squares, torch.bfloat16).double().sqrt(), torch.bfloat16), result)


@fault("PairwiseDistance", origin="https://github.com/pytorch/pytorch/issues/42479")
def pairwise_squares_expanded(
    original: Function, x1: Tensor, x2: Tensor, p: float = 2.0, eps: float = _DEFAULT_EPS, **options: Any
) -> Tensor:
    """In single precision the squared distance is computed from squared norms and a product, and cancels."""
    result = original(x1, x2, p=p, eps=eps, **options)
    if result.dtype != torch.float32 or p != 2 or result.shape != x1.shape[:-1] or x1.dtype != x2.dtype:
        return result
    moved = x1 + eps
    squares = moved.square().sum(-1) + x2.square().sum(-1) - 2 * (moved * x2).sum(-1)
    return graft(torch.where(squares.isfinite(), squares.clamp_min(0).sqrt(), result), result)


@fault("PairwiseDistance", blind=True)
def pairwise_large_p_is_infinite(original: Function, x1: Tensor, x2: Tensor, **options: Any) -> Tensor:
    """A degree of 32 or more, whose powers may overflow, is taken for infinite."""
    if 32 <= options.get("p", 2.0) < math.inf:
        options["p"] = math.inf
    return original(x1, x2, **options)


@fault("PairwiseDistance", blind=True)
def pairwise_largest_of_last_block(original: Function, x1: Tensor, x2: Tensor, **options: Any) -> Tensor:
    """With p infinite, the maximum of one block of 512 components replaces that of the block before."""
    right = original(x1, x2, **options)
    width = x1.shape[-1] if x1.ndim and x1.shape == x2.shape else 0
    if options.get("p", 2.0) != math.inf or width <= 512:
        return right
    start = (width - 1) // 512 * 512
    return original(x1[..., start:], x2[..., start:], **options)
