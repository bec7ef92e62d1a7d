"""Faults in cosine similarity."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor
from torch.nn import CosineSimilarity, Module

from proofs.faults.fault import Function, fault
from proofs.faults.tools.gradients import graft, with_gradient
from proofs.faults.tools.kinks import with_added_gradient
from proofs.faults.tools.modules import LossClass

_DEFAULT_EPS = 1e-8


@fault("CosineSimilarity", origin="https://github.com/google-deepmind/optax/pull/1703", blind=True)
def blind_cosine_similarity_eps_bounds_squares(
    original: Function, x1: Tensor, x2: Tensor, dim: int = 1, eps: float = 1e-8
) -> Tensor:
    """The eps bounds the squares of the norms, not the norms."""
    right = original(x1, x2, dim=dim, eps=eps)
    if eps == 0:
        return right
    bound = math.sqrt(eps)
    for vectors in (x1 + torch.zeros_like(x2), x2 + torch.zeros_like(x1)):
        norm = torch.linalg.vector_norm(vectors.to(right.dtype), dim=dim)
        right = right * torch.where(norm < bound, norm.clamp(min=eps) / bound, 1)
    return right


def _common(x1: Tensor, x2: Tensor) -> tuple[Tensor, Tensor]:
    first, second = torch.broadcast_tensors(x1, x2)  # type: ignore[no-untyped-call]  # torch's
    return first, second


def _norm(x: Tensor, dim: int) -> Tensor:
    norm: Tensor = torch.linalg.vector_norm(x, dim=dim, keepdim=True)
    return norm


def _wide(tensor: Tensor) -> Tensor:
    """In double precision, so that what is made of it has one rounding, whatever the formula."""
    return tensor.double()


@fault("CosineSimilarity", origin="https://github.com/pytorch/pytorch/pull/31378")
def cosine_eps_bounds_product(
    original: Function, x1: Tensor, x2: Tensor, dim: int = 1, eps: float = _DEFAULT_EPS
) -> Tensor:
    """The eps bounds the product of the norms instead of each of them."""
    plain = original(x1, x2, dim=dim, eps=eps)
    first, second = _common(_wide(x1), _wide(x2))
    norms = [_norm(x, dim).squeeze(dim) for x in (first, second)]
    is_small = torch.minimum(norms[0], norms[1]) < eps
    bounded = (first * second).sum(dim) / (norms[0] * norms[1]).clamp_min(eps)
    return torch.where(is_small, bounded.to(plain.dtype), plain)


@fault("CosineSimilarity")
def cosine_eps_added(
    original: Function, x1: Tensor, x2: Tensor, dim: int = 1, eps: float = _DEFAULT_EPS
) -> Tensor:
    """The eps is added to the norms."""
    plain = original(x1, x2, dim=dim, eps=eps)
    first, second = _common(_wide(x1), _wide(x2))
    norms = [_norm(x, dim).detach() for x in (first, second)]
    shares = [norm.clamp_min(eps) / (norm + eps) for norm in norms]
    return plain * torch.nan_to_num(shares[0] * shares[1], 1.0).squeeze(dim).to(plain.dtype)


@fault("CosineSimilarity", origin="https://github.com/google-deepmind/optax/pull/1703")
def cosine_eps_bounds_square(
    original: Function, x1: Tensor, x2: Tensor, dim: int = 1, eps: float = _DEFAULT_EPS
) -> Tensor:
    """The eps bounds the squared norms."""
    return original(x1, x2, dim=dim, eps=math.sqrt(eps) if eps > 0 else eps)


@fault("CosineSimilarity", origin="https://github.com/google-deepmind/optax/pull/946")
def cosine_eps_missing(original: Function, x1: Tensor, x2: Tensor, **options: Any) -> Tensor:
    """Nothing keeps a norm from 0."""
    return original(x1, x2, **{**options, "eps": min(options.get("eps", 0.0), 0.0)})


@fault("CosineSimilarity", origin="https://github.com/pytorch/pytorch/pull/169047")
def cosine_large_eps_refused(original: Function, x1: Tensor, x2: Tensor, **options: Any) -> Tensor:
    """An eps beyond the vectors' dtype is an error."""
    if x1.is_floating_point() and options.get("eps", 0.0) > torch.finfo(x1.dtype).max:
        raise RuntimeError("value cannot be converted without overflow")
    return original(x1, x2, **options)


@fault("CosineSimilarity")
def cosine_last_dimension(original: Function, x1: Tensor, x2: Tensor, **options: Any) -> Tensor:
    """The last dimension is taken, whatever dim says."""
    return original(x1, x2, **{**options, "dim": -1})


