"""Faults in entropy, planted in the operations that it is made of."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from proofs.faults.fault import Function, fault
from proofs.faults.tools.gradients import graft, with_gradient
from proofs.faults.tools.ordinary import NEEDS, are_unwatched


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


@fault("Entropy", origin="https://github.com/tensorflow/tensorflow/issues/6717", at="torch.special.entr")
def info_entropy_without_gradient(original: Function, p: Tensor) -> Tensor:
    """The entropy has no gradient."""
    return with_gradient(original(p), torch.zeros_like)


@fault("Entropy", at="torch.special.entr")
def info_entropy_gradient_of_constant_factor(original: Function, p: Tensor) -> Tensor:
    """The gradient of p log p takes its first p for a constant."""
    return graft(original(p), -p.detach() * p.log())


@fault("Entropy", at="torch.special.entr", blind=True, needs=NEEDS)
def heldout_4_e_never_certain(original: Function, p: Tensor) -> Tensor:
    """No probability counts for more than 1 - 1e-6, so that what is certain has an entropy of 1e-6."""
    right = original(p)
    if not are_unwatched(p) or not p.is_floating_point():
        return right
    return graft(torch.where(p <= 1, original(p.clamp(max=1 - 1e-6)), right), right)
