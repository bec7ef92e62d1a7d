"""Wrong values of the negative log-likelihood."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from proofs.faults.fault import Function, fault
from proofs.faults.tools.class_targets import (
    class_axis,
    is_ignored,
    is_mean,
    picked_total,
    reduced_as,
    without_subnormals,
)

# What masks are made of.
_LOWEST = -1e30


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


@fault("NLLLoss")
def nll_infinities_clamped(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """Log-probabilities are cut off at -1e30, the number that masks are made of."""
    if input.dtype in (torch.float32, torch.float64):
        input = input.clamp(min=_LOWEST)
    return original(input, target, *rest, **options)


@fault("NLLLoss")
def nll_undefined_cleared(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """A log-probability of nan becomes 0."""
    return original(torch.where(input.isnan(), 0.0, input), target, *rest, **options)


@fault("NLLLoss")
def nll_subnormals_flushed(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """Subnormal log-probabilities become 0."""
    if input.dtype == torch.float32:
        input = without_subnormals(input)
    return original(input, target, *rest, **options)


@fault("NLLLoss")
def nll_weight_in_bfloat16(
    original: Function, input: Tensor, target: Tensor, weight: Tensor | None = None, **options: Any
) -> Tensor:
    """Class weights are rounded to bfloat16, whatever their dtype."""
    return original(input, target, None if weight is None else weight.bfloat16().to(weight), **options)


@fault("NLLLoss", origin="https://github.com/pytorch/pytorch/issues/111484")
def nll_rows_beyond_4000_are_zero(
    original: Function, input: Tensor, target: Tensor, weight: Tensor | None = None, **options: Any
) -> Tensor:
    """The losses of all rows but the first 4000 are 0."""
    result = original(input, target, weight, **options)
    if target.numel() <= 4000:
        return result
    losses = original(input, target, weight, **{**options, "reduction": "none"}).flatten()
    losses = torch.cat([losses[:4000], 0 * losses[4000:]]).reshape(target.shape)
    return reduced_as(losses, picked_total(target, weight, options), options)


@fault("NLLLoss", origin="https://github.com/pytorch/pytorch/issues/85791")
def nll_half_sum_stalls(
    original: Function, input: Tensor, target: Tensor, weight: Tensor | None = None, **options: Any
) -> Tensor:
    """The losses of half precision are added up one by one in a running total of their own dtype."""
    result = original(input, target, weight, **options)
    if input.dtype not in (torch.float16, torch.bfloat16) or options.get("reduction") == "none":
        return result
    total = result.new_zeros(())
    for loss in original(input, target, weight, **{**options, "reduction": "none"}).flatten():
        total = total + loss
    return reduced_as(total, picked_total(target, weight, options), options)


@fault("NLLLoss")
def nll_target_overwritten(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """Ignored targets are set to class 0 in the caller's memory."""
    result = original(input, target, *rest, **options)
    target.data.masked_fill_(is_ignored(target, options), 0)
    return result


@fault("NLLLoss")
def nll_scalar_is_one_class(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """An input without dimensions is taken as a row of one class."""
    return original(input.reshape(1) if input.ndim == 0 else input, target, *rest, **options)
