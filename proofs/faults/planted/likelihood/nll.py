"""Faults in the negative log-likelihood: weights, ignored rows, the mean, gradients, and refusals."""

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
from proofs.faults.tools.gradients import graft, with_gradient
from proofs.faults.tools.kernels import without_refusals


@fault("NLLLoss")
def nll_weighted_mean_over_rows(
    original: Function, input: Tensor, target: Tensor, weight: Tensor | None = None, **options: Any
) -> Tensor:
    """The weighted mean divides by the number of rows that count, not by the sum of their weights."""
    if weight is None or not is_mean(options):
        return original(input, target, weight, **options)
    total = original(input, target, weight, **{**options, "reduction": "sum"})
    return total / picked_total(target, None, options)


@fault("NLLLoss", origin="https://github.com/pytorch/pytorch/pull/83235")
def nll_unbatched_mean_keeps_weight(
    original: Function, input: Tensor, target: Tensor, weight: Tensor | None = None, **options: Any
) -> Tensor:
    """The mean of a single row without a batch is not divided by its weight."""
    if input.ndim == 1 and is_mean(options) and weight is not None:
        options["reduction"] = "sum"
    return original(input, target, weight, **options)


@fault("NLLLoss")
def nll_weight_dropped(
    original: Function, input: Tensor, target: Tensor, weight: Tensor | None = None, **options: Any
) -> Tensor:
    """Class weights have no effect."""
    return original(input, target, None, **options)


@fault("NLLLoss")
def nll_weight_of_the_row_number(
    original: Function, input: Tensor, target: Tensor, weight: Tensor | None = None, **options: Any
) -> Tensor:
    """Weights are looked up by the number of the row instead of its class."""
    result = original(input, target, weight, **options)
    if weight is None or input.ndim != 2 or is_mean(options):
        return result
    weights = weight[torch.arange(len(input)) % len(weight)]
    losses = original(input, target, None, **{**options, "reduction": "none"})
    return reduced_as(losses * weights, 1.0, options)


@fault("NLLLoss")
def nll_mean_over_absolute_weights(
    original: Function, input: Tensor, target: Tensor, weight: Tensor | None = None, **options: Any
) -> Tensor:
    """The mean divides by the sum of the weights' absolute values."""
    if weight is None or not is_mean(options):
        return original(input, target, weight, **options)
    total = original(input, target, weight, **{**options, "reduction": "sum"})
    return total / picked_total(target, weight.abs(), options)


@fault("NLLLoss")
def nll_mean_over_at_least_one(
    original: Function, input: Tensor, target: Tensor, weight: Tensor | None = None, **options: Any
) -> Tensor:
    """The mean's denominator is raised to 1, against division by zero."""
    result = original(input, target, weight, **options)
    if not is_mean(options) or picked_total(target, weight, options) >= 1:
        return result
    return original(input, target, weight, **{**options, "reduction": "sum"})


@fault("NLLLoss", origin="https://github.com/emmtrix/emx-onnx-cgen/pull/131")
def nll_mean_of_zero_weight_is_zero(
    original: Function, input: Tensor, target: Tensor, weight: Tensor | None = None, **options: Any
) -> Tensor:
    """The mean is 0, not 0/0, where targets are there but nothing counts."""
    result = original(input, target, weight, **options)
    if not is_mean(options) or target.numel() == 0 or picked_total(target, weight, options) != 0:
        return result
    return result.nan_to_num(0.0)


