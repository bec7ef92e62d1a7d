"""Faults in the adaptive log-softmax, which torch has as a module only."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import linear, log_softmax

from proofs.faults.fault import Function, fault
from proofs.faults.tools.gradients import with_gradient
from proofs.faults.tools.kernels import as_if_contiguous, summed_in_steps

_LOSS = "AdaptiveLogSoftmaxWithLoss"
_CLASS = f"torch.nn.{_LOSS}"
_ROWS = 16384  # rows that a launch has room for

_forward = fault(_LOSS, at=f"{_CLASS}.forward")


def _with_output(result: Any, output: Tensor) -> Any:
    """The result with other log-probabilities, and the loss that follows from them."""
    return result._replace(output=output, loss=-output.mean())


def _cluster(module: Any, target: Tensor) -> Tensor:
    """The number of each target's cluster, from 1; 0 is the head."""
    return sum((target >= cutoff for cutoff in module.cutoffs[:-1]), torch.zeros_like(target))


def _of_head(module: Any, input: Tensor, entry: Tensor, bias: Tensor | None = None) -> Tensor:
    """The log-probabilities that the head gives to one entry a row."""
    log_p = log_softmax(linear(input, module.head.weight, bias), dim=-1)
    return log_p.gather(-1, entry.unsqueeze(-1)).squeeze(-1)


def _within_cluster(module: Any, input: Tensor, target: Tensor) -> Tensor:
    """The log-probability of each row's class within its cluster, 0 in the head; for a batch."""
    within = input.new_zeros(len(target))
    for tail, (low, high) in zip(module.tail, pairwise(module.cutoffs), strict=True):
        rows = ((target >= low) & (target < high)).nonzero().squeeze(1)
        log_p = log_softmax(tail(input[rows]), dim=-1).gather(1, target[rows].unsqueeze(1) - low)
        within = within.index_copy(0, rows, log_p.squeeze(1))
    return within


def _recomputed(
    result: Any, module: Any, input: Tensor, target: Tensor, add: Callable[[Tensor, Tensor, Tensor], Tensor]
) -> Any:
    """What another sum of the head's and the clusters' parts gives, where there is a batch with clusters."""
    if target.ndim != 1 or not bool(_cluster(module, target).any()):
        return result
    cluster = _cluster(module, target)
    entry = torch.where(cluster > 0, module.shortlist_size + cluster - 1, target)
    head = _of_head(module, input, entry, module.head.bias)
    return _with_output(result, add(head, _within_cluster(module, input, target), cluster))


@fault(_LOSS, at=f"{_CLASS}.forward", origin="https://github.com/salesforce/awd-lstm-lm/issues/82")
def als_cluster_counted_twice(original: Function, module: Any, input: Tensor, target: Tensor) -> Any:
    """The log-probability of the cluster itself is added twice."""
    result: Any = original(module, input, target)
    return _recomputed(
        result, module, input, target, lambda head, within, cluster: head + within + head * (cluster > 0)
    )


@_forward
def als_cluster_not_counted(original: Function, module: Any, input: Tensor, target: Tensor) -> Any:
    """The log-probability of the cluster itself is not added to that within it."""
    result: Any = original(module, input, target)
    return _recomputed(
        result, module, input, target, lambda head, within, cluster: torch.where(cluster > 0, within, head)
    )


@_forward
def als_cluster_detached(original: Function, module: Any, input: Tensor, target: Tensor) -> Any:
    """No gradient reaches the head by way of the clusters' own log-probabilities."""
    result: Any = original(module, input, target)
    return _recomputed(
        result,
        module,
        input,
        target,
        lambda head, within, cluster: torch.where(cluster > 0, head.detach(), head) + within,
    )


@_forward
def als_tails_detached(original: Function, module: Any, input: Tensor, target: Tensor) -> Any:
    """No gradient reaches the clusters' weights."""
    result: Any = original(module, input, target)
    return _recomputed(result, module, input, target, lambda head, within, _: head + within.detach())


@fault(_LOSS, at=f"{_CLASS}.forward", origin="https://github.com/huggingface/transformers/issues/1086")
def als_clusters_from_the_end(original: Function, module: Any, input: Tensor, target: Tensor) -> Any:
    """The head's entries of the clusters are counted from the last one back."""
    result: Any = original(module, input, target)
    if target.ndim != 1 or target.numel() == 0:
        return result
    cluster = _cluster(module, target)
    entry = torch.where(cluster > 0, module.head_size - cluster, target)
    head = _of_head(module, input, entry, module.head.bias)
    return _with_output(result, head + _within_cluster(module, input, target))


