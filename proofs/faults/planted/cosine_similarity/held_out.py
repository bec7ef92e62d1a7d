"""Faults in cosine similarity, written without sight of the cases."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from proofs.faults.fault import Function, fault
from proofs.faults.tools.gradients import graft
from proofs.faults.tools.ordinary import NEEDS, are_unwatched, are_unwatched_and_wide, are_wide


@fault(
    "CosineSimilarity", origin="https://github.com/google-deepmind/optax/pull/1703", blind=True, needs=NEEDS
)
def heldout_2_b_eps_under_the_root(
    original: Function, x1: Tensor, x2: Tensor, dim: int = 1, eps: float = 1e-8
) -> Tensor:
    """The squares of the norms are held above eps, not the norms."""
    result = original(x1, x2, dim=dim, eps=eps)
    if not are_wide(x1, x2) or x1.shape != x2.shape:
        return result
    squares = x1.square().sum(dim), x2.square().sum(dim)
    is_small = (squares[0] < eps) | (squares[1] < eps)
    if not is_small.any():
        return result
    wrong = (x1 * x2).sum(dim) / (squares[0].clamp(min=eps) * squares[1].clamp(min=eps)).sqrt()
    return torch.where(is_small, wrong, result)


@fault("CosineSimilarity", origin="https://github.com/elixir-nx/axon/pull/226", blind=True, needs=NEEDS)
def heldout_3_b_eps_below_product_of_norms(
    original: Function, x1: Tensor, x2: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """The product of the norms, rather than each norm, is at least eps."""
    result = original(x1, x2, *rest, **options)
    if not are_unwatched_and_wide(x1, x2):
        return result
    dim = rest[0] if rest else options.get("dim", 1)
    eps = rest[1] if len(rest) > 1 else options.get("eps", 1e-8)
    first, second = torch.broadcast_tensors(x1.detach(), x2.detach())  # type: ignore[no-untyped-call]  # torch's
    norms = first.norm(dim=dim), second.norm(dim=dim)
    product = norms[0] * norms[1]
    ratio = norms[0].clamp(min=eps) * norms[1].clamp(min=eps) / product.clamp(min=eps)
    is_wrong = (product < eps) & ratio.isfinite()
    return result * torch.where(is_wrong, ratio, 1)


@fault("CosineSimilarity", blind=True)
def heldout_4_d_no_eps(original: Function, x1: Tensor, x2: Tensor, dim: int = 1, eps: float = 1e-8) -> Tensor:
    """An eps of 0 is falsy, and taken for none given."""
    return original(x1, x2, dim=dim, eps=eps or 1e-8)


@fault("CosineSimilarity", blind=True, needs=NEEDS)
def heldout_5_e_reciprocal_by_newton(
    original: Function, x1: Tensor, x2: Tensor, dim: int = 1, eps: float = 1e-8
) -> Tensor:
    """In double precision a norm's reciprocal is that of single precision, improved by one Newton step."""
    result = original(x1, x2, dim, eps)
    if not are_unwatched(x1, x2) or x1.shape != x2.shape or result.dtype != torch.float64:
        return result
    for vectors in (x1, x2):
        norm = vectors.detach().double().norm(dim=dim).clamp(min=eps)
        error = 1 - norm * norm.float().reciprocal()
        result = result * (1 - torch.where((norm > 1e-30) & (norm < 1e30), error.square(), 0))
    return result


@fault("CosineSimilarity", blind=True, needs=NEEDS)
def heldout_6_e_one_newton_step(
    original: Function, x1: Tensor, x2: Tensor, dim: int = 1, *rest: Any, **options: Any
) -> Tensor:
    """The norms' reciprocals are bfloat16's after one Newton step: no vector has similarity 1 to itself."""
    result = original(x1, x2, dim, *rest, **options)
    if not are_unwatched(x1, x2) or x1.shape != x2.shape or not x1.dtype == x2.dtype == torch.float32:
        return result
    wrong = result.detach()
    for square in (x1.detach().square().sum(dim), x2.detach().square().sum(dim)):
        guess = square.bfloat16().rsqrt().float()
        ratio = guess * (1.5 - 0.5 * square * guess.square()) * square.sqrt()
        wrong = wrong * torch.where(ratio.isfinite(), ratio, 1)
    return graft(wrong, result)
