"""Faults in self-information, planted in the operations that it is made of."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from proofs.faults.fault import Function, fault
from proofs.faults.tools.gradients import graft
from proofs.faults.tools.kernels import in_single
from proofs.faults.tools.ordinary import NEEDS, are_unwatched


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


@fault("SelfInformation", at="torch.log", blind=True, needs=NEEDS)
def heldout_4_b_almost_certain(original: Function, p: Tensor) -> Tensor:
    """In double precision, a probability that is 1 in single precision has no surprise."""
    if not are_unwatched(p) or p.dtype != torch.float64:
        return original(p)
    return graft(original(torch.where(p.float() == 1, 1, p)), original(p))