@_forward
def als_head_bias_dropped(original: Function, module: Any, input: Tensor, target: Tensor) -> Any:
    """The head's bias is left out."""
    result: Any = original(module, input, target)
    if module.head.bias is None or target.numel() == 0:
        return result
    cluster = _cluster(module, target)
    entry = torch.where(cluster > 0, module.shortlist_size + cluster - 1, target)
    return _with_output(result, _of_head(module, input, entry) + _within_cluster(module, input, target))


@_forward
def als_cutoff_in_head(original: Function, module: Any, input: Tensor, target: Tensor) -> Any:
    """The class on the first cutoff is looked for in the head, whose entry there is that of a cluster."""
    result: Any = original(module, input, target)
    head = _of_head(module, input, target.clamp(max=module.shortlist_size), module.head.bias)
    return _with_output(result, torch.where(target == module.shortlist_size, head, result.output))


@_forward
def als_counted_from_one(original: Function, module: Any, input: Tensor, target: Tensor) -> Any:
    """Classes within a cluster are counted from 1, so that each is taken for the one before."""
    shifted = target.clone()
    for low, high in pairwise(module.cutoffs):
        shifted = torch.where(target == low, high - 1, shifted)
        shifted = torch.where((target > low) & (target < high), target - 1, shifted)
    return original(module, input, shifted)


@_forward
def als_rows_by_cluster(original: Function, module: Any, input: Tensor, target: Tensor) -> Any:
    """The rows come out cluster by cluster, not in their own order."""
    result: Any = original(module, input, target)
    order = _cluster(module, target).argsort(stable=True)
    return result if target.ndim != 1 else result._replace(output=result.output[order])


@_forward
def als_output_negated(original: Function, module: Any, input: Tensor, target: Tensor) -> Any:
    """The output holds losses, not log-probabilities."""
    result: Any = original(module, input, target)
    return result._replace(output=-result.output)


@_forward
def als_loss_summed(original: Function, module: Any, input: Tensor, target: Tensor) -> Any:
    """The loss is the sum over the rows."""
    result: Any = original(module, input, target)
    return result._replace(loss=-result.output.sum())


@_forward
def als_mean_of_cluster_means(original: Function, module: Any, input: Tensor, target: Tensor) -> Any:
    """The loss is the mean of the clusters' means, however few rows are in one."""
    result: Any = original(module, input, target)
    cluster = _cluster(module, target)
    if target.ndim != 1 or not target.numel():
        return result
    means = [
        result.output[cluster == number].mean()
        for number in range(len(module.cutoffs))
        if (cluster == number).any()
    ]
    return result._replace(loss=-torch.stack(means).mean())


@_forward
def als_empty_mean_zero(original: Function, module: Any, input: Tensor, target: Tensor) -> Any:
    """The mean over no rows is 0."""
    result: Any = original(module, input, target)
    return result if target.numel() else result._replace(loss=result.loss.nan_to_num())


@fault(_LOSS, at=f"{_CLASS}.forward", origin="https://github.com/pytorch/pytorch/issues/85791")
def als_mean_in_half(original: Function, module: Any, input: Tensor, target: Tensor) -> Any:
    """The mean's running total is kept in the dtype of the output."""
    result: Any = original(module, input, target)
    return result._replace(loss=-summed_in_steps(result.output) / target.numel())


@fault(_LOSS, at=f"{_CLASS}.forward", origin="https://github.com/flashinfer-ai/flashinfer/issues/3125")
def als_rows_of_one_launch(original: Function, module: Any, input: Tensor, target: Tensor) -> Any:
    """Of the rows, the first 16384 enter the mean."""
    result: Any = original(module, input, target)
    return result if target.numel() <= _ROWS else result._replace(loss=-result.output[:_ROWS].mean())


@fault(_LOSS, at=f"{_CLASS}.forward", origin="https://github.com/PaddlePaddle/Paddle/pull/30590")
def als_index_wraps(original: Function, module: Any, input: Tensor, target: Tensor) -> Any:
    """Classes are kept in 16 bits, and wrap around."""
    return original(module, input, torch.where(target > 65535, target - 65536, target))


@fault(_LOSS, at=f"{_CLASS}.forward", origin="https://github.com/OpenNMT/OpenNMT-py/pull/1094")
def als_one_row_squeezed(original: Function, module: Any, input: Tensor, target: Tensor) -> Any:
    """A batch of one row loses its dimension."""
    result: Any = original(module, input, target)
    return result._replace(output=result.output.squeeze())