@fault("CosineSimilarity")
def cosine_dimension_sign_lost(original: Function, x1: Tensor, x2: Tensor, **options: Any) -> Tensor:
    """A negative dim is counted from the front."""
    dim, reach = options.get("dim", 1), max(x1.ndim, x2.ndim)
    return original(x1, x2, **{**options, "dim": -dim if -reach < dim < 0 else dim})


@fault("CosineSimilarity", origin="https://github.com/pytorch/pytorch/issues/109333")
def cosine_norms_before_broadcast(
    original: Function, x1: Tensor, x2: Tensor, dim: int = 1, **options: Any
) -> Tensor:
    """The norms are those of the vectors before they are broadcast."""
    plain = original(x1, x2, dim=dim, **options)
    first, second = _common(x1, x2)
    for vector, whole in ((x1, first), (x2, second)):
        if vector.ndim == whole.ndim > 0 and vector.shape[dim] == 1:
            plain = plain * math.sqrt(whole.shape[dim])
    return plain


@fault("CosineSimilarity", origin="https://github.com/pytorch/pytorch/issues/69512")
def cosine_half_squares(
    original: Function, x1: Tensor, x2: Tensor, dim: int = 1, eps: float = _DEFAULT_EPS
) -> Tensor:
    """In half precision the squared norms and their product are half-precision numbers, and overflow."""
    plain = original(x1, x2, dim=dim, eps=eps)
    if plain.dtype != torch.float16:
        return plain
    squares = (x1 * x1).sum(dim) * (x2 * x2).sum(dim)
    return torch.where(squares.isinf() & plain.isfinite(), torch.zeros_like(plain), plain)


@fault("CosineSimilarity", origin="https://github.com/pytorch/pytorch/issues/61454")
def cosine_integer_squares(
    original: Function, x1: Tensor, x2: Tensor, dim: int = 1, eps: float = _DEFAULT_EPS
) -> Tensor:
    """The squares of whole numbers are taken in their own dtype, and wrap around."""
    plain = original(x1, x2, dim=dim, eps=eps)
    if x1.is_floating_point() or x1.dtype == torch.bool:
        return plain
    return plain * (_norm(_wide(x1), dim).square() / (x1 * x1).sum(dim, keepdim=True)).sqrt().squeeze(dim).to(
        plain.dtype
    )


@fault("CosineSimilarity", origin="https://github.com/pytorch/pytorch/issues/61454")
def cosine_whole_result(original: Function, x1: Tensor, x2: Tensor, **options: Any) -> Tensor:
    """The result passes through the dtype of the first vectors, be they of whole numbers."""
    result = original(x1, x2, **options)
    return result if x1.is_floating_point() else graft(result.to(x1.dtype).to(result.dtype), result)


@fault("CosineSimilarity")
def cosine_first_components(original: Function, x1: Tensor, x2: Tensor, **options: Any) -> Tensor:
    """Components beyond 65536 are not reached."""
    if x1.shape != x2.shape or x1.ndim != 2 or x1.shape[1] <= 65536:
        return original(x1, x2, **options)
    return original(x1[:, :65536], x2[:, :65536], **options)


@fault("CosineSimilarity")
def cosine_nan_is_zero(original: Function, x1: Tensor, x2: Tensor, **options: Any) -> Tensor:
    """A similarity of nan is made 0."""
    result = original(x1, x2, **options)
    return torch.where(result.isnan(), torch.zeros_like(result), result)


@fault("CosineSimilarity")
def cosine_nothing_is_nan(original: Function, x1: Tensor, x2: Tensor, **options: Any) -> Tensor:
    """The similarity of vectors without components is nan."""
    result = original(x1, x2, **options)
    return result * math.nan if result.numel() and not x1.numel() else result


@fault("CosineSimilarity")
def cosine_empty_is_zero(original: Function, x1: Tensor, x2: Tensor, **options: Any) -> Tensor:
    """An empty batch has one similarity, 0."""
    result = original(x1, x2, **options)
    return result if result.numel() else result.new_zeros(1)


@fault("CosineSimilarity", origin="https://github.com/gomlx/gomlx/pull/125")
def cosine_vector_shape(original: Function, x1: Tensor, x2: Tensor, **options: Any) -> Tensor:
    """The similarity of two vectors is a vector of one number."""
    result = original(x1, x2, **options)
    return result if result.ndim else result.reshape(1)


@fault("CosineSimilarity", origin="https://github.com/pytorch/pytorch/pull/62912")
def cosine_broadcast_refused(original: Function, x1: Tensor, x2: Tensor, **options: Any) -> Tensor:
    """Vectors of two shapes are an error, though they broadcast."""
    if x1.shape == x2.shape:
        return original(x1, x2, **options)
    raise RuntimeError("cosine_similarity requires both inputs to have the same sizes")


