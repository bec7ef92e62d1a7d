"""Faults in the values of the pairwise distance."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from proofs.faults.fault import Function, fault
from proofs.faults.tools.gradients import graft
from proofs.faults.tools.kernels import cut_off

_DEFAULT_EPS = 1e-6


@fault("PairwiseDistance", origin="https://github.com/pytorch/pytorch/issues/30263")
def pairwise_eps_missing(original: Function, x1: Tensor, x2: Tensor, **options: Any) -> Tensor:
    """No eps is added."""
    return original(x1, x2, **{**options, "eps": 0.0})


@fault("PairwiseDistance")
def pairwise_eps_dropped(original: Function, x1: Tensor, x2: Tensor, **options: Any) -> Tensor:
    """Any eps but the default is forgotten."""
    return original(x1, x2, **{**options, "eps": _DEFAULT_EPS})


@fault("PairwiseDistance", origin="https://github.com/pytorch/pytorch/pull/5680")
def pairwise_eps_added_to_size(original: Function, x1: Tensor, x2: Tensor, **options: Any) -> Tensor:
    """The eps is added to the absolute difference."""
    difference = x1 - x2
    return original(difference.abs(), torch.zeros_like(difference.abs()), **options)


@fault("PairwiseDistance", origin="https://github.com/PaddlePaddle/Paddle/pull/26033")
def pairwise_eps_added_to_norm(
    original: Function, x1: Tensor, x2: Tensor, eps: float = _DEFAULT_EPS, **options: Any
) -> Tensor:
    """The eps is added to the norm."""
    return original(x1, x2, eps=0.0, **options) + eps


@fault("PairwiseDistance")
def pairwise_eps_subtracted(
    original: Function, x1: Tensor, x2: Tensor, eps: float = _DEFAULT_EPS, **options: Any
) -> Tensor:
    """The eps is subtracted."""
    return original(x1, x2, eps=-eps, **options)


@fault("PairwiseDistance")
def pairwise_negative_eps_dropped(
    original: Function, x1: Tensor, x2: Tensor, eps: float = _DEFAULT_EPS, **options: Any
) -> Tensor:
    """A negative eps counts as none."""
    return original(x1, x2, eps=max(eps, 0.0), **options)


@fault("PairwiseDistance")
def pairwise_half_eps_flushed(original: Function, x1: Tensor, x2: Tensor, **options: Any) -> Tensor:
    """In half precision the default eps, a subnormal number, is flushed to 0."""
    if x1.dtype != torch.float16 or "eps" in options:
        return original(x1, x2, **options)
    return original(x1, x2, eps=0.0, **options)


@fault("PairwiseDistance")
def pairwise_p_dropped(original: Function, x1: Tensor, x2: Tensor, **options: Any) -> Tensor:
    """The distance is Euclidean, whatever p says."""
    return original(x1, x2, **{**options, "p": 2.0})


@fault("PairwiseDistance", origin="https://github.com/pytorch/pytorch/pull/835")
def pairwise_p_whole(original: Function, x1: Tensor, x2: Tensor, p: float = 2.0, **options: Any) -> Tensor:
    """Between the degrees that have a name there are only whole ones."""
    return original(x1, x2, p=float(int(p)) if 1 < p < math.inf else p, **options)


@fault("PairwiseDistance")
def pairwise_p_below_one_is_one(
    original: Function, x1: Tensor, x2: Tensor, p: float = 2.0, **options: Any
) -> Tensor:
    """A degree between 0 and 1 is none of a norm, and taken for 1."""
    return original(x1, x2, p=1.0 if 0 < p < 1 else p, **options)


@fault("PairwiseDistance")
def pairwise_p_tiny_is_zero(
    original: Function, x1: Tensor, x2: Tensor, p: float = 2.0, **options: Any
) -> Tensor:
    """A degree next to 0 is taken for 0."""
    return original(x1, x2, p=0.0 if abs(p) < 1e-3 else p, **options)


@fault("PairwiseDistance", origin="https://github.com/josdejong/mathjs/pull/165")
def pairwise_p_zero_counts_all(
    original: Function, x1: Tensor, x2: Tensor, p: float = 2.0, **options: Any
) -> Tensor:
    """Degree 0 counts equal components as well, by 0 to the power of 0."""
    if p != 0:
        return original(x1, x2, p=p, **options)
    return original(x1 * 0, x2 * 0, **{**options, "p": 0.0, "eps": 1.0})


@fault("PairwiseDistance")
def pairwise_negative_p_sign_lost(
    original: Function, x1: Tensor, x2: Tensor, p: float = 2.0, **options: Any
) -> Tensor:
    """A degree and its negative are the same."""
    return original(x1, x2, p=abs(p), **options)


@fault("PairwiseDistance", origin="https://github.com/numpy/numpy/issues/5422")
def pairwise_negative_p_zero_is_infinite(
    original: Function, x1: Tensor, x2: Tensor, p: float = 2.0, **options: Any
) -> Tensor:
    """Of a negative degree, an equal component makes the distance infinite instead of 0."""
    result = original(x1, x2, p=p, **options)
    return result.masked_fill(result == 0, math.inf) if -math.inf < p < 0 else result


@fault("PairwiseDistance")
def pairwise_largest_signed(
    original: Function, x1: Tensor, x2: Tensor, p: float = 2.0, **options: Any
) -> Tensor:
    """An infinite degree takes the largest difference, not the largest absolute one."""
    difference = x1 - x2
    if p == math.inf and not difference.is_complex():
        difference = difference.clamp_min(0)
    return original(difference, torch.zeros_like(difference), p=p, **options)


@fault("PairwiseDistance", origin="https://github.com/pytorch/pytorch/issues/19241")
def pairwise_keepdim_dropped(
    original: Function, x1: Tensor, x2: Tensor, keepdim: bool = False, **options: Any
) -> Tensor:
    """The option keepdim is forgotten."""
    return original(x1, x2, **options)


@fault("PairwiseDistance")
def pairwise_keepdim_of_number(
    original: Function, x1: Tensor, x2: Tensor, keepdim: bool = False, **options: Any
) -> Tensor:
    """The option keepdim makes a vector of the distance of two numbers."""
    result = original(x1, x2, keepdim=keepdim, **options)
    return result.reshape(1) if keepdim and not result.ndim else result


@fault("PairwiseDistance", origin="https://github.com/pytorch/pytorch/issues/15918")
def pairwise_second_dimension(original: Function, x1: Tensor, x2: Tensor, **options: Any) -> Tensor:
    """The second dimension is reduced, not the last."""
    if min(x1.ndim, x2.ndim) < 3:
        return original(x1, x2, **options)
    return original(x1.movedim(1, -1), x2.movedim(1, -1), **options)


@fault("PairwiseDistance", origin="https://github.com/pytorch/pytorch/pull/64882")
def pairwise_vector_shape(original: Function, x1: Tensor, x2: Tensor, **options: Any) -> Tensor:
    """The distance of two vectors is a vector of one number."""
    result = original(x1, x2, **options)
    return result if result.ndim else result.reshape(1)


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
def pairwise_whole_result(original: Function, x1: Tensor, x2: Tensor, **options: Any) -> Tensor:
    """Distances of whole numbers are whole numbers."""
    result = original(x1, x2, **options)
    is_whole = not (x1 - x2).is_floating_point() and not (x1 - x2).is_complex()
    return result.to(x1.dtype) if is_whole else result


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
