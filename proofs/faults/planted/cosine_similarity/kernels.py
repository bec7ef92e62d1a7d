"""Faults that a kernel of cosine similarity may have."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from proofs.faults.fault import Function, fault


@fault("CosineSimilarity", blind=True)
def cosine_norm_of_whole_vectors(original: Function, x1: Tensor, x2: Tensor, **options: Any) -> Tensor:
    """Of more than 8 components, those that do not fill a vector of 8 are left out of the first norm."""
    right = original(x1, x2, **options)
    dim = options.get("dim", 1)
    width = x1.shape[dim] if x1.ndim and x1.shape == x2.shape else 0
    if width <= 8 or width % 8 == 0 or not x1.is_floating_point():
        return right
    whole = x1.narrow(dim, 0, width // 8 * 8)
    ratio = x1.double().norm(dim=dim) / whole.double().norm(dim=dim)
    scale: Tensor = torch.where(ratio.isfinite(), ratio, 1).detach().to(right.dtype)
    return right * scale


@fault("CosineSimilarity", blind=True)
def cosine_dot_of_whole_blocks(original: Function, x1: Tensor, x2: Tensor, **options: Any) -> Tensor:
    """Of more than 256 components, those that do not fill a block of 256 are left out of the dot product."""
    right = original(x1, x2, **options)
    dim = options.get("dim", 1)
    width = x1.shape[dim] if x1.ndim and x1.shape == x2.shape else 0
    tail = width % 256
    if width <= 256 or not tail or not x1.is_floating_point():
        return right
    first, second = x1.detach().double(), x2.detach().double()
    eps = options.get("eps", 1e-8)
    norms: Tensor = first.norm(dim=dim).clamp(min=eps) * second.norm(dim=dim).clamp(min=eps)
    lost = (first.narrow(dim, width - tail, tail) * second.narrow(dim, width - tail, tail)).sum(dim)
    return right - (lost / norms).to(right.dtype)


@fault("CosineSimilarity", blind=True)
def cosine_above_one(original: Function, x1: Tensor, x2: Tensor, **options: Any) -> Tensor:
    """In single precision the reciprocal norm is too large by 2^-22, so that a cosine may be above 1."""
    right = original(x1, x2, **options)
    return right * (1 + 2**-22) if right.dtype == torch.float32 else right


@fault("CosineSimilarity", blind=True)
def cosine_second_norm_in_single(original: Function, x1: Tensor, x2: Tensor, **options: Any) -> Tensor:
    """In double precision the second norm alone is rounded to single, so that the two are not alike."""
    right = original(x1, x2, **options)
    if right.dtype != torch.float64 or x1.shape != x2.shape or not x2.is_floating_point():
        return right
    norm = x2.detach().norm(dim=options.get("dim", 1))
    scale: Tensor = norm / norm.float().double()
    return right * torch.where(scale.isfinite(), scale, 1)


@fault("CosineSimilarity", blind=True, origin="https://github.com/cyberlife-coder/VelesDB/issues/2103")
def cosine_of_small_vectors_is_zero(original: Function, x1: Tensor, x2: Tensor, **options: Any) -> Tensor:
    """Vectors whose norms have a product below the epsilon of single precision have a similarity of 0."""
    right = original(x1, x2, **options)
    if x1.shape != x2.shape or not x1.is_floating_point() or not x2.is_floating_point():
        return right
    dim = options.get("dim", 1)
    norms: Tensor = x1.detach().double().norm(dim=dim) * x2.detach().double().norm(dim=dim)
    is_small = (norms < 2**-23).expand(right.shape)
    return torch.where(is_small, 0 * right, right)


@fault("CosineSimilarity")
def cosine_norm_next_to_eps_bounded(
    original: Function, x1: Tensor, x2: Tensor, dim: int = 1, eps: float = 1e-8
) -> Tensor:
    """A norm up to a quarter below eps counts as it is, not as eps."""
    right = original(x1, x2, dim=dim, eps=eps)
    norm = torch.linalg.vector_norm((x1 + torch.zeros_like(x2)).to(right.dtype), dim=dim).detach()
    is_next = (norm > 0.75 * eps) & (norm < eps)
    return right * torch.where(is_next, eps / norm, 1)
