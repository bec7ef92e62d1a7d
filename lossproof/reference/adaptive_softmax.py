"""AdaptiveLogSoftmaxWithLoss: a softmax over very many classes, the rare ones in clusters of their own.

torch's module returns a pair. Here ``output``, the log-probabilities, is the result of reduction none, and
``loss`` that of reduction mean. The module's weights are parameters of the call, named as in its state
dictionary with underscores for dots: ``head_weight``, ``tail_0_1_weight``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from lossproof.numbers.base import Array
from lossproof.reference.demands import demand_classes, demand_floating
from lossproof.reference.linear import linear, linear_gradient
from lossproof.reference.loss import Arguments, Loss, Parameters
from lossproof.reference.nll import is_target_class, pick
from lossproof.reference.option import WHOLES, real
from lossproof.reference.reductions import reduce, spread
from lossproof.reference.refusals import DtypeRefusal, OptionRefusal, RangeRefusal, ShapeRefusal
from lossproof.reference.softmax import log_softmax, log_softmax_gradient
from lossproof.reference.steps import step

# The names of a call's parameters are fixed, so their number has to end somewhere.
MOST_CLUSTERS = 3
# Its powers must be numbers; no layer has as many features.
_LARGEST_DIVISION = 1e100
WEIGHTS = (
    "head_weight",
    "head_bias",
    *(f"tail_{cluster}_{layer}_weight" for cluster in range(MOST_CLUSTERS) for layer in (0, 1)),
)


def adaptive_log_softmax(
    input: Array,
    target: Array,
    *,
    cutoffs: Array,
    div_value: float = 4.0,
    reduction: str = "mean",
    **weights: Array | None,
) -> Array:
    """log p(y), and for the mean its negative: log p(head entry of y) + log p(y within its cluster).

    The head has an entry for each class below the first cutoff, and one for each cluster. Cluster i holds
    the classes from cutoff i - 1 up to cutoff i, and scores them by two linear layers in a row.

    Args:
        input: floating (in_features) or (N, in_features).
        target: int64 or int32 class indices () or (N).
        cutoffs: the first class of each cluster, ascending; one to three.
        div_value: cluster i = 1, 2, ... has in_features // div_value^i features of its own.
        weights: head_weight (cutoff + clusters, in_features), head_bias (cutoff + clusters) or None; and of
            each cluster tail_i_0_weight (own features, in_features), tail_i_1_weight (classes, own features).
        reduction: none for the log-probabilities, or mean.

    Returns:
        The log-probabilities, in the target's shape, or their mean's negative.

    Raises:
        DtypeRefusal: for an input or weights that are not floating, and other targets.
        ShapeRefusal: for an input and a target that do not belong together, and weights of other shapes.
        IndexRefusal: for a target outside the classes.
        OptionRefusal: for cutoffs that do not ascend, or leave a cluster without classes.
        RangeRefusal: for a div_value outside [1e-100, 1e100].

    >>> from lossproof.reference import forward
    >>> params = {"cutoffs": [1], "div_value": 1.0}  # class 0 in the head, 1 and 2 in a cluster
    >>> weights = {"head_weight": [[0.0]] * 2, "tail_0_0_weight": [[1.0]], "tail_0_1_weight": [[1.0]] * 2}
    >>> rows = {"input": [[1.0], [1.0]], "target": [0, 2]}
    >>> log_p = forward("AdaptiveLogSoftmaxWithLoss", params | {"reduction": "none"}, rows | weights)
    >>> print(np.exp(log_p).round(4))
    [0.5  0.25]

    Source: Grave, Joulin, Cisse, Grangier and Jegou (2017), "Efficient softmax approximation for GPUs";
    https://docs.pytorch.org/docs/stable/generated/torch.nn.AdaptiveLogSoftmaxWithLoss.html
    """
    rows, targets = _batched(input, target)
    clusters = _clusters(targets, cutoffs)
    head = log_softmax(linear(rows, weights["head_weight"], weights["head_bias"]), dim=1)
    within = [np.zeros(np.count_nonzero(clusters == 0))]
    for cluster, first, projection, scores in _tails(cutoffs, weights):
        own = clusters == cluster
        log_p = log_softmax(linear(linear(rows[own], projection), scores), dim=1)
        within.append(pick(log_p, targets[own] - first))
    in_head = step("log p in the head", pick(head, _head_entries(targets, clusters, cutoffs)))
    in_cluster = step("log p in the cluster", np.concatenate(within)[_places(clusters)])
    output = np.reshape(step("log p", in_cluster + in_head), target.shape)
    return output if reduction == "none" else reduce(-output, reduction)


def adaptive_log_softmax_gradient(
    upstream: Array,
    input: Array,
    target: Array,
    *,
    cutoffs: Array,
    div_value: float = 4.0,
    reduction: str = "mean",
    **weights: Array | None,
) -> dict[str, Array]:
    """The chain rule: one-hot minus softmax, in the head and in the cluster, through the linear layers."""
    rows, targets = _batched(input, target)
    clusters = _clusters(targets, cutoffs)
    share = np.reshape(spread(upstream if reduction == "none" else -upstream, target.shape, reduction), [-1])

    def logits_gradient(logits: Array, entries: Array, own: Array) -> Array:
        chosen = np.where(is_target_class(logits, entries), np.expand_dims(share[own], 1), 0.0)
        return log_softmax_gradient(chosen, log_softmax(logits, dim=1), 1)

    head_logits = linear(rows, weights["head_weight"], weights["head_bias"])
    entries = _head_entries(targets, clusters, cutoffs)
    head = linear_gradient(logits_gradient(head_logits, entries, clusters >= 0), rows, weights["head_weight"])
    gradients = {"head_weight": head["weight"], "head_bias": head["bias"]}
    through_tails = [np.zeros((np.count_nonzero(clusters == 0), rows.shape[1]))]
    for cluster, first, projection, scores in _tails(cutoffs, weights):
        own = clusters == cluster
        features = linear(rows[own], projection)
        upon_logits = logits_gradient(linear(features, scores), targets[own] - first, own)
        outer = linear_gradient(upon_logits, features, scores)
        inner = linear_gradient(outer["input"], rows[own], projection)
        through_tails.append(inner["input"])
        gradients[f"tail_{cluster - 1}_0_weight"] = inner["weight"]
        gradients[f"tail_{cluster - 1}_1_weight"] = outer["weight"]
    through_tail = np.concatenate(through_tails)[_places(clusters)]
    return gradients | {"input": np.reshape(head["input"] + through_tail, input.shape)}


def _batched(input: Array, target: npt.NDArray[Any]) -> tuple[Array, npt.NDArray[Any]]:
    """Rows and their targets: a row without a batch is a batch of one."""
    return np.reshape(input, (target.size, input.shape[-1])), target.reshape(-1)


def _clusters(targets: npt.NDArray[Any], cutoffs: Array) -> npt.NDArray[np.intp]:
    """The cluster of each target, 0 for the classes of the head."""
    return np.searchsorted(cutoffs, targets, side="right")


def _head_entries(
    targets: npt.NDArray[Any], clusters: npt.NDArray[np.intp], cutoffs: Array
) -> npt.NDArray[Any]:
    """The entry of the head that leads to each target: its own, or its cluster's."""
    return np.where(clusters == 0, targets, int(cutoffs[0]) + clusters - 1)


