"""Faults in linear cross entropy: its class weights, its smoothing, its ignored rows and their mean."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from proofs.faults.fault import Function, fault
from proofs.faults.planted.linear.linear_cross_entropy import ignored_rows, is_plain
from proofs.faults.tools.gradients import graft
from proofs.faults.tools.kernels import reduced


@fault("LinearCrossEntropyLoss", origin="https://github.com/linkedin/Liger-Kernel/issues/243")
def lce_smoothing_dropped(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """Label smoothing is not handed on."""
    return original(*args, **options | {"label_smoothing": 0.0})


@fault("LinearCrossEntropyLoss", origin="https://github.com/linkedin/Liger-Kernel/pull/420")
def lce_smoothing_unweighted(
    original: Function, input: Tensor, linear_weight: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """The smoothing term has no class weights; the mean still divides by those of the targets."""
    right = original(input, linear_weight, target, **options)
    share, weight = options.get("label_smoothing", 0.0), options.get("weight")
    if weight is None or not share or target.is_floating_point():
        return right
    plain = options | {"reduction": "none", "label_smoothing": 0.0}
    smooth = options | {"reduction": "none", "label_smoothing": 1.0, "weight": None}
    sharp = original(input, linear_weight, target, **plain)
    losses: Tensor = sharp * (1 - share) + share * original(input, linear_weight, target, **smooth)
    if options.get("reduction", "mean") != "mean":
        return reduced(losses, options.get("reduction", "mean"))
    picked: Tensor = weight[target[~ignored_rows(target, options)].long()]
    return losses.sum() / picked.sum()


@fault("LinearCrossEntropyLoss")
def lce_weight_dropped(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """The class weights are checked and then forgotten."""
    original(*args, **options)
    return original(*args, **options | {"weight": None})


@fault("LinearCrossEntropyLoss", origin="https://github.com/sb-ai-lab/RePlay/issues/91")
def lce_weighted_mean_over_rows(
    original: Function, input: Tensor, linear_weight: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """The weighted mean divides by the number of targets that count."""
    right = original(input, linear_weight, target, **options)
    if (
        options.get("weight") is None
        or target.is_floating_point()
        or options.get("reduction", "mean") != "mean"
    ):
        return right
    total = original(input, linear_weight, target, **options | {"reduction": "sum"})
    return total / (~ignored_rows(target, options)).sum()


@fault("LinearCrossEntropyLoss", origin="https://github.com/pytorch/pytorch/issues/107680")
def lce_probabilities_mean_over_weights(
    original: Function, input: Tensor, linear_weight: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """The mean for probabilities divides by the weights that they pick, as that for indices does."""
    right = original(input, linear_weight, target, **options)
    weight = options.get("weight")
    if weight is None or not target.is_floating_point() or options.get("reduction", "mean") != "mean":
        return right
    picked: Tensor = target @ weight
    return original(input, linear_weight, target, **options | {"reduction": "sum"}) / picked.sum()


@fault("LinearCrossEntropyLoss")
def lce_probabilities_detached(
    original: Function, input: Tensor, linear_weight: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """Probabilities get no gradient."""
    return original(input, linear_weight, target.detach(), **options)


@fault("LinearCrossEntropyLoss")
def lce_class_weight_detached(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """The class weights get no gradient."""
    weight = options.get("weight")
    return original(*args, **options | {"weight": None if weight is None else weight.detach()})


@fault("LinearCrossEntropyLoss")
def lce_linear_weight_detached(
    original: Function, input: Tensor, linear_weight: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """The layer's weight is taken to be frozen and gets no gradient."""
    return original(input, linear_weight.detach(), target, **options)


@fault("LinearCrossEntropyLoss")
def lce_ignore_index_dropped(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """Any ignore_index but the default is forgotten."""
    return original(*args, **options | {"ignore_index": None})


@fault("LinearCrossEntropyLoss", origin="https://github.com/flagos-ai/FlagGems/pull/73")
def lce_default_ignored_counted(
    original: Function, input: Tensor, linear_weight: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """The mean counts the rows of the default ignore_index; only those of a given one are left out."""
    right = original(input, linear_weight, target, **options)
    is_given = options.get("ignore_index") not in (None, -100)
    if is_given or not is_plain(input, target, options) or options.get("reduction", "mean") != "mean":
        return right
    total = original(input, linear_weight, target, **options | {"reduction": "sum"})
    return total / target.numel()


@fault("LinearCrossEntropyLoss")
def lce_ignored_times_zero(
    original: Function, input: Tensor, linear_weight: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """Ignored rows are multiplied by 0, and so is what is no number."""
    right = original(input, linear_weight, target, **options)
    if target.is_floating_point() or target.shape != input.shape[:1]:
        return right
    nothing = torch.where(ignored_rows(target, options), (input.detach() * 0).sum(-1), 0)
    return right + (nothing if options.get("reduction", "mean") == "none" else nothing.sum())


@fault("LinearCrossEntropyLoss")
def lce_ignored_with_gradient(
    original: Function, input: Tensor, linear_weight: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """Ignored rows add nothing to the loss, but have a gradient, as if of class 0."""
    right = original(input, linear_weight, target, **options)
    if not is_plain(input, target, options) or options.get("reduction", "mean") == "none":
        return right
    rows = input[ignored_rows(target, options)]
    classes = torch.zeros(len(rows), dtype=torch.int64, device=target.device)
    leak = original(rows, linear_weight, classes, reduction="sum", linear_bias=options.get("linear_bias"))
    return graft(right, right + leak)