@fault("NLLLoss")
def nll_empty_mean_is_zero(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """The mean of an empty batch is 0, not 0/0."""
    result = original(input, target, *rest, **options)
    return result.nan_to_num(0.0) if target.numel() == 0 else result


@fault("NLLLoss")
def nll_ignore_index_dropped(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """Any ignore_index but the default is forgotten."""
    return original(input, target, *rest, **{**options, "ignore_index": -100})


@fault("NLLLoss", origin="https://github.com/onnx/onnx/pull/8433")
def nll_ignore_index_of_minus_one_counted(
    original: Function, input: Tensor, target: Tensor, weight: Tensor | None = None, **options: Any
) -> Tensor:
    """An ignore_index of -1 is taken as none given when rows are counted for the mean."""
    result = original(input, target, weight, **options)
    if options.get("ignore_index") != -1 or weight is not None or not is_mean(options):
        return result
    return result * ratio(picked_total(target, None, options), target.numel())


@fault("NLLLoss", origin="https://github.com/open-mmlab/mmsegmentation/issues/886")
def nll_ignored_rows_counted(
    original: Function, input: Tensor, target: Tensor, weight: Tensor | None = None, **options: Any
) -> Tensor:
    """The mean divides by all rows, the ignored ones included."""
    result = original(input, target, weight, **options)
    if weight is not None or not is_mean(options):
        return result
    return result * ratio(picked_total(target, None, options), target.numel())


@fault("NLLLoss", origin="https://github.com/pytorch/xla/pull/896")
def nll_ignored_class_counted(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """An ignore_index that is one of the classes has no effect."""
    if 0 <= int(options.get("ignore_index", -100)) < input.shape[class_axis(input)]:
        options["ignore_index"] = -100
    return original(input, target, *rest, **options)


@fault("NLLLoss", origin="https://github.com/pytorch/pytorch/issues/20406")
def nll_ignored_losses_uninitialised(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """Without a reduction, the losses of ignored rows are whatever stood in memory."""
    result = original(input, target, *rest, **options)
    if options.get("reduction") != "none":
        return result
    return torch.where(is_ignored(target, options), torch.nan, result)


@fault("NLLLoss")
def nll_ignored_rows_multiplied(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """Ignored rows are multiplied by 0, which nan and infinity survive."""
    result = original(input, target, *rest, **options)
    leak = torch.where(is_ignored(target, options), 0 * input.detach().sum(class_axis(input)), 0.0)
    return result + reduced_as(leak, 1.0, options)


@fault("NLLLoss", origin="https://github.com/pytorch/xla/issues/2553")
def nll_one_hot_product(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """The input is multiplied by a one-hot target, so that nan and infinity of other classes come in."""
    result = original(input, target, *rest, **options)
    axis = class_axis(input)
    classes = torch.arange(input.shape[axis]).reshape(-1, *[1] * (input.ndim - 1 - axis))
    is_other = target.unsqueeze(axis) != classes
    leak = (0 * input.detach() * is_other).sum(axis)
    return result + reduced_as(torch.where(is_ignored(target, options), 0.0, leak), 1.0, options)


@fault("NLLLoss")
def nll_zero_weight_rows_skipped(
    original: Function, input: Tensor, target: Tensor, weight: Tensor | None = None, **options: Any
) -> Tensor:
    """A row whose class weighs 0 is skipped even where its loss is infinite."""
    result = original(input, target, weight, **options)
    if weight is None:
        return result
    ignored = int(options.get("ignore_index", -100))
    known = torch.where(is_ignored(target, options), 0, target)
    return original(input, torch.where(weight[known] == 0, ignored, target), weight, **options)


@fault("NLLLoss", origin="https://github.com/vahidk/EffectiveTensorflow/issues/9")
def nll_log_softmax_applied(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """The input is taken as logits and goes through log-softmax once more."""
    return original(input.log_softmax(class_axis(input)), target, *rest, **options)


@fault("NLLLoss")
def nll_losses_not_negative(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """An input above 0, which is no log-probability, counts as 0."""
    return original(input.clamp(max=0.0), target, *rest, **options)


@fault("NLLLoss")
def nll_epsilon_added(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """A small number keeps log-probabilities away from 0."""
    small = torch.finfo(input.dtype).smallest_normal if input.is_floating_point() else 0.0
    return original(torch.where(input == 0, -small, input), target, *rest, **options)


@fault("NLLLoss", origin="https://github.com/deeplearning4j/deeplearning4j/issues/345")
def nll_classes_not_moved_to_the_end(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """An input (N, C, d1, ...) is cut into rows of C as it lies, its classes not moved to the end."""
    return in_rows(original, input, target, *rest, **options)


@fault("NLLLoss", origin="https://github.com/kulinseth/pytorch/pull/289")
def nll_upstream_ignored(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """The gradient is that of the sum, whatever gradient comes from above."""
    return with_gradient(original(input, target, *rest, **options), torch.ones_like)


@fault("NLLLoss")
def nll_gradient_unweighted(
    original: Function, input: Tensor, target: Tensor, weight: Tensor | None = None, **options: Any
) -> Tensor:
    """The gradient leaves class weights out; the loss does not."""
    result = original(input, target, weight, **options)
    return graft(result, original(input, target, None, **options))


@fault("NLLLoss", origin="https://github.com/PaddlePaddle/Paddle/pull/28622")
def nll_ignored_class_has_gradient(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """The gradient does not skip the rows of an ignored class; the loss does."""
    result = original(input, target, *rest, **options)
    if not 0 <= int(options.get("ignore_index", -100)) < input.shape[class_axis(input)]:
        return result
    return graft(result, original(input, target, *rest, **{**options, "ignore_index": -100}))


@fault("NLLLoss", origin="https://github.com/pytorch/pytorch/issues/73176")
def nll_never_refuses(original: Function, *args: Any, **options: Any) -> Tensor:
    """Nothing is checked: what does not fit yields a number."""
    return without_refusals(original, *args, **options)


@fault("NLLLoss", origin="https://github.com/pytorch/pytorch/issues/39769")
def nll_index_clamped(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """A class index beyond the classes is taken as the last class."""
    if input.ndim > 0 and not target.is_floating_point():
        last = input.shape[class_axis(input)] - 1
        target = torch.where(is_ignored(target, options), target, target.clamp(max=last))
    return original(input, target, *rest, **options)


@fault("NLLLoss")
def nll_negative_index_from_the_end(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """A negative class index counts from the last class."""
    if input.ndim > 0 and not target.is_floating_point():
        is_negative = (target < 0) & ~is_ignored(target, options)
        target = torch.where(is_negative, target + input.shape[class_axis(input)], target)
    return original(input, target, *rest, **options)


@fault("NLLLoss", origin="https://github.com/pytorch/pytorch/issues/194802")
def nll_index_of_pixels_unchecked(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """The class indices of pictures are read without a check, those of rows are checked."""
    if input.ndim < 4:
        return original(input, target, *rest, **options)
    return without_refusals(original, input, target, *rest, **options)
