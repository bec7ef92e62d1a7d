"""Faults in the margin ranking loss."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from proofs.faults.fault import Function, fault
from proofs.faults.tools import kernels
from proofs.faults.tools.gradients import graft, with_gradient


def _reduced(losses: Tensor, options: dict[str, Any]) -> Tensor:
    return kernels.reduced(losses, options.get("reduction", "mean"))


def _losses(original: Function, *scores: Tensor, **options: Any) -> Tensor:
    return original(*scores, **options | {"reduction": "none"})


@fault("MarginRankingLoss")
def margin_ranking_scores_exchanged(
    original: Function, input1: Tensor, input2: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """The two scores change places."""
    return original(input2, input1, target, **options)


@fault("MarginRankingLoss", origin="https://github.com/allenai/citeomatic/pull/21")
def margin_ranking_margin_dropped(original: Function, *scores: Tensor, **options: Any) -> Tensor:
    """The margin is 0, whatever is asked for."""
    return original(*scores, **options | {"margin": 0.0})


@fault("MarginRankingLoss")
def margin_ranking_margin_defaults_to_one(original: Function, *scores: Tensor, **options: Any) -> Tensor:
    """The margin is 1 unless it is given, as that of the hinge losses."""
    return original(*scores, **{"margin": 1.0} | options)


@fault("MarginRankingLoss")
def margin_ranking_margin_subtracted(
    original: Function, *scores: Tensor, margin: float = 0.0, **options: Any
) -> Tensor:
    """The margin is subtracted."""
    return original(*scores, margin=-margin, **options)


@fault("MarginRankingLoss")
def margin_ranking_margin_with_sign(
    original: Function,
    input1: Tensor,
    input2: Tensor,
    target: Tensor,
    *,
    margin: float = 0.0,
    **options: Any,
) -> Tensor:
    """The margin is multiplied by the target, with the difference of the scores."""
    original(input1, input2, target, margin=margin, **options)
    return _reduced((-target * (input1 - input2 + margin)).clamp(min=0), options)


@fault("MarginRankingLoss")
def margin_ranking_margin_in_half(
    original: Function, *scores: Tensor, margin: float = 0.0, **options: Any
) -> Tensor:
    """The margin is held in half precision, beside scores of any precision."""
    return original(*scores, margin=torch.tensor(margin, dtype=torch.float16).item(), **options)


@fault("MarginRankingLoss")
def margin_ranking_margin_of_integers(
    original: Function, *scores: Tensor, margin: float = 0.0, **options: Any
) -> Tensor:
    """Beside integer scores the margin is cut to a whole number."""
    is_floating = any(tensor.is_floating_point() for tensor in scores)
    return original(*scores, margin=margin if is_floating else int(margin), **options)


@fault("MarginRankingLoss")
def margin_ranking_scores_in_half(original: Function, *scores: Tensor, **options: Any) -> Tensor:
    """Scores of single precision are rounded to half precision before they are subtracted."""
    rounded = (graft(one.half().to(one.dtype), one) if one.dtype == torch.float32 else one for one in scores)
    return original(*rounded, **options)


@fault("MarginRankingLoss")
def margin_ranking_no_hinge(
    original: Function,
    input1: Tensor,
    input2: Tensor,
    target: Tensor,
    *,
    margin: float = 0.0,
    **options: Any,
) -> Tensor:
    """Pairs that lead by more than the margin have a loss below zero."""
    original(input1, input2, target, margin=margin, **options)
    return _reduced(-target * (input1 - input2) + margin, options)


@fault("MarginRankingLoss", origin="https://github.com/tinygrad/tinygrad/pull/11760")
def margin_ranking_hinge_by_product(
    original: Function,
    input1: Tensor,
    input2: Tensor,
    target: Tensor,
    *,
    margin: float = 0.0,
    **options: Any,
) -> Tensor:
    """The hinge multiplies by 0 what is below it, which leaves nan of infinity."""
    original(input1, input2, target, margin=margin, **options)
    shortfall = -target * (input1 - input2) + margin
    return _reduced(shortfall * (shortfall >= 0), options)


@fault("MarginRankingLoss", origin="https://github.com/apache/mxnet/issues/11115")
def margin_ranking_nan_clamped(original: Function, *scores: Tensor, **options: Any) -> Tensor:
    """The hinge of an undefined difference is 0."""
    original(*scores, **options)
    losses = _losses(original, *scores, **options)
    return _reduced(losses.masked_fill(losses.isnan(), 0), options)


@fault("MarginRankingLoss", origin="https://github.com/torch/nn/pull/169")
def margin_ranking_slope_beyond_margin(
    original: Function,
    input1: Tensor,
    input2: Tensor,
    target: Tensor,
    *,
    margin: float = 0.0,
    **options: Any,
) -> Tensor:
    """Pairs that lead by more than the margin still have a gradient."""
    result = original(input1, input2, target, margin=margin, **options)
    return graft(result, _reduced(-target * (input1 - input2) + margin, options))


@fault("MarginRankingLoss", origin="https://github.com/mlpack/mlpack/issues/3167")
def margin_ranking_slope_of_target(
    original: Function, input1: Tensor, input2: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """The gradient of the first score is that of the target, which then has none."""
    result = original(input1, input2, target, **options)
    if input1.shape != target.shape or not target.is_floating_point():
        return result
    first = graft(target, input1) if input1.dtype == target.dtype else target
    return graft(result, original(input1.detach(), input2, first, **options))


@fault("MarginRankingLoss", origin="https://github.com/flagos-ai/FlagGems/pull/2458")
def margin_ranking_no_slope(original: Function, *scores: Tensor, **options: Any) -> Tensor:
    """There is no gradient at all."""
    return with_gradient(original(*scores, **options), torch.zeros_like)


@fault("MarginRankingLoss", origin="https://github.com/pytorch/pytorch/pull/3876")
def margin_ranking_target_slope_missing(
    original: Function, input1: Tensor, input2: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """There is no gradient for the target."""
    return original(input1, input2, target.detach(), **options)


@fault("MarginRankingLoss")
def margin_ranking_slopes_of_same_sign(
    original: Function, input1: Tensor, input2: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """The gradients of both scores have the sign of the first's."""
    return original(input1, with_gradient(input2, torch.neg), target, **options)


