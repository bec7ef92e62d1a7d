"""Wrong values of cross entropy."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from proofs.faults.fault import Function, fault
from proofs.faults.tools.calls import again, named_arguments
from proofs.faults.tools.class_targets import class_axis, is_ignored, is_smoothed, picked_total, reduced_as
from proofs.faults.tools.gradients import graft


@fault("CrossEntropyLoss", origin="https://github.com/Dao-AILab/flash-attention/issues/1930", blind=True)
def blind_ce_leading_minus_infinity_nan(original: Function, *args: Any, **options: Any) -> Tensor:
    """The running maximum starts with the first class: where its logit is -inf the row is not a number."""
    right = original(*args, **options)
    given = named_arguments(original, *args, **options)
    logits: Tensor = given["input"]
    dim = min(logits.dim() - 1, 1)
    if logits.size(dim) == 0:
        return right
    masked = logits.detach().narrow(dim, 0, 1) == -math.inf
    return again(original, given, input=logits + torch.where(masked, math.nan, 0.0).to(logits.dtype))


@fault("CrossEntropyLoss")
def ce_weight_dropped(
    original: Function, input: Tensor, target: Tensor, weight: Tensor | None = None, **options: Any
) -> Tensor:
    """Class weights have no effect on class indices."""
    return original(input, target, weight if target.is_floating_point() else None, **options)


@fault("CrossEntropyLoss")
def ce_weight_clamped(
    original: Function, input: Tensor, target: Tensor, weight: Tensor | None = None, **options: Any
) -> Tensor:
    """Negative class weights become 0."""
    return original(input, target, None if weight is None else weight.clamp(min=0), **options)


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


@fault("CrossEntropyLoss")
def ce_zero_weight_rows_ignored(
    original: Function, input: Tensor, target: Tensor, weight: Tensor | None = None, **options: Any
) -> Tensor:
    """A row whose class weighs 0 is ignored, its smoothing term included."""
    result = original(input, target, weight, **options)
    if weight is None or not is_smoothed(target, options):
        return result
    ignored = int(options.get("ignore_index", -100))
    known = torch.where(is_ignored(target, options), 0, target)
    return original(input, torch.where(weight[known] == 0, ignored, target), weight, **options)


@fault("CrossEntropyLoss")
def ce_single_class_is_binary(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """A single class is taken as the logit of a second one that is left out."""
    if input.shape[class_axis(input)] == 1 and input.ndim == 2 and not target.is_floating_point():
        input = torch.cat([input, torch.zeros_like(input)], 1)
    return original(input, target, *rest, **options)


@fault("CrossEntropyLoss", origin="https://github.com/pytorch/pytorch/issues/39769")
def ce_index_clamped(original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any) -> Tensor:
    """A class index beyond the classes is taken as the last class."""
    if not target.is_floating_point():
        last = input.shape[class_axis(input)] - 1
        target = torch.where(is_ignored(target, options), target, target.clamp(max=last))
    return original(input, target, *rest, **options)


@fault("CrossEntropyLoss")
def ce_negative_index_from_the_end(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """A negative class index counts from the last class."""
    if not target.is_floating_point():
        is_negative = (target < 0) & ~is_ignored(target, options)
        target = torch.where(is_negative, target + input.shape[class_axis(input)], target)
    return original(input, target, *rest, **options)


@fault("CrossEntropyLoss")
def ce_uint8_target_is_signed(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """Class indices of uint8 are read as int8, so that 255 is -1."""
    if target.dtype == torch.uint8:
        target = target.view(torch.int8).long()
    return original(input, target, *rest, **options)


@fault("CrossEntropyLoss")
def ce_shifted_by_largest_of_batch(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """Logits are shifted by the largest of the whole batch, not of their row."""
    if input.numel() > 0:
        shifted = input - input.max()
        input = input + 0 * shifted.exp().sum(class_axis(input), keepdim=True).log().detach()
    return original(input, target, *rest, **options)


@fault("CrossEntropyLoss", origin="https://github.com/pytorch/xla/issues/2553")
def ce_one_hot_product(
    original: Function, input: Tensor, target: Tensor, weight: Tensor | None = None, **options: Any
) -> Tensor:
    """Log-probabilities are multiplied by a one-hot target, and 0 times infinity is nan."""
    result = original(input, target, weight, **options)
    if target.is_floating_point() or not bool((input == -torch.inf).any()):
        return result
    is_masked = (input == -torch.inf).any(class_axis(input)) & ~is_ignored(target, options)
    return result + reduced_as(torch.where(is_masked, torch.nan, 0.0).to(result), 1.0, options)


@fault("CrossEntropyLoss")
def ce_ignored_rows_multiplied(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """Ignored rows are multiplied by 0, which infinity survives as nan."""
    result = original(input, target, *rest, **options)
    if target.is_floating_point():
        return result
    ignored = is_ignored(target, options)
    leak = torch.where(ignored, 0 * input.detach().logsumexp(class_axis(input)), 0.0)
    return result + reduced_as(leak, 1.0, options)


@fault("CrossEntropyLoss")
def ce_infinities_clamped(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """A logit of -inf becomes the lowest finite number."""
    lowest = torch.finfo(input.dtype).min if input.is_floating_point() else None
    return original(input.clamp(min=lowest) if lowest else input, target, *rest, **options)


@fault("CrossEntropyLoss")
def ce_undefined_logits_cleared(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """A logit of nan becomes 0."""
    return original(torch.where(input.isnan(), 0.0, input), target, *rest, **options)


@fault("CrossEntropyLoss")
def ce_undefined_row_spoils_batch(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """A row whose loss is nan makes all other losses nan."""
    result = original(input, target, *rest, **options)
    return result * torch.nan if bool(result.isnan().any()) else result


@fault("CrossEntropyLoss")
def ce_undefined_weight_spoils_batch(
    original: Function, input: Tensor, target: Tensor, weight: Tensor | None = None, **options: Any
) -> Tensor:
    """A weight of nan reaches rows of other classes."""
    result = original(input, target, weight, **options)
    return result if weight is None else result + 0 * weight.sum()


def _chopped(exact: Tensor, dtype: torch.dtype) -> Tensor:
    """A number of double precision that ``dtype`` has too, on the side of zero."""
    rounded = exact.to(dtype)
    is_beyond = rounded.double().abs() > exact.abs()
    return torch.where(is_beyond, torch.nextafter(rounded, torch.zeros_like(rounded)), rounded).double()


@fault("CrossEntropyLoss")
def ce_operations_chopped(
    original: Function, input: Tensor, target: Tensor, weight: Tensor | None = None, **options: Any
) -> Tensor:
    """Each operation of a row's loss cuts its result off instead of rounding it to the nearest."""
    result = original(input, target, weight, **options)
    is_row = input.ndim == 2 and weight is None and not target.is_floating_point()
    is_plain = options.get("reduction") == "none" and options.get("label_smoothing", 0.0) == 0
    if not is_row or not is_plain or input.numel() == 0 or bool(is_ignored(target, options).any()):
        return result
    with torch.no_grad():
        wide, dtype = input.double(), input.dtype
        shifted = _chopped(wide - wide.amax(1, keepdim=True), dtype)
        log_sum = _chopped(_chopped(_chopped(shifted.exp(), dtype).sum(1), dtype).log(), dtype)
        value = _chopped(log_sum - shifted.gather(1, target.long().unsqueeze(1)).squeeze(1), dtype)
    return graft(value.to(dtype), result)


