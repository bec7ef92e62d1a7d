"""Faults at the kink of a hinge, max(z, 0) with z = 0, in the losses that ask for a margin.

Two of these losses are flat there in torch, those made of a kernel of their own; the others are made of a
clamp, which passes the gradient on.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from proofs.faults.fault import Function, fault
from proofs.faults.tools.kinks import bent
from proofs.faults.tools.vectors import as_asked

# All pairs of classes are formed; no kink needs many.
_MOST_CLASSES = 1000
_FLAT_CLAMP = "https://github.com/pytorch/pytorch/issues/7002"
_CLAMP_BY_DEVICE = "https://github.com/torch/torch7/issues/734"
_MINIMUM_NORM = "https://github.com/pytorch/pytorch/pull/185831"
_HALF_OF_MAXIMUM = "https://github.com/jax-ml/jax/issues/37821"
_RELU_FROM_ZERO = "https://github.com/tensorflow/playground/issues/19"
_RELU_WITH_ZERO = "https://github.com/iamtrask/Grokking-Deep-Learning/pull/13"


def _hinge_embedding(change: float, original: Function, *args: Tensor, **options: Any) -> Tensor:
    input, target = args
    return bent(
        original(*args, **options),
        options.get("margin", 1.0) - input,
        change,
        lambda terms: as_asked(torch.where(target != 1, terms, 0), options),
    )


@fault("HingeEmbeddingLoss", origin=_FLAT_CLAMP)
def hinge_embedding_flat_at_margin(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """An unlike pair exactly at the margin has no gradient."""
    return _hinge_embedding(-1, original, *args, **options)


@fault("HingeEmbeddingLoss", origin=_HALF_OF_MAXIMUM)
def hinge_embedding_half_slope_at_margin(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """An unlike pair exactly at the margin has half a gradient, as a tie of the hinge with 0."""
    return _hinge_embedding(-0.5, original, *args, **options)


def _margin_ranking(change: float, original: Function, *args: Tensor, **options: Any) -> Tensor:
    input1, input2, target = args
    result = original(*args, **options)
    shortfall = -target * (input1 - input2) + options.get("margin", 0.0)
    return bent(result, shortfall, change, lambda terms: as_asked(terms, options))


@fault("MarginRankingLoss", origin=_CLAMP_BY_DEVICE)
def margin_ranking_flat_at_margin(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """A pair that leads by exactly the margin has no gradient."""
    return _margin_ranking(-1, original, *args, **options)


@fault("MarginRankingLoss", origin=_HALF_OF_MAXIMUM)
def margin_ranking_half_slope_at_margin(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """A pair that leads by exactly the margin has half a gradient, as a tie of the hinge with 0."""
    return _margin_ranking(-0.5, original, *args, **options)


@fault("MarginRankingLoss")
def margin_ranking_flat_at_equal_scores(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """Equal scores have no gradient without a margin; at other margins the kink is right."""
    return (
        original(*args, **options)
        if options.get("margin")
        else _margin_ranking(-1, original, *args, **options)
    )


def _multi_margin(change: float, original: Function, *args: Tensor, **options: Any) -> Tensor:
    input, target = args
    result = original(*args, **options)
    if options.get("p", 1) != 1 or input.numel() == 0:
        return result
    rows, index = input.reshape(-1, input.shape[-1] if input.ndim else 1), target.reshape(-1, 1)
    excess = options.get("margin", 1.0) - rows.gather(1, index) + rows
    is_target = torch.arange(rows.shape[1]) == index
    weight = options.get("weight")

    def total(terms: Tensor) -> Tensor:
        weighted = terms if weight is None else weight[target].reshape(-1, 1) * terms
        return as_asked(weighted.sum(1).reshape(target.shape) / rows.shape[1], options)

    return bent(result, excess.masked_fill(is_target, 1), change, total)


@fault("MultiMarginLoss", origin=_RELU_FROM_ZERO)
def multi_margin_slope_at_margin(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """A class exactly at the margin has a gradient, as z >= 0 is asked where z > 0 is meant."""
    return _multi_margin(1, original, *args, **options)


@fault("MultiMarginLoss", origin=_HALF_OF_MAXIMUM)
def multi_margin_half_slope_at_margin(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """A class exactly at the margin has half a gradient, as a tie of the hinge with 0."""
    return _multi_margin(0.5, original, *args, **options)


def _multilabel_margin(change: float, original: Function, *args: Tensor, **options: Any) -> Tensor:
    input, target = args
    result = original(*args, **options)
    classes = input.shape[-1] if input.ndim else 1
    if input.numel() == 0 or classes > _MOST_CLASSES:
        return result
    rows, labels = input.reshape(-1, classes), target.reshape(-1, classes)
    is_listed = (labels < 0).cumsum(1) == 0
    index = labels.where(is_listed, 0)
    is_label = ((index.unsqueeze(2) == torch.arange(classes)) & is_listed.unsqueeze(2)).any(1)
    is_pair = is_listed.unsqueeze(2) & ~is_label.unsqueeze(1)
    excess = 1 - rows.gather(1, index).unsqueeze(2) + rows.unsqueeze(1)

    def total(terms: Tensor) -> Tensor:
        return as_asked(terms.sum((1, 2)).reshape(target.shape[:-1]) / classes, options)

    return bent(result, excess.masked_fill(~is_pair, 1), change, total)


@fault("MultiLabelMarginLoss", origin=_RELU_WITH_ZERO)
def mlm_slope_at_margin(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """A class exactly at the margin has a gradient, as z >= 0 is asked where z > 0 is meant."""
    return _multilabel_margin(1, original, *args, **options)


@fault("MultiLabelMarginLoss", origin=_HALF_OF_MAXIMUM)
def mlm_half_slope_at_margin(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """A class exactly at the margin has half a gradient, as a tie of the hinge with 0."""
    return _multilabel_margin(0.5, original, *args, **options)


def _cosine_embedding(change: float, original: Function, *args: Tensor, **options: Any) -> Tensor:
    input1, input2, target = args
    result = original(*args, **options)
    squares = [(vectors * vectors).sum(-1) + 1e-12 for vectors in (input1, input2)]
    cosine = (input1 * input2).sum(-1) / (squares[0] * squares[1]).sqrt()
    excess = cosine - options.get("margin", 0.0)
    return bent(result, excess, change, lambda terms: as_asked(torch.where(target == -1, terms, 0), options))


@fault("CosineEmbeddingLoss", origin=_MINIMUM_NORM)
def cosine_embedding_flat_at_margin(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """An unlike pair exactly at the margin has no gradient."""
    return _cosine_embedding(-1, original, *args, **options)


@fault("CosineEmbeddingLoss", origin=_HALF_OF_MAXIMUM)
def cosine_embedding_half_slope_at_margin(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """An unlike pair exactly at the margin has half a gradient, as a tie of the hinge with 0."""
    return _cosine_embedding(-0.5, original, *args, **options)