@fault("MarginRankingLoss", origin="https://github.com/deeplearning4j/nd4j/issues/2424")
def margin_ranking_broadcast_slope_of_mean(
    original: Function, input1: Tensor, input2: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """The gradient of a first score that meets several others is the mean over these, not the sum."""
    repeats = max(input2.numel(), 1) if input1.shape[:1] == (1,) and input2.shape[:1] != (1,) else 1
    return original(with_gradient(input1, lambda gradient: gradient / repeats), input2, target, **options)


@fault("MarginRankingLoss", origin="https://github.com/pytorch/pytorch/issues/5007")
def margin_ranking_target_not_repeated(
    original: Function, input1: Tensor, input2: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """A column of targets is read as a row."""
    result = original(input1, input2, target, **options)
    if target.ndim != 2 or target.shape[1] != 1 or input1.shape != (1, target.shape[0]):
        return result
    return original(input1, input2, target.T, **options)


@fault("MarginRankingLoss")
def margin_ranking_mean_of_target(
    original: Function, input1: Tensor, input2: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """The mean divides by the elements of the target, though there may be more pairs."""
    result = original(input1, input2, target, **options)
    if options.get("reduction", "mean") != "mean" or target.numel() == 0:
        return result
    return result * (_losses(original, input1, input2, target, **options).numel() / target.numel())


@fault("MarginRankingLoss", origin="https://github.com/pytorch/pytorch/issues/16045")
def margin_ranking_dimensions_unchecked(original: Function, *scores: Tensor, **options: Any) -> Tensor:
    """Different numbers of dimensions are broadcast."""
    most = max(tensor.ndim for tensor in scores)
    filled = (tensor.reshape((1,) * (most - tensor.ndim) + tensor.shape) for tensor in scores)
    return original(*filled, **options)


@fault("MarginRankingLoss", origin="https://github.com/torch/nn/pull/899")
def margin_ranking_single_pair_squeezed(original: Function, *scores: Tensor, **options: Any) -> Tensor:
    """The list of losses of a single pair loses its dimension."""
    result = original(*scores, **options)
    return result.reshape(()) if result.numel() == 1 else result


@fault("MarginRankingLoss")
def margin_ranking_single_loss_list(original: Function, *scores: Tensor, **options: Any) -> Tensor:
    """The loss of a single number comes as a list of one."""
    result = original(*scores, **options)
    return result.reshape(-1) if options.get("reduction", "mean") == "none" and result.ndim == 0 else result


@fault("MarginRankingLoss")
def margin_ranking_losses_flattened(original: Function, *scores: Tensor, **options: Any) -> Tensor:
    """Losses of more than two dimensions come as a list."""
    result = original(*scores, **options)
    return result.flatten() if result.ndim > 2 else result


@fault("MarginRankingLoss")
def margin_ranking_takes_first_dtype(
    original: Function, input1: Tensor, input2: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """The result has the dtype of the first score, whatever the second has."""
    result = original(input1, input2, target, **options)
    return result.to(input1.dtype) if input1.is_floating_point() else result


@fault("MarginRankingLoss")
def margin_ranking_mixed_refused(
    original: Function, input1: Tensor, input2: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """Integer scores are refused beside floating ones."""
    if input1.is_floating_point() != input2.is_floating_point():
        raise RuntimeError("expected both scores to have the same dtype")
    return original(input1, input2, target, **options)


@fault("MarginRankingLoss")
def margin_ranking_target_truth(
    original: Function, input1: Tensor, input2: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """A target of truth values is accepted, and false is 0."""
    converted = target.to(input1.dtype) if target.dtype == torch.bool else target
    return original(input1, input2, converted, **options)


@fault("MarginRankingLoss")
def margin_ranking_empty_mean_zero(original: Function, *scores: Tensor, **options: Any) -> Tensor:
    """A mean over nothing is 0."""
    result = original(*scores, **options)
    return result.nan_to_num() if scores[0].numel() == 0 else result


@fault("MarginRankingLoss", origin="https://github.com/flashinfer-ai/flashinfer/pull/4536")
def margin_ranking_first_block(original: Function, *scores: Tensor, **options: Any) -> Tensor:
    """The mean is blind beyond the first block of a large batch."""
    result = original(*scores, **options)
    if not kernels.is_plain_mean(options) or scores[0].numel() == 0:
        return result
    return kernels.mean_of_first_block(_losses(original, *scores, **options))


@fault("MarginRankingLoss", origin="https://github.com/ml-explore/mlx/pull/3909")
def margin_ranking_mean_in_half(original: Function, *scores: Tensor, **options: Any) -> Tensor:
    """The mean of half precision is summed in half precision."""
    result = original(*scores, **options)
    if options.get("reduction", "mean") != "mean" or result.dtype.itemsize > 2 or scores[0].numel() == 0:
        return result
    losses = _losses(original, *scores, **options)
    return kernels.summed_in_steps(losses) / losses.numel()


@fault("MarginRankingLoss", origin="https://github.com/keras-team/keras/issues/15791")
def margin_ranking_in_single(original: Function, *scores: Tensor, **options: Any) -> Tensor:
    """Double precision is computed in single precision."""
    return kernels.in_single(original, *scores, **options)


@fault("MarginRankingLoss", origin="https://github.com/tenstorrent/tt-metal/pull/19882")
def margin_ranking_truncated(original: Function, *scores: Tensor, **options: Any) -> Tensor:
    """Results are rounded towards zero."""
    return kernels.truncated(original, *scores, **options)


@fault("MarginRankingLoss")
def margin_ranking_no_refusals(original: Function, *scores: Tensor, **options: Any) -> Tensor:
    """Nothing is checked: what is not understood yields zero."""
    return kernels.without_refusals(original, *scores, **options)
