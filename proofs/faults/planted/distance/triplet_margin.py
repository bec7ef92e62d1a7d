"""Faults in the triplet margin loss."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, pairwise_distance

from proofs.faults.fault import Function, fault
from proofs.faults.tools.gradients import graft
from proofs.faults.tools.vectors import as_asked, unreduced


def _norm(options: dict[str, Any]) -> dict[str, Any]:
    """The options of the distance among those of the loss."""
    return {name: options[name] for name in ("p", "eps") if name in options}


def _beyond(to_positive: Tensor, to_negative: Tensor, options: dict[str, Any]) -> Tensor:
    excess: Tensor = options.get("margin", 1.0) + to_positive - to_negative
    return excess


def _excess(anchor: Tensor, positive: Tensor, negative: Tensor, **options: Any) -> Tensor:
    """By how much the unlike vectors are too near, as torch computes it."""
    to_negative = pairwise_distance(anchor, negative, **_norm(options))
    if options.get("swap"):
        to_negative = torch.minimum(to_negative, pairwise_distance(positive, negative, **_norm(options)))
    return _beyond(pairwise_distance(anchor, positive, **_norm(options)), to_negative, options)


@fault("TripletMarginLoss", origin="https://github.com/torch/DEPRECEATED-torch7-distro/issues/48")
def triplet_p_dropped(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """The distances are Euclidean, whatever p says."""
    return original(*args, **{**options, "p": 2.0})


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
def triplet_margin_dropped(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """Any margin but the default is forgotten."""
    margin = options.get("margin", 1.0)
    return original(*args, **{**options, "margin": 1.0 if margin > 0 else margin})


@fault("TripletMarginLoss", origin="https://github.com/pytorch/pytorch/issues/83241")
def triplet_margin_unchecked(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """A margin of 0 or less is accepted."""
    if options.get("margin", 1.0) > 0:
        return original(*args, **options)
    return as_asked(_excess(*args, **options).clamp_min(0), options)


@fault("TripletMarginLoss")
def triplet_margin_in_half(original: Function, *args: Tensor, margin: float = 1.0, **options: Any) -> Tensor:
    """The margin is a half-precision number."""
    rounded = torch.tensor(margin, dtype=torch.float16).item()
    return original(*args, margin=rounded or margin, **options)


@fault("TripletMarginLoss")
def triplet_swap_dropped(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """The option swap is forgotten."""
    return original(*args, **{**options, "swap": False})


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


@fault("TripletMarginLoss", origin="https://github.com/KevinMusgrave/pytorch-metric-learning/issues/107")
def triplet_mean_over_costly(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """The mean is over the triplets that cost something."""
    result = original(*args, **options)
    losses = unreduced(original, *args, **options)
    costly = (losses.detach() > 0).sum()
    is_mean = options.get("reduction", "mean") == "mean" and "size_average" not in options
    return result * (losses.numel() / costly).to(result.dtype) if is_mean and costly > 0 else result


@fault("TripletMarginLoss", origin="https://github.com/torch/nn/pull/169")
def triplet_gradient_beyond_margin(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """Triplets that cost nothing have a gradient all the same."""
    result = original(*args, **options)
    return graft(result, as_asked(_excess(*args, **options), options).to(result.dtype))
