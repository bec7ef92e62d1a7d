"""Wrong values of the margin ranking loss."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from proofs.faults.fault import Function, fault
from proofs.faults.tools.gradients import graft
from proofs.faults.tools.kernels import is_plain_mean, mean_of_first_block, reduced_as_named, summed_in_steps


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
    return reduced_as_named((-target * (input1 - input2 + margin)).clamp(min=0), options)


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
    return reduced_as_named(-target * (input1 - input2) + margin, options)


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
    return reduced_as_named(shortfall * (shortfall >= 0), options)


def _losses(original: Function, *scores: Tensor, **options: Any) -> Tensor:
    return original(*scores, **options | {"reduction": "none"})


@fault("MarginRankingLoss", origin="https://github.com/apache/mxnet/issues/11115")
def margin_ranking_nan_clamped(original: Function, *scores: Tensor, **options: Any) -> Tensor:
    """The hinge of an undefined difference is 0."""
    original(*scores, **options)
    losses = _losses(original, *scores, **options)
    return reduced_as_named(losses.masked_fill(losses.isnan(), 0), options)


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
def margin_ranking_takes_first_dtype(
    original: Function, input1: Tensor, input2: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """The result has the dtype of the first score, whatever the second has."""
    result = original(input1, input2, target, **options)
    return result.to(input1.dtype) if input1.is_floating_point() else result


@fault("MarginRankingLoss")
def margin_ranking_empty_mean_zero(original: Function, *scores: Tensor, **options: Any) -> Tensor:
    """A mean over nothing is 0."""
    result = original(*scores, **options)
    return result.nan_to_num() if scores[0].numel() == 0 else result


@fault("MarginRankingLoss", origin="https://github.com/flashinfer-ai/flashinfer/pull/4536")
def margin_ranking_first_block(original: Function, *scores: Tensor, **options: Any) -> Tensor:
    """The mean is blind beyond the first block of a large batch."""
    result = original(*scores, **options)
    if not is_plain_mean(options) or scores[0].numel() == 0:
        return result
    return mean_of_first_block(_losses(original, *scores, **options))


@fault("MarginRankingLoss", origin="https://github.com/ml-explore/mlx/pull/3909")
def margin_ranking_mean_in_half(original: Function, *scores: Tensor, **options: Any) -> Tensor:
    """The mean of half precision is summed in half precision."""
    result = original(*scores, **options)
    if options.get("reduction", "mean") != "mean" or result.dtype.itemsize > 2 or scores[0].numel() == 0:
        return result
    losses = _losses(original, *scores, **options)
    return summed_in_steps(losses) / losses.numel()
