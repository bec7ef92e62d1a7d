"""Faults in the documents' notions that torch has no loss for, planted in the operations they are made of."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from proofs.faults.fault import Function, fault
from proofs.faults.tools.gradients import graft, with_gradient
from proofs.faults.tools.kernels import in_single


@fault(
    "SelfInformation",
    origin="https://github.com/JuliaDynamics/ComplexityMeasures.jl/issues/253",
    at="torch.log",
)
def info_self_information_in_bits(original: Function, p: Tensor) -> Tensor:
    """The logarithm is to base 2."""
    return torch.log2(p)


@fault("SelfInformation", origin="https://github.com/tinygrad/tinygrad/pull/15514", at="torch.log")
def info_logarithm_of_two_in_bfloat16(original: Function, p: Tensor) -> Tensor:
    """In bfloat16, the logarithm to base 2 is rounded and multiplied by a rounded log 2."""
    right = original(p)
    if p.dtype != torch.bfloat16:
        return right
    return graft(torch.log2(p) * torch.tensor(math.log(2), dtype=p.dtype), right)


@fault("SelfInformation", origin="https://github.com/FluxML/Flux.jl/pull/306", at="torch.log")
def info_self_information_with_epsilon(original: Function, p: Tensor) -> Tensor:
    """The dtype's epsilon is added to the probability, so that an impossible event has finite surprise."""
    return original(p + torch.finfo(p.dtype).eps)


@fault("SelfInformation", at="torch.log")
def info_self_information_of_magnitude(original: Function, p: Tensor) -> Tensor:
    """A negative probability passes for a positive one."""
    return graft(original(p.abs()), original(p))


@fault("SelfInformation", at="torch.log")
def info_self_information_never_negative(original: Function, p: Tensor) -> Tensor:
    """Densities above 1 count as 1."""
    return graft(original(p.clamp(max=1)), original(p))


@fault("SelfInformation", origin="https://github.com/tensorflow/tensorflow/issues/62399", at="torch.log")
def info_self_information_flushes_subnormals(original: Function, p: Tensor) -> Tensor:
    """Subnormal probabilities are flushed to 0."""
    return graft(original(torch.where(p.abs() < torch.finfo(p.dtype).tiny, 0, p)), original(p))


@fault("SelfInformation", at="torch.log")
def info_self_information_in_single(original: Function, p: Tensor) -> Tensor:
    """Double precision is computed in single precision."""
    return in_single(original, p)


@fault("SelfInformation", at="torch.log")
def info_self_information_truncated(original: Function, p: Tensor) -> Tensor:
    """In half precision, the result is truncated, not rounded to nearest."""
    right = original(p)
    if p.dtype not in (torch.float16, torch.bfloat16):
        return right
    exact = p.float().log()
    down = torch.where(right.float().abs() > exact.abs(), torch.nextafter(right, 0 * right), right)
    return graft(down, right)


@fault("SelfInformation", at="torch.log")
def info_self_information_scalar_has_a_dimension(original: Function, p: Tensor) -> Tensor:
    """A number without dimensions gives a vector of one."""
    return original(p) if p.ndim else original(p).reshape(1)


@fault("SelfInformation", at="torch.log")
def info_self_information_of_nothing(original: Function, p: Tensor) -> Tensor:
    """No events at all have a surprise of 0."""
    return original(p) if p.numel() else torch.zeros(1, dtype=p.dtype)


@fault("SelfInformation", at="torch.log")
def info_self_information_of_infinity_hidden(original: Function, p: Tensor) -> Tensor:
    """An infinite density counts as the largest number."""
    return graft(original(p.clamp(max=torch.finfo(p.dtype).max)), original(p))


@fault("Entropy", origin="https://github.com/pyro-ppl/numpyro/pull/2276", at="torch.special.entr")
def info_entropy_zero_times_infinity(original: Function, p: Tensor) -> Tensor:
    """The product p log p is a mere one, and no number where p is 0."""
    return graft(-p * p.log(), original(p))


@fault(
    "Entropy",
    origin="https://github.com/JuliaDynamics/ComplexityMeasures.jl/issues/253",
    at="torch.special.entr",
)
def info_entropy_in_bits(original: Function, p: Tensor) -> Tensor:
    """The logarithm is to base 2."""
    return original(p) / math.log(2)


@fault("Entropy", at="torch.special.entr")
def info_entropy_normalised(original: Function, p: Tensor) -> Tensor:
    """Numbers that do not sum to 1 are divided by their sum, as scipy does."""
    return graft(original(p / p.sum(-1, keepdim=True)), original(p))


@fault("Entropy", at="torch.special.entr")
def info_entropy_of_rare_outcomes_dropped(original: Function, p: Tensor) -> Tensor:
    """Outcomes with a probability below 1e-5 add nothing."""
    right = original(p)
    return graft(torch.where(p < 1e-5, 0, right), right)


@fault("Entropy", origin="https://github.com/tensorflow/tensorflow/issues/6717", at="torch.special.entr")
def info_entropy_without_gradient(original: Function, p: Tensor) -> Tensor:
    """The entropy has no gradient."""
    return with_gradient(original(p), torch.zeros_like)


@fault("Entropy", at="torch.special.entr")
def info_entropy_gradient_of_constant_factor(original: Function, p: Tensor) -> Tensor:
    """The gradient of p log p takes its first p for a constant."""
    return graft(original(p), -p.detach() * p.log())


@fault("Entropy", at="torch.special.entr")
def info_entropy_nan_hidden(original: Function, p: Tensor) -> Tensor:
    """An outcome that is no number adds nothing."""
    return graft(original(p.nan_to_num()), original(p))


@fault("Entropy", at="torch.Tensor.sum")
def info_entropy_over_everything(original: Function, terms: Tensor, *dim: int) -> Tensor:
    """The entropies of all rows are added up."""
    return original(terms)


@fault("Entropy", at="torch.Tensor.sum")
def info_entropy_over_the_first_dimension(original: Function, terms: Tensor, *dim: int) -> Tensor:
    """The sum runs over the first dimension."""
    return original(terms, 0)


@fault("Entropy", at="torch.Tensor.sum")
def info_entropy_as_mean(original: Function, terms: Tensor, *dim: int) -> Tensor:
    """The terms are averaged, which leaves no number of no outcomes."""
    return terms.mean(*dim)


@fault("Entropy", origin="https://github.com/pytorch/executorch/pull/20090", at="torch.Tensor.sum")
def info_entropy_summed_in_half(original: Function, terms: Tensor, *dim: int) -> Tensor:
    """A vector's running total is kept in the dtype of its terms."""
    right = original(terms, *dim)
    if terms.ndim != 1 or len(terms) < 1000:
        return right
    total = terms.new_zeros(())
    for some in torch.split(terms, 10):
        total = total + original(some)
    return graft(total, right)


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