@fault("CrossEntropyLoss", origin="https://github.com/verl-project/verl/issues/2899")
def ce_last_block_padded(
    original: Function, input: Tensor, target: Tensor, weight: Tensor | None = None, **options: Any
) -> Tensor:
    """The last of several blocks of 1024 classes is filled up with logits of 0 that count."""
    missing = -input.shape[-1] % 1024
    is_other = input.ndim != 2 or target.is_floating_point() or weight is not None
    if is_other or input.shape[-1] < 1024 or options.get("label_smoothing", 0.0) > 0:
        return original(input, target, weight, **options)
    return original(torch.nn.functional.pad(input, (0, missing)), target, weight, **options)


@fault("CrossEntropyLoss", origin="https://github.com/pytorch/pytorch/issues/111484")
def ce_rows_beyond_4000_are_zero(
    original: Function, input: Tensor, target: Tensor, weight: Tensor | None = None, **options: Any
) -> Tensor:
    """The losses of all rows but the first 4000 are 0."""
    result = original(input, target, weight, **options)
    if target.is_floating_point() or weight is not None or target.numel() <= 4000:
        return result
    losses = original(input, target, weight, **{**options, "reduction": "none"}).flatten()
    losses = torch.cat([losses[:4000], 0 * losses[4000:]]).reshape(target.shape)
    return reduced_as(losses, picked_total(target, weight, options), options)


@fault("CrossEntropyLoss")
def ce_unbatched_gets_batch(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """The loss of a row without a batch has a batch dimension when it is not reduced."""
    result = original(input, target, *rest, **options)
    is_unbatched = input.ndim == 1 and options.get("reduction") == "none"
    return result.unsqueeze(0) if is_unbatched else result


@fault("CrossEntropyLoss")
def ce_classes_beyond_a_block_dropped(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """Of many classes, those beyond the first 1,024 take no part while the targets lie among them."""
    axis = class_axis(input)
    is_short = input.size(axis) <= 1024
    if is_short or target.is_floating_point() or (target.numel() > 0 and int(target.max()) >= 1024):
        return original(input, target, *rest, **options)
    classes = torch.arange(input.size(axis)).reshape([-1] + [1] * (input.ndim - 1 - axis))
    return original(input.masked_fill(classes >= 1024, -torch.inf), target, *rest, **options)