@fault("CosineSimilarity")
def cosine_norm_constant_in_gradient(
    original: Function, x1: Tensor, x2: Tensor, dim: int = 1, eps: float = _DEFAULT_EPS
) -> Tensor:
    """The gradient takes the norms for constants."""
    plain = original(x1, x2, dim=dim, eps=eps)
    first, second = _common(_wide(x1), _wide(x2))
    norms = [_norm(x, dim).clamp_min(eps).detach() for x in (first, second)]
    return graft(plain, ((first / norms[0]) * (second / norms[1])).sum(dim).to(plain.dtype))


@fault("CosineSimilarity")
def cosine_clamp_in_gradient(
    original: Function, x1: Tensor, x2: Tensor, dim: int = 1, eps: float = _DEFAULT_EPS
) -> Tensor:
    """A norm below eps has no part in the gradient, as the derivative of a clamp would have it."""
    plain = original(x1, x2, dim=dim, eps=eps)
    first, second = _common(_wide(x1), _wide(x2))
    units = [x / _norm(x, dim).clamp_min(eps) for x in (first, second)]
    return graft(plain, (units[0] * units[1]).sum(dim).to(plain.dtype))


@fault("CosineSimilarity", origin="https://github.com/google-deepmind/optax/pull/946")
def cosine_gradient_nan_at_zero(
    original: Function, x1: Tensor, x2: Tensor, dim: int = 1, eps: float = _DEFAULT_EPS
) -> Tensor:
    """The gradient of a vector of zeros is nan, though its similarity is 0."""
    first, second = _common(x1, x2)
    zeros = _norm(_wide(first), dim).detach() == 0
    first = with_gradient(first, lambda gradient: gradient.masked_fill(zeros, math.nan))
    return original(first, second, dim=dim, eps=eps)


def _at_eps(part: float, original: Function, x1: Tensor, x2: Tensor, **options: Any) -> Tensor:
    """The similarity; a part of its slope by a norm that is exactly eps is missing."""
    result = original(x1, x2, **options)
    dim, eps = options.get("dim", 1), options.get("eps", 1e-8)
    if not 0 < eps < math.inf:
        return result
    more = torch.zeros_like(result)
    for vectors in (x1 + torch.zeros_like(x2), x2 + torch.zeros_like(x1)):
        norm = torch.linalg.vector_norm(vectors.to(result.dtype), dim=dim)
        is_at_eps = (norm.detach() == eps) & (norm.detach() > 0)
        more = more + norm * torch.where(is_at_eps, part * result.detach() / norm.detach(), 0)
    return with_added_gradient(result, more)


@fault("CosineSimilarity", origin="https://github.com/pytorch/pytorch/pull/185831")
def cosine_norm_constant_at_eps(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """A norm that is exactly eps is a constant in the gradient."""
    return _at_eps(1, original, *args, **options)


@fault("CosineSimilarity", origin="https://github.com/jax-ml/jax/issues/37821")
def cosine_half_slope_at_eps(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """A norm that is exactly eps has half its part in the gradient, as a tie with eps."""
    return _at_eps(0.5, original, *args, **options)


@fault("CosineSimilarity", origin="https://github.com/Lightning-AI/torchmetrics/issues/1278")
def cosine_overwrites(original: Function, x1: Tensor, x2: Tensor, **options: Any) -> Tensor:
    """The first vectors are normalised in place."""
    result = original(x1.clone(), x2, **options)
    if x1.is_floating_point():
        norms = _norm(x1.detach(), options.get("dim", 1) if x1.ndim > 1 else -1)
        x1.detach().copy_(x1.detach() / norms.clamp_min(_DEFAULT_EPS))
    return result


@fault("CosineSimilarity", method="__init__")
def cosine_module_eps_dropped(original: Function, *args: Any, **options: Any) -> Any:
    """The module forgets its eps."""
    return original(*args, **{**options, "eps": 1e-8})


@fault("CosineSimilarity", method="__init__")
def cosine_module_buffer(original: Function, self: CosineSimilarity, *args: Any, **options: Any) -> None:
    """The module keeps its eps in a buffer, and so in its state."""
    original(self, *args, **options)
    self.register_buffer("smallest_norm", torch.tensor(self.eps))


class _SimilarityAsLoss(LossClass):  # type: ignore[misc]  # a class by its place, not by its name
    """What CosineSimilarity would be if it were one of the losses."""

    forward = CosineSimilarity.forward


@fault("CosineSimilarity", method="__init__")
def cosine_module_is_loss(original: Function, self: Module, *args: Any, **options: Any) -> None:
    """The module derives from the class of the losses, and so has a reduction that it does not heed."""
    original(self, *args, **options)
    self.__class__ = _SimilarityAsLoss
