"""Faults in cross entropy with class indices: weights, ignored rows, label smoothing and gradients."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from proofs.faults.fault import Function, fault
from proofs.faults.tools.class_targets import (
    class_axis,
    in_rows,
    is_ignored,
    is_mean,
    picked_total,
    ratio,
    reduced_as,
)


@fault("CrossEntropyLoss", origin="https://github.com/EleutherAI/bergson/pull/344")
def ce_weighted_mean_over_rows(
    original: Function, input: Tensor, target: Tensor, weight: Tensor | None = None, **options: Any
) -> Tensor:
    """The weighted mean divides by the number of rows that count, not by the sum of their weights."""
    is_plain = weight is None or target.is_floating_point() or options.get("label_smoothing", 0.0) != 0
    if is_plain or not is_mean(options):
        return original(input, target, weight, **options)
    total = original(input, target, weight, **{**options, "reduction": "sum"})
    return total / picked_total(target, None, options)


@fault("CrossEntropyLoss")
def ce_weight_dropped(
    original: Function, input: Tensor, target: Tensor, weight: Tensor | None = None, **options: Any
) -> Tensor:
    """Class weights have no effect on class indices."""
    return original(input, target, weight if target.is_floating_point() else None, **options)


@fault("CrossEntropyLoss")
def ce_weight_normalised(
    original: Function, input: Tensor, target: Tensor, weight: Tensor | None = None, **options: Any
) -> Tensor:
    """Class weights are scaled to an average of 1 first."""
    return original(input, target, None if weight is None else weight / weight.mean(), **options)


@fault("CrossEntropyLoss")
def ce_weight_clamped(
    original: Function, input: Tensor, target: Tensor, weight: Tensor | None = None, **options: Any
) -> Tensor:
    """Negative class weights become 0."""
    return original(input, target, None if weight is None else weight.clamp(min=0), **options)


@fault("CrossEntropyLoss", origin="https://github.com/lucidrains/DALLE-pytorch/issues/57")
def ce_ignore_index_dropped(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """Any ignore_index but the default is forgotten."""
    return original(input, target, *rest, **{**options, "ignore_index": -100})


@fault("CrossEntropyLoss", origin="https://github.com/PaddlePaddle/Paddle/issues/23708")
def ce_ignored_rows_counted(
    original: Function, input: Tensor, target: Tensor, weight: Tensor | None = None, **options: Any
) -> Tensor:
    """The mean divides by all rows, the ignored ones included."""
    result = original(input, target, weight, **options)
    if weight is not None or target.is_floating_point() or not is_mean(options):
        return result
    return result * ratio(picked_total(target, None, options), target.numel())


@fault("CrossEntropyLoss", origin="https://github.com/pytorch/pytorch/issues/91383")
def ce_ignored_weight_counted(
    original: Function, input: Tensor, target: Tensor, weight: Tensor | None = None, **options: Any
) -> Tensor:
    """The mean's denominator includes the weight of the ignored class."""
    result = original(input, target, weight, **options)
    ignored = int(options.get("ignore_index", -100))
    if weight is None or not is_mean(options) or not 0 <= ignored < len(weight):
        return result
    return result * ratio(picked_total(target, weight, options), float(weight[target].sum()))


