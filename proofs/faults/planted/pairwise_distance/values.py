"""Wrong values of the pairwise distance."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from proofs.faults.fault import Function, fault
from proofs.faults.tools.kernels import without_refusals
from proofs.faults.tools.norms import of_difference

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


@fault("PairwiseDistance")
def pairwise_whole_result(original: Function, x1: Tensor, x2: Tensor, **options: Any) -> Tensor:
    """Distances of whole numbers are whole numbers."""
    result = original(x1, x2, **options)
    is_whole = not (x1 - x2).is_floating_point() and not (x1 - x2).is_complex()
    return result.to(x1.dtype) if is_whole else result


@fault("PairwiseDistance")
def pairwise_complex_real_part(original: Function, x1: Tensor, x2: Tensor, **options: Any) -> Tensor:
    """Of complex vectors the real parts are compared."""
    return original(x1.real, x2.real, **options)


@fault("PairwiseDistance")
def pairwise_complex_parts_apart(original: Function, x1: Tensor, x2: Tensor, **options: Any) -> Tensor:
    """The real and the imaginary part of a component are two components of the norm."""
    difference = x1 - x2 + options.get("eps", 1e-6)
    if not difference.is_complex():
        return original(x1, x2, **options)
    return of_difference(original, torch.view_as_real(difference).flatten(-2), **{**options, "eps": 0.0})


@fault("PairwiseDistance")
def pairwise_complex_eps_in_both(original: Function, x1: Tensor, x2: Tensor, **options: Any) -> Tensor:
    """The eps is added to the imaginary part as well."""
    if not x1.is_complex():
        return original(x1, x2, **options)
    return original(x1 + 1j * options.get("eps", 1e-6), x2, **options)


@fault("PairwiseDistance")
def pairwise_nan_is_zero(original: Function, x1: Tensor, x2: Tensor, **options: Any) -> Tensor:
    """A distance of nan is made 0."""
    result = original(x1, x2, **options)
    return torch.where(result.isnan(), torch.zeros_like(result), result)


@fault("PairwiseDistance")
def pairwise_largest_without_nan(
    original: Function, x1: Tensor, x2: Tensor, p: float = 2.0, **options: Any
) -> Tensor:
    """An infinite degree takes the largest of the components that are no nan."""
    difference = x1 - x2
    if math.isinf(p):
        difference = torch.where(difference.isnan(), torch.zeros_like(difference), difference)
    return of_difference(original, difference, p=p, **options)


@fault("PairwiseDistance")
def pairwise_infinities_equal(original: Function, x1: Tensor, x2: Tensor, **options: Any) -> Tensor:
    """Components that are equal have no difference, be they infinite."""
    difference = x1 - x2
    equal = (x1 == x2) & x1.isinf()
    difference = torch.where(equal, torch.zeros_like(difference), difference)
    return of_difference(original, difference, **options)


@fault("PairwiseDistance")
def pairwise_infinite_is_largest(original: Function, x1: Tensor, x2: Tensor, **options: Any) -> Tensor:
    """An infinite distance is made the largest number of its dtype."""
    result = original(x1, x2, **options)
    return result.clamp_max(torch.finfo(result.dtype).max)


@fault("PairwiseDistance")
def pairwise_nothing_is_nan(original: Function, x1: Tensor, x2: Tensor, **options: Any) -> Tensor:
    """The distance of vectors without components is nan."""
    result = original(x1, x2, **options)
    return result * math.nan if result.numel() and not x1.numel() else result


@fault("PairwiseDistance", origin="https://github.com/JuliaLang/LinearAlgebra.jl/issues/584")
def pairwise_extreme_of_nothing(original: Function, x1: Tensor, x2: Tensor, **options: Any) -> Tensor:
    """The extreme one of no components is 0."""
    if options.get("p", 2.0) < 0 or math.isinf(options.get("p", 2.0)):
        return without_refusals(original, x1, x2, **options)
    return original(x1, x2, **options)


@fault("PairwiseDistance")
def pairwise_empty_is_zero(original: Function, x1: Tensor, x2: Tensor, **options: Any) -> Tensor:
    """An empty batch has one distance, 0."""
    result = original(x1, x2, **options)
    return result if result.numel() else result.new_zeros(1)


@fault("PairwiseDistance")
def pairwise_overwrites(original: Function, x1: Tensor, x2: Tensor, **options: Any) -> Tensor:
    """The difference overwrites the first vectors."""
    result = original(x1.clone(), x2, **options)
    if x1.shape == x2.shape and x1.dtype == x2.dtype:
        x1.detach().sub_(x2.detach())
    return result
