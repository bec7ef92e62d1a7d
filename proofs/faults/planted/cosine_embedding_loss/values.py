"""Faults in the cosine embedding loss."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor
from torch.nn import CosineEmbeddingLoss

from proofs.faults.fault import Function, fault
from proofs.faults.tools.calls import again, named_arguments
from proofs.faults.tools.dtypes import wider
from proofs.faults.tools.gradients import graft, with_gradient
from proofs.faults.tools.kernels import reduced
from proofs.faults.tools.kinks import bent
from proofs.faults.tools.vectors import as_asked, averaged_when_broadcast, unreduced

_ROOM = 1e-12


@fault("CosineEmbeddingLoss", origin="https://github.com/mlpack/mlpack/issues/2444")
def cosine_embedding_all_others_unlike(
    original: Function, input1: Tensor, input2: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """All targets but 1 are those of unlike pairs."""
    signs = torch.where(target == 1, 1, -1)
    return original(input1, input2, signs, **options)


@fault("CosineEmbeddingLoss")
def cosine_embedding_target_sign(
    original: Function, input1: Tensor, input2: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """The sign of the target counts, not its value."""
    return original(input1, input2, target if target.dtype == torch.bool else target.sign(), **options)


@fault("CosineEmbeddingLoss")
def cosine_embedding_mean_over_counted(
    original: Function, input1: Tensor, input2: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """The mean is over the pairs that are like or unlike."""
    result = original(input1, input2, target, **options)
    counted = ((target == 1) | (target == -1)).sum()
    is_mean = options.get("reduction", "mean") == "mean"
    return result * (target.numel() / counted) if is_mean and 0 < counted < target.numel() else result


@fault("CosineEmbeddingLoss")
def cosine_embedding_mean_over_targets(
    original: Function, input1: Tensor, input2: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """The mean divides by the number of targets, though one may serve many pairs."""
    if options.get("reduction", "mean") != "mean" or target.numel() != 1:
        return original(input1, input2, target, **options)
    return original(input1, input2, target, **{**options, "reduction": "sum"})


def _cosine(input1: Tensor, input2: Tensor, room: float = _ROOM) -> Tensor:
    """As torch computes it, with the room in the squared norms."""
    squares = [(vectors * vectors).sum(-1) + room for vectors in (input1, input2)]
    return (input1 * input2).sum(-1) / (squares[0] * squares[1]).sqrt()


def _losses(cosine: Tensor, target: Tensor, margin: float, unlike: Tensor | None = None) -> Tensor:
    """As torch computes them; ``unlike`` are other losses for unlike pairs."""
    costs = (cosine - margin).clamp_min(0) if unlike is None else unlike
    nothing = torch.zeros_like(cosine)
    return torch.where(target == 1, 1 - cosine, nothing) + torch.where(target == -1, costs, nothing)


@fault("CosineEmbeddingLoss", origin="https://github.com/PaddlePaddle/Paddle/pull/41680")
def cosine_embedding_margin_after_clamp(
    original: Function, input1: Tensor, input2: Tensor, target: Tensor, margin: float = 0.0, **options: Any
) -> Tensor:
    """The margin is taken from the clamped cosine, and may leave less than nothing."""
    result = original(input1, input2, target, margin=margin, **options)
    if margin == 0:
        return result
    cosine = _cosine(input1, input2)
    losses = _losses(cosine, target, margin, unlike=cosine.clamp_min(0) - margin)
    return as_asked(losses, options).to(result.dtype)


@fault("CosineEmbeddingLoss")
def cosine_embedding_margin_for_like(
    original: Function, input1: Tensor, input2: Tensor, target: Tensor, margin: float = 0.0, **options: Any
) -> Tensor:
    """Like pairs have the margin for nothing as well."""
    if margin == 0:
        return original(input1, input2, target, **options)
    losses = unreduced(original, input1, input2, target, margin=margin, **options)
    return as_asked(torch.where(target == 1, (losses - margin).clamp_min(0), losses), options)


@fault("CosineEmbeddingLoss")
def cosine_embedding_margin_negative_dropped(
    original: Function, *args: Tensor, margin: float = 0.0, **options: Any
) -> Tensor:
    """A negative margin counts as none."""
    return original(*args, margin=max(margin, 0.0), **options)


@fault("CosineEmbeddingLoss")
def cosine_embedding_margin_in_half(
    original: Function, *args: Tensor, margin: float = 0.0, **options: Any
) -> Tensor:
    """The margin is a half-precision number."""
    return original(*args, margin=torch.tensor(margin, dtype=torch.float16).item(), **options)


@fault("CosineEmbeddingLoss")
def cosine_embedding_no_room(
    original: Function, input1: Tensor, input2: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """Nothing keeps the norms of vectors of zeros from 0."""
    result = original(input1, input2, target, **options)
    zeros = _cosine(input1.detach(), input2.detach(), room=0.0).isnan() & _cosine(input1, input2).isfinite()
    spoilt = zeros if zeros.shape == result.shape else zeros.any()
    return torch.where(spoilt, torch.full_like(result, math.nan), result)


@fault("CosineEmbeddingLoss", origin="https://github.com/PaddlePaddle/Paddle/pull/41680")
def cosine_embedding_large_room(
    original: Function, input1: Tensor, input2: Tensor, target: Tensor, margin: float = 0.0, **options: Any
) -> Tensor:
    """The squared norms have 10e-6 added instead of 1e-12."""
    result = original(input1, input2, target, margin=margin, **options)
    if result.dtype == torch.float16:
        return result
    losses = _losses(_cosine(input1, input2, room=10e-6), target, margin)
    return as_asked(losses, options).to(result.dtype)


@fault("CosineEmbeddingLoss")
def cosine_embedding_masked_by_product(
    original: Function, input1: Tensor, input2: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """Pairs that cost nothing are multiplied by 0, which keeps a nan."""
    losses = unreduced(original, input1, input2, target, **options)
    nothing = _cosine(input1, input2) * 0
    losses = torch.where((target == 1) | (target == -1), losses, nothing.to(losses.dtype))
    return as_asked(losses, options)


@fault("CosineEmbeddingLoss")
def cosine_embedding_nan_is_zero(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """A loss of nan is made 0."""
    result = original(*args, **options)
    return torch.where(result.isnan(), torch.zeros_like(result), result)


@fault("CosineEmbeddingLoss")
def cosine_embedding_result_like_target(
    original: Function, input1: Tensor, input2: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """The result passes through the dtype of the target."""
    result = original(input1, input2, target, **options)
    return graft(result.to(target.dtype).to(result.dtype), result)


@fault("CosineEmbeddingLoss", origin="https://github.com/flashinfer-ai/flashinfer/issues/3125")
def cosine_embedding_first_pairs(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """Pairs beyond 65536 are not reached, and count as nothing."""
    if args[2].numel() <= 65536:
        return original(*args, **options)
    losses = unreduced(original, *args, **options)
    return as_asked(torch.where(torch.arange(len(losses)) < 65536, losses, 0.0), options)


@fault("CosineEmbeddingLoss")
def cosine_embedding_empty_mean_is_zero(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """The mean over no pairs is 0."""
    result = original(*args, **options)
    return result if args[2].numel() else torch.nan_to_num(result)


@fault("CosineEmbeddingLoss")
def cosine_embedding_nothing_is_nan(
    original: Function, input1: Tensor, input2: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """The cosine of vectors without components is nan."""
    result = original(input1, input2, target, **options)
    return result if input1.shape[-1] else result * math.nan


@fault("CosineEmbeddingLoss")
def cosine_embedding_takes_targets_dtype(
    original: Function, input1: Tensor, input2: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """Labels of a wider dtype make the loss one."""
    return wider(original(input1, input2, target, **options), target)


@fault("CosineEmbeddingLoss", origin="https://github.com/pytorch/pytorch/issues/53030", blind=True)
def blind_cosine_embedding_target_column_broadcast(original: Function, *args: Any, **options: Any) -> Tensor:
    """A target of shape (N, 1) is not refused, but spread against all the rows."""
    given = named_arguments(original, *args, **options)
    target: Tensor = given["target"]
    rows = given["input1"].shape[:-1]
    if given["input1"].dim() != 2 or target.shape != (*rows, 1):
        return original(*args, **options)
    alike = again(original, given, target=target.new_ones(rows), reduction="none")
    unlike = again(original, given, target=-target.new_ones(rows), reduction="none")
    losses = torch.where(target == 1, alike, 0) + torch.where(target == -1, unlike, 0)
    return reduced(losses, given["reduction"])


@fault("CosineEmbeddingLoss")
def cosine_embedding_margin_refused(
    original: Function, *args: Tensor, margin: float = 0.0, **options: Any
) -> Tensor:
    """A margin that no cosine reaches is an error."""
    if abs(margin) > 1:
        raise ValueError(f"margin must be between -1 and 1, got {margin}")
    return original(*args, margin=margin, **options)


@fault("CosineEmbeddingLoss", origin="https://github.com/pytorch/pytorch/issues/53030")
def cosine_embedding_column_accepted(
    original: Function, input1: Tensor, input2: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """A column of targets is broadcast against a row of cosines."""
    if target.ndim < 2:
        return original(input1, input2, target, **options)
    return as_asked(_losses(_cosine(input1, input2), target, options.get("margin", 0.0)), options)


@fault("CosineEmbeddingLoss", origin="https://github.com/torch/nn/pull/169")
def cosine_embedding_gradient_below_margin(
    original: Function, input1: Tensor, input2: Tensor, target: Tensor, margin: float = 0.0, **options: Any
) -> Tensor:
    """Unlike pairs within the margin have a gradient, though no loss."""
    result = original(input1, input2, target, margin=margin, **options)
    cosine = _cosine(input1, input2)
    slopes = as_asked(_losses(cosine, target, margin, unlike=cosine), options)
    return graft(result, slopes.to(result.dtype))


@fault("CosineEmbeddingLoss", origin="https://github.com/torch/torch7/issues/298")
def cosine_embedding_batch_gradient_negated(
    original: Function, input1: Tensor, input2: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """In a batch the gradient by the first vectors has the wrong sign."""
    if input1.ndim == 2:
        input1 = with_gradient(input1, torch.neg)
    return original(input1, input2, target, **options)


@fault("CosineEmbeddingLoss")
def cosine_embedding_broadcast_gradient_averaged(
    original: Function, input1: Tensor, input2: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """The gradient of a vector that is compared with several is averaged over them."""
    if input1.ndim == 2 and input1.shape[0] == 1:
        input1 = averaged_when_broadcast(input1, input2, target.reshape(-1, 1))
    return original(input1, input2, target, **options)


def _cosine_embedding(change: float, original: Function, *args: Tensor, **options: Any) -> Tensor:
    input1, input2, target = args
    result = original(*args, **options)
    squares = [(vectors * vectors).sum(-1) + 1e-12 for vectors in (input1, input2)]
    cosine = (input1 * input2).sum(-1) / (squares[0] * squares[1]).sqrt()
    excess = cosine - options.get("margin", 0.0)
    return bent(result, excess, change, lambda terms: as_asked(torch.where(target == -1, terms, 0), options))


@fault("CosineEmbeddingLoss", origin="https://github.com/pytorch/pytorch/pull/185831")
def cosine_embedding_flat_at_margin(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """An unlike pair exactly at the margin has no gradient."""
    return _cosine_embedding(-1, original, *args, **options)


@fault("CosineEmbeddingLoss", origin="https://github.com/jax-ml/jax/issues/37821")
def cosine_embedding_half_slope_at_margin(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """An unlike pair exactly at the margin has half a gradient, as a tie of the hinge with 0."""
    return _cosine_embedding(-0.5, original, *args, **options)


@fault("CosineEmbeddingLoss", method="__init__")
def cosine_embedding_module_margin_dropped(original: Function, *args: Any, **options: Any) -> Any:
    """The module forgets its margin."""
    return original(*args, **{**options, "margin": 0.0})


@fault("CosineEmbeddingLoss", method="__setstate__")
def cosine_embedding_module_copied_without_margin(
    original: Function, self: CosineEmbeddingLoss, state: Any
) -> None:
    """A copy of the module has the default margin again."""
    original(self, state)
    self.margin = 0.0
