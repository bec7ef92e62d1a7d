"""Wrong values of the adaptive log-softmax."""

from __future__ import annotations

from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor

from proofs.faults.fault import Function, fault
from proofs.faults.tools.adaptive_softmax import cluster_of, of_head, recomputed, with_output, within_cluster
from proofs.faults.tools.kernels import as_if_contiguous, summed_in_steps

_ROWS = 16384  # rows that a launch has room for


@fault(
    "AdaptiveLogSoftmaxWithLoss",
    origin="https://github.com/huggingface/transformers/issues/1086",
    method="_get_full_log_prob",
    blind=True,
)
def blind_adaptive_log_prob_counts_clusters_backwards(
    original: Function, module: Any, input: Tensor, head_output: Tensor
) -> Tensor:
    """The full distribution takes the clusters' own scores from the head's last column backwards."""
    shortlist, clusters = head_output[:, : module.shortlist_size], head_output[:, module.shortlist_size :]
    return original(module, input, torch.cat([shortlist, clusters.flip(1)], dim=1))


@fault(
    "AdaptiveLogSoftmaxWithLoss",
    origin="https://github.com/salesforce/awd-lstm-lm/issues/82",
    method="forward",
)
def als_cluster_counted_twice(original: Function, module: Any, input: Tensor, target: Tensor) -> Any:
    """The log-probability of the cluster itself is added twice."""
    result: Any = original(module, input, target)
    return recomputed(
        result, module, input, target, lambda head, within, cluster: head + within + head * (cluster > 0)
    )


@fault("AdaptiveLogSoftmaxWithLoss", method="forward")
def als_cluster_not_counted(original: Function, module: Any, input: Tensor, target: Tensor) -> Any:
    """The log-probability of the cluster itself is not added to that within it."""
    result: Any = original(module, input, target)
    return recomputed(
        result, module, input, target, lambda head, within, cluster: torch.where(cluster > 0, within, head)
    )


@fault(
    "AdaptiveLogSoftmaxWithLoss",
    origin="https://github.com/huggingface/transformers/issues/1086",
    method="forward",
)
def als_clusters_from_the_end(original: Function, module: Any, input: Tensor, target: Tensor) -> Any:
    """The head's entries of the clusters are counted from the last one back."""
    result: Any = original(module, input, target)
    if target.ndim != 1 or target.numel() == 0:
        return result
    cluster = cluster_of(module, target)
    entry = torch.where(cluster > 0, module.head_size - cluster, target)
    head = of_head(module, input, entry, module.head.bias)
    return with_output(result, head + within_cluster(module, input, target))


@fault("AdaptiveLogSoftmaxWithLoss", method="forward")
def als_head_bias_dropped(original: Function, module: Any, input: Tensor, target: Tensor) -> Any:
    """The head's bias is left out."""
    result: Any = original(module, input, target)
    if module.head.bias is None or target.numel() == 0:
        return result
    cluster = cluster_of(module, target)
    entry = torch.where(cluster > 0, module.shortlist_size + cluster - 1, target)
    return with_output(result, of_head(module, input, entry) + within_cluster(module, input, target))


@fault("AdaptiveLogSoftmaxWithLoss", method="forward")
def als_cutoff_in_head(original: Function, module: Any, input: Tensor, target: Tensor) -> Any:
    """The class on the first cutoff is looked for in the head, whose entry there is that of a cluster."""
    result: Any = original(module, input, target)
    head = of_head(module, input, target.clamp(max=module.shortlist_size), module.head.bias)
    return with_output(result, torch.where(target == module.shortlist_size, head, result.output))


@fault("AdaptiveLogSoftmaxWithLoss", method="forward")
def als_counted_from_one(original: Function, module: Any, input: Tensor, target: Tensor) -> Any:
    """Classes within a cluster are counted from 1, so that each is taken for the one before."""
    shifted = target.clone()
    for low, high in pairwise(module.cutoffs):
        shifted = torch.where(target == low, high - 1, shifted)
        shifted = torch.where((target > low) & (target < high), target - 1, shifted)
    return original(module, input, shifted)