@fault("CrossEntropyLoss", origin="https://github.com/pytorch/pytorch/issues/12670")
def ce_negative_targets_ignored(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """Every negative target is ignored, not ignore_index alone."""
    if not target.is_floating_point():
        target = torch.where(target < 0, int(options.get("ignore_index", -100)), target)
    return original(input, target, *rest, **options)


@fault("CrossEntropyLoss")
def ce_default_always_ignored(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """A target of -100 is ignored even where ignore_index is another."""
    if not target.is_floating_point():
        target = torch.where(is_ignored(target, {}), int(options.get("ignore_index", -100)), target)
    return original(input, target, *rest, **options)


@fault("CrossEntropyLoss", origin="https://github.com/huggingface/candle/pull/3161")
def ce_all_ignored_mean_is_zero(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """The mean is 0, not 0/0, where all targets are ignored."""
    result = original(input, target, *rest, **options)
    is_nothing = target.numel() > 0 and bool(is_ignored(target, options).all())
    return result.nan_to_num(0.0) if is_nothing else result


@fault("CrossEntropyLoss")
def ce_empty_mean_is_zero(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """The mean of an empty batch is 0, not 0/0."""
    result = original(input, target, *rest, **options)
    return result.nan_to_num(0.0) if input.numel() == 0 else result


@fault("CrossEntropyLoss")
def ce_label_smoothing_dropped(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """Label smoothing has no effect on class indices."""
    if not target.is_floating_point() and 0 <= options.get("label_smoothing", 0.0) <= 1:
        options["label_smoothing"] = 0.0
    return original(input, target, *rest, **options)


def _mixed(
    original: Function,
    input: Tensor,
    target: Tensor,
    rest: tuple[Any, ...],
    options: dict[str, Any],
    shares: tuple[float, float],
) -> Tensor:
    """A share of the loss of the target class and a share of the classes' average."""
    plain = original(input, target, *rest, **{**options, "label_smoothing": 0.0})
    uniform = original(input, target, *rest, **{**options, "label_smoothing": 1.0})
    return shares[0] * plain + shares[1] * uniform


def _is_smoothed(target: Tensor, options: dict[str, Any]) -> bool:
    """Whether label smoothing of class indices is asked for, and in its range."""
    return not target.is_floating_point() and 0 < options.get("label_smoothing", 0.0) <= 1


@fault("CrossEntropyLoss", origin="https://github.com/fastai/fastai/pull/1814")
def ce_smoothing_leaves_target_out(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """Label smoothing spreads its share over the other classes only."""
    classes = input.shape[class_axis(input)]
    if not _is_smoothed(target, options) or classes == 1:
        return original(input, target, *rest, **options)
    share = options["label_smoothing"] * classes / (classes - 1)
    return _mixed(original, input, target, rest, options, (1 - share, share))


@fault("CrossEntropyLoss", origin="https://github.com/paiml/aprender/pull/2199")
def ce_smoothing_spreads_the_rest(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """Label smoothing of e spreads 1 - e over the classes instead of e."""
    if not _is_smoothed(target, options):
        return original(input, target, *rest, **options)
    share = 1 - options["label_smoothing"]
    return _mixed(original, input, target, rest, options, (share, share))


@fault("CrossEntropyLoss")
def ce_smoothing_divided_by_positions(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """The smoothing term divides by the size of the last dimension, which are not always the classes."""
    if not _is_smoothed(target, options) or input.ndim < 3:
        return original(input, target, *rest, **options)
    share = options["label_smoothing"]
    return _mixed(
        original, input, target, rest, options, (1 - share, share * input.shape[1] / input.shape[-1])
    )


@fault("CrossEntropyLoss")
def ce_smoothing_of_one_dropped(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """Label smoothing takes effect below 1 only."""
    if options.get("label_smoothing", 0.0) == 1:
        options["label_smoothing"] = 0.0
    return original(input, target, *rest, **options)


@fault("CrossEntropyLoss")
def ce_smoothing_in_bfloat16(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """Label smoothing is rounded to bfloat16, whatever the dtype."""
    smoothing = torch.tensor(options.get("label_smoothing", 0.0), dtype=torch.bfloat16)
    return original(input, target, *rest, **{**options, "label_smoothing": float(smoothing)})


@fault("CrossEntropyLoss", origin="https://github.com/pytorch/pytorch/issues/104776")
def ce_smoothing_unweighted(
    original: Function, input: Tensor, target: Tensor, weight: Tensor | None = None, **options: Any
) -> Tensor:
    """The smoothing term takes the classes as they are, without their weights."""
    result = original(input, target, weight, **options)
    if weight is None or not _is_smoothed(target, options):
        return result
    share = options["label_smoothing"]
    no_reduction = {**options, "reduction": "none"}
    plain = original(input, target, weight, **{**no_reduction, "label_smoothing": 0.0})
    uniform = original(input, target, None, **{**no_reduction, "label_smoothing": 1.0})
    losses = (1 - share) * plain + share * uniform
    return reduced_as(losses, picked_total(target, weight, options), options)


@fault("CrossEntropyLoss")
def ce_zero_weight_rows_ignored(
    original: Function, input: Tensor, target: Tensor, weight: Tensor | None = None, **options: Any
) -> Tensor:
    """A row whose class weighs 0 is ignored, its smoothing term included."""
    result = original(input, target, weight, **options)
    if weight is None or not _is_smoothed(target, options):
        return result
    ignored = int(options.get("ignore_index", -100))
    known = torch.where(is_ignored(target, options), 0, target)
    return original(input, torch.where(weight[known] == 0, ignored, target), weight, **options)


@fault("CrossEntropyLoss", origin="https://github.com/pytorch/pytorch/issues/73205")
def ce_smoothing_of_ignored_rows(
    original: Function, input: Tensor, target: Tensor, weight: Tensor | None = None, **options: Any
) -> Tensor:
    """An ignored row keeps its smoothing term."""
    result = original(input, target, weight, **options)
    if not _is_smoothed(target, options):
        return result
    ignored = is_ignored(target, options)
    known = torch.where(ignored, 0, target)
    all_rows = {**options, "label_smoothing": 1.0, "reduction": "none", "ignore_index": -100}
    uniform = original(input, known, weight, **all_rows)
    leak = options["label_smoothing"] * torch.where(ignored, uniform, 0.0)
    return result + reduced_as(leak, picked_total(target, weight, options), options)


@fault("CrossEntropyLoss", origin="https://github.com/deeplearning4j/deeplearning4j/issues/345")
def ce_classes_not_moved_to_the_end(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """An input (N, C, d1, ...) is cut into rows of C as it lies, its classes not moved to the end."""
    return in_rows(original, input, target, *rest, **options)


@fault("CrossEntropyLoss")
def ce_single_class_is_binary(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """A single class is taken as the logit of a second one that is left out."""
    if input.shape[class_axis(input)] == 1 and input.ndim == 2 and not target.is_floating_point():
        input = torch.cat([input, torch.zeros_like(input)], 1)
    return original(input, target, *rest, **options)
