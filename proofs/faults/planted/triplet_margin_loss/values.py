"""Faults in the triplet margin loss."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, pairwise_distance

from proofs.faults.fault import Function, fault
from proofs.faults.tools.gradients import graft
from proofs.faults.tools.kernels import read_as_another
from proofs.faults.tools.kinks import bent, with_added_gradient
from proofs.faults.tools.norms import component_slope_at_zero, with_shares_of_extreme
from proofs.faults.tools.triplets import Triplets
from proofs.faults.tools.vectors import as_asked, averaged_when_broadcast, unreduced


@fault("TripletMarginLoss", origin="https://github.com/ml-explore/mlx/pull/211", blind=True)
def blind_triplet_default_eps_ten_times(original: Function, *args: Any, **options: Any) -> Tensor:
    """The default of eps is 10e-6."""
    is_given = "eps" in options or len(args) > 5
    return original(*args, **options) if is_given else original(*args, **options, eps=10e-6)


@fault("TripletMarginLoss", origin="https://github.com/torch/DEPRECEATED-torch7-distro/issues/48")
def triplet_p_dropped(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """The distances are Euclidean, whatever p says."""
    return original(*args, **{**options, "p": 2.0})


def _beyond(to_positive: Tensor, to_negative: Tensor, options: dict[str, Any]) -> Tensor:
    excess: Tensor = options.get("margin", 1.0) + to_positive - to_negative
    return excess


@fault("TripletMarginLoss", origin="https://github.com/ml-explore/mlx/pull/3613")
def triplet_root_always_square(
    original: Function, anchor: Tensor, positive: Tensor, negative: Tensor, **options: Any
) -> Tensor:
    """Of any degree, the square root is taken of signed powers."""
    p, eps = options.get("p", 2.0), options.get("eps", 1e-6)
    if p in (1, 2) or not 0 < p < math.inf or options.get("swap"):
        return original(anchor, positive, negative, **options)
    near, far = [(anchor - other + eps).pow(p).sum(-1).sqrt() for other in (positive, negative)]
    return as_asked(_beyond(near, far, options).clamp_min(0), options)


@fault("TripletMarginLoss", origin="https://github.com/pytorch/pytorch/pull/3339")
def triplet_squared_distances(
    original: Function, anchor: Tensor, positive: Tensor, negative: Tensor, **options: Any
) -> Tensor:
    """Euclidean distances are compared by their squares."""
    plain = original(anchor, positive, negative, **options)
    eps = options.get("eps", 1e-6)
    if options.get("p", 2.0) != 2 or options.get("swap") or anchor.is_complex():
        return plain
    near, far = [(anchor - other + eps).square().sum(-1) for other in (positive, negative)]
    return as_asked(_beyond(near, far, options).clamp_min(0), options).to(plain.dtype)


@fault("TripletMarginLoss", origin="https://github.com/ml-explore/mlx/pull/211")
def triplet_eps_ten_times(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """The default of eps is 10e-6."""
    return original(*args, **{"eps": 10e-6, **options})


@fault("TripletMarginLoss")
def triplet_eps_dropped(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """Any eps but the default is forgotten."""
    return original(*args, **{**options, "eps": 1e-6})


@fault("TripletMarginLoss")
def triplet_eps_once(
    original: Function, anchor: Tensor, positive: Tensor, negative: Tensor, **options: Any
) -> Tensor:
    """Only the distance to the like vector has its eps."""
    if options.get("swap"):
        return original(anchor, positive, negative, **options)
    return original(anchor, positive, negative + options.get("eps", 1e-6), **options)


@fault("TripletMarginLoss")
def triplet_margin_in_half(original: Function, *args: Tensor, margin: float = 1.0, **options: Any) -> Tensor:
    """The margin is a half-precision number."""
    rounded = torch.tensor(margin, dtype=torch.float16).item()
    return original(*args, margin=rounded or margin, **options)


def _norm(options: dict[str, Any]) -> dict[str, Any]:
    """The options of the distance among those of the loss."""
    return {name: options[name] for name in ("p", "eps") if name in options}


@fault("TripletMarginLoss", origin="https://github.com/yliess86/TripletTorch/issues/1")
def triplet_swap_mean(
    original: Function, anchor: Tensor, positive: Tensor, negative: Tensor, **options: Any
) -> Tensor:
    """With swap, the mean of the two distances counts, not the smaller one."""
    if not options.get("swap"):
        return original(anchor, positive, negative, **options)
    distances = [pairwise_distance(other, negative, **_norm(options)) for other in (anchor, positive)]
    near = pairwise_distance(anchor, positive, **_norm(options))
    return as_asked(_beyond(near, (distances[0] + distances[1]) / 2, options).clamp_min(0), options)


@fault("TripletMarginLoss")
def triplet_swap_without_nan(
    original: Function, anchor: Tensor, positive: Tensor, negative: Tensor, **options: Any
) -> Tensor:
    """With swap, a distance of nan is the larger one."""
    if not options.get("swap"):
        return original(anchor, positive, negative, **options)
    known = torch.where(negative.isnan(), torch.full_like(negative, math.inf), negative)
    return original(anchor, positive, known, **options)


@fault("TripletMarginLoss", origin="https://github.com/KevinMusgrave/pytorch-metric-learning/issues/107")
def triplet_mean_over_costly(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """The mean is over the triplets that cost something."""
    result = original(*args, **options)
    losses = unreduced(original, *args, **options)
    costly = (losses.detach() > 0).sum()
    is_mean = options.get("reduction", "mean") == "mean" and "size_average" not in options
    return result * (losses.numel() / costly).to(result.dtype) if is_mean and costly > 0 else result


@fault("TripletMarginLoss")
def triplet_nan_costs_nothing(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """What is not above 0 costs nothing, nor does nan."""
    losses = unreduced(original, *args, **options)
    return as_asked(torch.where(losses > 0, losses, torch.zeros_like(losses)), options)


@fault("TripletMarginLoss")
def triplet_infinite_is_largest(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """An infinite loss is made the largest number of its dtype."""
    result = original(*args, **options)
    return result.clamp_max(torch.finfo(result.dtype).max)


@fault("TripletMarginLoss")
def triplet_masked_by_product(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """Triplets that cost nothing are multiplied by 0, be they infinitely far below it."""
    losses = unreduced(original, *args, **options)
    far = [(args[0].detach() - other.detach()).isinf().any(-1) for other in args[1:]]
    return as_asked(torch.where(far[1] & ~far[0], torch.full_like(losses, math.nan), losses), options)


@fault("TripletMarginLoss")
def triplet_empty_mean_is_zero(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """The mean over no triplets is 0."""
    result = original(*args, **options)
    return result if len(args[0].shape) < 2 or args[0].shape[0] else torch.nan_to_num(result)


@fault("TripletMarginLoss")
def triplet_nothing_costs_nothing(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """Vectors without components have no loss, not even the margin."""
    result = original(*args, **options)
    return result * 0 if args[0].shape[-1:] == (0,) else result


@fault("TripletMarginLoss")
def triplet_whole_result(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """Losses of whole numbers are whole numbers."""
    result = original(*args, **options)
    return result if args[0].is_floating_point() or args[0].is_complex() else result.to(args[0].dtype)


@fault("TripletMarginLoss", origin="https://github.com/flashinfer-ai/flashinfer/issues/3125")
def triplet_first_rows(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """Triplets beyond 65536 are not reached, and count as nothing."""
    if max(arg.shape[0] if arg.ndim else 0 for arg in args) <= 65536:
        return original(*args, **options)
    losses = unreduced(original, *args, **options)
    return as_asked(torch.where(torch.arange(len(losses)) < 65536, losses, 0.0), options)


@fault("TripletMarginLoss")
def triplet_second_dimension(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """The vectors lie along the second dimension, not the last."""
    if min(arg.ndim for arg in args) < 3:
        return original(*args, **options)
    return original(*(arg.movedim(1, -1) for arg in args), **options)


@fault("TripletMarginLoss")
def triplet_mean_over_anchors(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """The mean divides by the number of anchors, though one may serve many triplets."""
    result = original(*args, **options)
    losses = unreduced(original, *args, **options)
    anchors = args[0][..., 0].numel() if args[0].ndim and args[0].shape[-1] else losses.numel()
    is_mean = options.get("reduction", "mean") == "mean" and "size_average" not in options
    return result * (losses.numel() / anchors) if is_mean and 0 < anchors < losses.numel() else result


def _excess(anchor: Tensor, positive: Tensor, negative: Tensor, **options: Any) -> Tensor:
    """By how much the unlike vectors are too near, as torch computes it."""
    to_negative = pairwise_distance(anchor, negative, **_norm(options))
    if options.get("swap"):
        to_negative = torch.minimum(to_negative, pairwise_distance(positive, negative, **_norm(options)))
    return _beyond(pairwise_distance(anchor, positive, **_norm(options)), to_negative, options)


@fault("TripletMarginLoss", origin="https://github.com/pytorch/pytorch/issues/83241")
def triplet_margin_unchecked(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """A margin of 0 or less is accepted."""
    if options.get("margin", 1.0) > 0:
        return original(*args, **options)
    return as_asked(_excess(*args, **options).clamp_min(0), options)


@fault("TripletMarginLoss")
def triplet_swap_gradient_missing(
    original: Function, anchor: Tensor, positive: Tensor, negative: Tensor, **options: Any
) -> Tensor:
    """With swap, the like vector has no gradient from its distance to the unlike one."""
    result = original(anchor, positive, negative, **options)
    if not options.get("swap"):
        return result
    distances = [pairwise_distance(x, negative, **_norm(options)) for x in (anchor, positive.detach())]
    near = pairwise_distance(anchor, positive, **_norm(options))
    excess = _beyond(near, torch.minimum(distances[0], distances[1]), options)
    return graft(result, as_asked(excess.clamp_min(0), options))


@fault("TripletMarginLoss", origin="https://github.com/torch/nn/pull/169")
def triplet_gradient_beyond_margin(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """Triplets that cost nothing have a gradient all the same."""
    result = original(*args, **options)
    return graft(result, as_asked(_excess(*args, **options), options).to(result.dtype))


@fault("TripletMarginLoss")
def triplet_negative_gradient_averaged(
    original: Function, anchor: Tensor, positive: Tensor, negative: Tensor, **options: Any
) -> Tensor:
    """The gradient of an unlike vector that serves several triplets is averaged over them."""
    return original(anchor, positive, averaged_when_broadcast(negative, anchor, positive), **options)


@fault("TripletMarginLoss", origin="https://github.com/tensorflow/tensorflow/issues/30199")
def triplet_gradient_nan_at_zero(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """Where the anchor is at no distance from the like vector the gradient is nan."""
    triplets = Triplets(*args, **options)
    return bent(original(*args, **options), triplets.to_positive, math.nan, triplets.total)


@fault("TripletMarginLoss", origin="https://github.com/jax-ml/jax/issues/37820")
def triplet_slope_at_equal_component(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """With p = 1, a component that is equal in the anchor and the like vector has a slope of 1."""
    result = original(*args, **options)
    more = component_slope_at_zero(args[0] - args[1] + options.get("eps", 1e-6), options.get("p", 2.0))
    is_active = Triplets(*args, **options).excess().detach() >= 0
    return with_added_gradient(result, as_asked(more.sum(-1) * is_active, options))


@fault("TripletMarginLoss", origin="https://github.com/pytorch/pytorch/issues/41779")
def triplet_largest_undivided(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """With p infinite, each of several largest differences to the like vector gets the whole gradient."""
    result = original(*args, **options)
    difference = args[0] - args[1] + options.get("eps", 1e-6)
    more = with_shares_of_extreme(difference, options.get("p", 2.0), lambda attains: attains)
    is_active = Triplets(*args, **options).excess().detach() >= 0
    return with_added_gradient(result, as_asked(more.sum(-1) * is_active, options))


@fault("TripletMarginLoss")
def triplet_overwrites(
    original: Function, anchor: Tensor, positive: Tensor, negative: Tensor, **options: Any
) -> Tensor:
    """The difference from the like vector overwrites the anchor."""
    result = original(anchor.clone(), positive, negative, **options)
    if anchor.shape == positive.shape:
        anchor.detach().sub_(positive.detach())
    return result


@fault("TripletMarginLoss")
def triplet_negative_read_as_anchor(
    original: Function, anchor: Tensor, positive: Tensor, negative: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """The negative is read with the strides of the anchor."""
    return original(anchor, positive, read_as_another(negative, anchor), *rest, **options)


@fault("TripletMarginLoss", method="__init__")
def triplet_module_p_dropped(original: Function, *args: Any, **options: Any) -> Any:
    """The module forgets its degree."""
    return original(*args, **{**options, "p": 2.0})