@fault("AdaptiveLogSoftmaxWithLoss", method="forward")
def als_rows_by_cluster(original: Function, module: Any, input: Tensor, target: Tensor) -> Any:
    """The rows come out cluster by cluster, not in their own order."""
    result: Any = original(module, input, target)
    order = cluster_of(module, target).argsort(stable=True)
    return result if target.ndim != 1 else result._replace(output=result.output[order])


@fault("AdaptiveLogSoftmaxWithLoss", method="forward")
def als_output_negated(original: Function, module: Any, input: Tensor, target: Tensor) -> Any:
    """The output holds losses, not log-probabilities."""
    result: Any = original(module, input, target)
    return result._replace(output=-result.output)


@fault("AdaptiveLogSoftmaxWithLoss", method="forward")
def als_loss_summed(original: Function, module: Any, input: Tensor, target: Tensor) -> Any:
    """The loss is the sum over the rows."""
    result: Any = original(module, input, target)
    return result._replace(loss=-result.output.sum())


@fault("AdaptiveLogSoftmaxWithLoss", method="forward")
def als_mean_of_cluster_means(original: Function, module: Any, input: Tensor, target: Tensor) -> Any:
    """The loss is the mean of the clusters' means, however few rows are in one."""
    result: Any = original(module, input, target)
    cluster = cluster_of(module, target)
    if target.ndim != 1 or not target.numel():
        return result
    means = [
        result.output[cluster == number].mean()
        for number in range(len(module.cutoffs))
        if (cluster == number).any()
    ]
    return result._replace(loss=-torch.stack(means).mean())


@fault("AdaptiveLogSoftmaxWithLoss", method="forward")
def als_empty_mean_zero(original: Function, module: Any, input: Tensor, target: Tensor) -> Any:
    """The mean over no rows is 0."""
    result: Any = original(module, input, target)
    return result if target.numel() else result._replace(loss=result.loss.nan_to_num())


@fault(
    "AdaptiveLogSoftmaxWithLoss", origin="https://github.com/pytorch/pytorch/issues/85791", method="forward"
)
def als_mean_in_half(original: Function, module: Any, input: Tensor, target: Tensor) -> Any:
    """The mean's running total is kept in the dtype of the output."""
    result: Any = original(module, input, target)
    return result._replace(loss=-summed_in_steps(result.output) / target.numel())


@fault(
    "AdaptiveLogSoftmaxWithLoss",
    origin="https://github.com/flashinfer-ai/flashinfer/issues/3125",
    method="forward",
)
def als_rows_of_one_launch(original: Function, module: Any, input: Tensor, target: Tensor) -> Any:
    """Of the rows, the first 16384 enter the mean."""
    result: Any = original(module, input, target)
    return result if target.numel() <= _ROWS else result._replace(loss=-result.output[:_ROWS].mean())


@fault(
    "AdaptiveLogSoftmaxWithLoss", origin="https://github.com/PaddlePaddle/Paddle/pull/30590", method="forward"
)
def als_index_wraps(original: Function, module: Any, input: Tensor, target: Tensor) -> Any:
    """Classes are kept in 16 bits, and wrap around."""
    return original(module, input, torch.where(target > 65535, target - 65536, target))


@fault(
    "AdaptiveLogSoftmaxWithLoss", origin="https://github.com/OpenNMT/OpenNMT-py/pull/1094", method="forward"
)
def als_one_row_squeezed(original: Function, module: Any, input: Tensor, target: Tensor) -> Any:
    """A batch of one row loses its dimension."""
    result: Any = original(module, input, target)
    return result._replace(output=result.output.squeeze())