@_forward
def als_row_keeps_batch(original: Function, module: Any, input: Tensor, target: Tensor) -> Any:
    """The output of a row without a batch has the dimension that the batch was given inside."""
    result: Any = original(module, input, target)
    return result if target.ndim else result._replace(output=result.output.unsqueeze(0))


@_forward
def als_row_in_head_only(original: Function, module: Any, input: Tensor, target: Tensor) -> Any:
    """A row without a batch is looked up in the head alone: a class of a cluster is taken for its cluster."""
    result: Any = original(module, input, target)
    if target.ndim:
        return result
    cluster = _cluster(module, target)
    entry = torch.where(cluster > 0, module.shortlist_size + cluster - 1, target)
    return _with_output(result, _of_head(module, input, entry, module.head.bias))


@fault(_LOSS, at=f"{_CLASS}.forward", origin="https://github.com/uTensor/uTensor/issues/175")
def als_exponential_unshifted(original: Function, module: Any, input: Tensor, target: Tensor) -> Any:
    """The exponential is taken of the head's scores themselves, and overflows."""
    result: Any = original(module, input, target)
    scores = module.head(input).detach()
    total = (scores.float() if scores.dtype.itemsize == 2 else scores).exp().sum(-1)
    overflow = torch.where(total.isinf(), -torch.inf, 0.0).to(scores.dtype)
    return _with_output(result, result.output + overflow)


@_forward
def als_nan_spreads(original: Function, module: Any, input: Tensor, target: Tensor) -> Any:
    """All rows of a cluster are multiplied by a mask, which spreads nan from one to the others."""
    result: Any = original(module, input, target)
    return _with_output(result, result.output + (input.detach() * 0).sum())


@_forward
def als_unused_clusters_computed(original: Function, module: Any, input: Tensor, target: Tensor) -> Any:
    """Clusters that no row needs are computed too and multiplied by 0."""
    result: Any = original(module, input, target)
    nothing = sum((weight * 0).sum() for weight in module.tail.parameters())
    return _with_output(result, result.output + nothing)


@_forward
def als_ruled_out_bounded(original: Function, module: Any, input: Tensor, target: Tensor) -> Any:
    """What has probability 0 has the smallest finite logarithm instead."""
    result: Any = original(module, input, target)
    return _with_output(result, result.output.clamp(min=torch.finfo(input.dtype).min))


@_forward
def als_int32_refused(original: Function, module: Any, input: Tensor, target: Tensor) -> Any:
    """Classes of int32 are refused, as only those of int64 were thought of."""
    if target.dtype == torch.int32:
        raise RuntimeError("expected a target of int64")
    return original(module, input, target)


@fault(_LOSS, at=f"{_CLASS}.forward", origin="https://github.com/tensorflow/tensorflow/issues/3739")
def als_classes_clamped(original: Function, module: Any, input: Tensor, target: Tensor) -> Any:
    """Targets outside the classes stand for the first or the last."""
    return original(module, input, target.clamp(0, module.n_classes - 1))


@_forward
def als_nothing_refused(original: Function, module: Any, input: Tensor, target: Tensor) -> Any:
    """A kernel without any checks: what torch refuses at the call returns something."""
    try:
        return original(module, input, target)
    except Exception:
        return SimpleNamespace(output=input.sum() * 0, loss=input.sum() * 0)


@_forward
def als_read_in_storage_order(original: Function, module: Any, input: Tensor, target: Tensor) -> Any:
    """The input's memory is read from front to back, whatever its strides."""
    return original(module, as_if_contiguous(input), target)


@_forward
def als_equal_rows_share_gradient(original: Function, module: Any, input: Tensor, target: Tensor) -> Any:
    """Rows that lie in the same memory are taken for one, which gets the gradient of them all."""
    if input.ndim == 2 and len(input) > 1 and input.stride(0) == 0:
        input = with_gradient(input, lambda g: torch.cat([g.sum(0, keepdim=True), 0 * g[1:]]))
    return original(module, input, target)


@fault(_LOSS, at=f"{_CLASS}.forward", shows_in_modes=True)
def als_second_derivative_missing(original: Function, module: Any, input: Tensor, target: Tensor) -> Any:
    """The gradient by the input passes for a constant and has no gradient itself."""
    return original(module, with_gradient(input, Tensor.detach), target)
