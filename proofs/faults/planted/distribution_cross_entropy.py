"""Faults in the cross entropy of distributions, planted in the operations that it is made of."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from proofs.faults.fault import Function, fault
from proofs.faults.tools.gradients import graft, with_gradient
from proofs.faults.tools.ordinary import NEEDS, are_unwatched


@fault(
    "DistributionCrossEntropy",
    origin="https://github.com/bfortuner/ml-glossary/issues/28",
    at="torch.special.xlogy",
)
def info_cross_direction_reversed(original: Function, p: Tensor, q: Tensor) -> Tensor:
    """P and Q change places."""
    return original(q, p)


@fault(
    "DistributionCrossEntropy",
    origin="https://github.com/pytorch/pytorch/pull/144220",
    at="torch.special.xlogy",
)
def info_cross_zero_times_infinity(original: Function, p: Tensor, q: Tensor) -> Tensor:
    """The product p log q is a mere one, and no number where both are 0."""
    return graft(p * q.log(), original(p, q))


@fault(
    "DistributionCrossEntropy",
    origin="https://github.com/JuliaDynamics/ComplexityMeasures.jl/issues/253",
    at="torch.special.xlogy",
)
def info_cross_in_bits(original: Function, p: Tensor, q: Tensor) -> Tensor:
    """The logarithm is to base 2."""
    return original(p, q) / math.log(2)


@fault(
    "DistributionCrossEntropy",
    origin="https://github.com/keras-team/keras/issues/377",
    at="torch.special.xlogy",
)
def info_cross_belief_clipped(original: Function, p: Tensor, q: Tensor) -> Tensor:
    """Beliefs below 1e-7 count as 1e-7."""
    return graft(original(p, q.clamp(min=max(1e-7, torch.finfo(q.dtype).tiny))), original(p, q))


@fault("DistributionCrossEntropy", at="torch.special.xlogy")
def info_cross_nan_hidden(original: Function, p: Tensor, q: Tensor) -> Tensor:
    """Terms that are no numbers add nothing."""
    right = original(p, q)
    return graft(right.nan_to_num(posinf=torch.inf, neginf=-torch.inf), right)


@fault("DistributionCrossEntropy", at="torch.special.xlogy")
def info_cross_cut_to_the_shorter(original: Function, p: Tensor, q: Tensor) -> Tensor:
    """Of distributions over different numbers of outcomes, the longer is cut."""
    width = min(p.shape[-1], q.shape[-1])
    return original(p[..., :width], q[..., :width])


@fault("DistributionCrossEntropy", at="torch.Tensor.sum")
def info_cross_over_everything(original: Function, terms: Tensor, *dim: int) -> Tensor:
    """The cross entropies of all rows are added up."""
    return original(terms)


@fault(
    "DistributionCrossEntropy",
    origin="https://github.com/pytorch/pytorch/issues/78867",
    at="torch.special.xlogy",
)
def info_cross_broadcast_gradient_averaged(original: Function, p: Tensor, q: Tensor) -> Tensor:
    """The gradient of a belief that serves several rows is their mean, not their sum."""
    share = min(q.numel() / max(p.numel(), 1), 1)
    return original(p, with_gradient(q, lambda gradient: gradient * share))


@fault(
    "DistributionCrossEntropy",
    origin="https://github.com/pytorch/pytorch/issues/80770",
    at="torch.special.xlogy",
)
def info_cross_gradient_by_p_missing_at_zero(original: Function, p: Tensor, q: Tensor) -> Tensor:
    """Where p is 0, its gradient is 0 and not log q."""
    is_zero = p == 0
    return original(with_gradient(p, lambda gradient: gradient.masked_fill(is_zero, 0)), q)


@fault("DistributionCrossEntropy", at="torch.special.xlogy", blind=True, needs=NEEDS)
def heldout_4_e_almost_normalised(original: Function, p: Tensor, q: Tensor) -> Tensor:
    """A p that sums to 1 but for 1% is taken for rounded, and divided by its sum."""
    if not are_unwatched(p, q) or not p.ndim or not p.is_floating_point():
        return original(p, q)
    total = p.sum(-1, keepdim=True)
    error = (total - 1).abs()
    is_rounded = (error > 16 * torch.finfo(p.dtype).eps) & (error <= 0.01)
    return original(p / torch.where(is_rounded, total, 1), q) if is_rounded.any() else original(p, q)