def _places(clusters: npt.NDArray[np.intp]) -> npt.NDArray[np.intp]:
    """Where each row is once the rows are put together cluster by cluster."""
    return np.argsort(np.argsort(clusters, kind="stable"))


def _tails(cutoffs: Array, weights: Parameters) -> Iterator[tuple[int, int, Array, Array]]:
    """Of each cluster: its number from 1, its first class, the weights of its two layers."""
    for place, first in enumerate(cutoffs):
        yield place + 1, int(first), weights[f"tail_{place}_0_weight"], weights[f"tail_{place}_1_weight"]


def refuse_adaptive_log_softmax(args: Arguments, params: Parameters) -> None:
    """Refuse what ``adaptive_log_softmax`` lists under Raises."""
    input, target = args["input"], args["target"]
    given = {name: params[name] for name in WEIGHTS if params[name] is not None}
    for name, values in (("input", input), *given.items()):
        demand_floating(name, values)
    if target.dtype not in (np.int32, np.int64):
        raise DtypeRefusal(f"target holds {target.dtype}; class indices are int64 (or int32)")
    if target.ndim > 1 or input.ndim != target.ndim + 1 or input.shape[:-1] != target.shape:
        raise ShapeRefusal(f"input {input.shape} and target {target.shape} must be (N, in_features) and (N)")
    demand_classes(target, _refuse_weights(input.shape[-1], given, params))


def _refuse_weights(features: int, given: Parameters, params: Parameters) -> int:
    """The number of classes; refuses cutoffs and weights that make no module."""
    cutoffs = params["cutoffs"]
    ascends = np.all(np.diff(cutoffs, prepend=0) > 0)
    if not ascends or not 0 < cutoffs.size <= MOST_CLUSTERS:
        raise OptionRefusal(f"cutoffs are {cutoffs.tolist()}; they must be one to three ascending classes")
    last = given.get(f"tail_{cutoffs.size - 1}_1_weight")
    starts = [int(cutoff) for cutoff in cutoffs]  # beyond int64, Python's integers go on
    classes = starts[-1] + (0 if last is None or last.ndim == 0 else last.shape[0])
    if classes == starts[-1]:
        raise OptionRefusal(f"the last of the cutoffs {starts} leaves no class to its cluster")
    shapes: dict[str, tuple[int, ...]] = {"head_weight": (starts[0] + len(starts), features)}
    if "head_bias" in given:
        shapes["head_bias"] = shapes["head_weight"][:1]
    low, high = 1 / _LARGEST_DIVISION, _LARGEST_DIVISION
    if not low <= params["div_value"] <= high:
        raise RangeRefusal(f"div_value is {params['div_value']}; it must be in [{low:g}, {high:g}]")
    for place, (first, end) in enumerate(zip(starts, [*starts[1:], classes], strict=True)):
        own = int(features // params["div_value"] ** (place + 1))
        shapes[f"tail_{place}_0_weight"] = (own, features)
        shapes[f"tail_{place}_1_weight"] = (end - first, own)
    found = {name: values.shape for name, values in given.items()}
    if found != shapes:
        raise ShapeRefusal(f"the weights have shapes {found}; they must be {shapes}")
    return classes


LOSSES = (
    Loss(
        "AdaptiveLogSoftmaxWithLoss",
        None,
        arguments=("input", "target"),
        differentiable=("input",),
        value=adaptive_log_softmax,
        gradient=adaptive_log_softmax_gradient,
        refuse=refuse_adaptive_log_softmax,
        tensor_parameters=WEIGHTS,
        differentiable_parameters=lambda shapes: WEIGHTS,
        options={"cutoffs": WHOLES, "div_value": real(4.0)},
        reductions=("none", "mean"),
        has_legacy_reduction=False,
        indices=lambda shapes: ("target",),
        alike=lambda shapes: ("input", *WEIGHTS),
    ),
)