@fault("AdaptiveLogSoftmaxWithLoss", method="forward")
def als_row_keeps_batch(original: Function, module: Any, input: Tensor, target: Tensor) -> Any:
    """The output of a row without a batch has the dimension that the batch was given inside."""
    result: Any = original(module, input, target)
    return result if target.ndim else result._replace(output=result.output.unsqueeze(0))


@fault("AdaptiveLogSoftmaxWithLoss", method="forward")
def als_row_in_head_only(original: Function, module: Any, input: Tensor, target: Tensor) -> Any:
    """A row without a batch is looked up in the head alone: a class of a cluster is taken for its cluster."""
    result: Any = original(module, input, target)
    if target.ndim:
        return result
    cluster = cluster_of(module, target)
    entry = torch.where(cluster > 0, module.shortlist_size + cluster - 1, target)
    return with_output(result, of_head(module, input, entry, module.head.bias))


@fault("AdaptiveLogSoftmaxWithLoss", origin="https://github.com/uTensor/uTensor/issues/175", method="forward")
def als_exponential_unshifted(original: Function, module: Any, input: Tensor, target: Tensor) -> Any:
    """The exponential is taken of the head's scores themselves, and overflows."""
    result: Any = original(module, input, target)
    scores = module.head(input).detach()
    total = (scores.float() if scores.dtype.itemsize == 2 else scores).exp().sum(-1)
    overflow = torch.where(total.isinf(), -torch.inf, 0.0).to(scores.dtype)
    return with_output(result, result.output + overflow)


@fault("AdaptiveLogSoftmaxWithLoss", method="forward")
def als_nan_spreads(original: Function, module: Any, input: Tensor, target: Tensor) -> Any:
    """All rows of a cluster are multiplied by a mask, which spreads nan from one to the others."""
    result: Any = original(module, input, target)
    return with_output(result, result.output + (input.detach() * 0).sum())


@fault("AdaptiveLogSoftmaxWithLoss", method="forward")
def als_unused_clusters_computed(original: Function, module: Any, input: Tensor, target: Tensor) -> Any:
    """Clusters that no row needs are computed too and multiplied by 0."""
    result: Any = original(module, input, target)
    nothing = sum((weight * 0).sum() for weight in module.tail.parameters())
    return with_output(result, result.output + nothing)


@fault("AdaptiveLogSoftmaxWithLoss", method="forward")
def als_ruled_out_bounded(original: Function, module: Any, input: Tensor, target: Tensor) -> Any:
    """What has probability 0 has the smallest finite logarithm instead."""
    result: Any = original(module, input, target)
    return with_output(result, result.output.clamp(min=torch.finfo(input.dtype).min))


@fault("AdaptiveLogSoftmaxWithLoss", method="forward")
def als_int32_refused(original: Function, module: Any, input: Tensor, target: Tensor) -> Any:
    """Classes of int32 are refused, as only those of int64 were thought of."""
    if target.dtype == torch.int32:
        raise RuntimeError("expected a target of int64")
    return original(module, input, target)


@fault(
    "AdaptiveLogSoftmaxWithLoss",
    origin="https://github.com/tensorflow/tensorflow/issues/3739",
    method="forward",
)
def als_classes_clamped(original: Function, module: Any, input: Tensor, target: Tensor) -> Any:
    """Targets outside the classes stand for the first or the last."""
    return original(module, input, target.clamp(0, module.n_classes - 1))


@fault("AdaptiveLogSoftmaxWithLoss", method="forward")
def als_nothing_refused(original: Function, module: Any, input: Tensor, target: Tensor) -> Any:
    """A kernel without any checks: what torch refuses at the call returns something."""
    try:
        return original(module, input, target)
    except Exception:
        return SimpleNamespace(output=input.sum() * 0, loss=input.sum() * 0)


@fault("AdaptiveLogSoftmaxWithLoss", method="forward")
def als_read_in_storage_order(original: Function, module: Any, input: Tensor, target: Tensor) -> Any:
    """The input's memory is read from front to back, whatever its strides."""
    return original(module, as_if_contiguous(input), target)
