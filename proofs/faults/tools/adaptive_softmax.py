"""Building blocks of the faults in the adaptive log-softmax."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import linear, log_softmax


def cluster_of(module: Any, target: Tensor) -> Tensor:
    """The number of each target's cluster, from 1; 0 is the head."""
    return sum((target >= cutoff for cutoff in module.cutoffs[:-1]), torch.zeros_like(target))


def of_head(module: Any, input: Tensor, entry: Tensor, bias: Tensor | None = None) -> Tensor:
    """The head's log-probability of one entry per row."""
    log_p = log_softmax(linear(input, module.head.weight, bias), dim=-1)
    return log_p.gather(-1, entry.unsqueeze(-1)).squeeze(-1)


def within_cluster(module: Any, input: Tensor, target: Tensor) -> Tensor:
    """For a batch, the log-probability of each row's class within its cluster; 0 in the head."""
    within = input.new_zeros(len(target))
    for tail, (low, high) in zip(module.tail, pairwise(module.cutoffs), strict=True):
        rows = ((target >= low) & (target < high)).nonzero().squeeze(1)
        log_p = log_softmax(tail(input[rows]), dim=-1).gather(1, target[rows].unsqueeze(1) - low)
        within = within.index_copy(0, rows, log_p.squeeze(1))
    return within


def with_output(result: Any, output: Tensor) -> Any:
    """The result with other log-probabilities, and the loss that follows from them."""
    return result._replace(output=output, loss=-output.mean())


def recomputed(
    result: Any, module: Any, input: Tensor, target: Tensor, add: Callable[[Tensor, Tensor, Tensor], Tensor]
) -> Any:
    """The result with another sum of the head's and the clusters' parts, for a batch with clusters."""
    if target.ndim != 1 or not bool(cluster_of(module, target).any()):
        return result
    cluster = cluster_of(module, target)
    entry = torch.where(cluster > 0, module.shortlist_size + cluster - 1, target)
    head = of_head(module, input, entry, module.head.bias)
    return with_output(result, add(head, within_cluster(module, input, target), cluster))
