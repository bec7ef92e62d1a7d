"""Faults in cross entropy that are about numbers: overflow, infinities, dtypes, long rows, memory."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from proofs.faults.fault import Function, fault
from proofs.faults.tools.class_targets import class_axis, is_ignored, picked_total, reduced_as
from proofs.faults.tools.gradients import graft, with_gradient
from proofs.faults.tools.kernels import as_if_contiguous, in_single

# The logarithm of 1e-20.
_SMALLEST_LOG = -46.0517


@fault("CrossEntropyLoss", origin="https://github.com/deepjavalibrary/djl/issues/520")
def ce_exponential_not_shifted(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """The exponential is taken of the logits themselves, which may overflow."""
    normaliser = input.exp().sum(class_axis(input), keepdim=True).log()
    return original(input + 0 * normaliser.detach(), target, *rest, **options)


@fault("CrossEntropyLoss")
def ce_shifted_by_largest_of_batch(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """Logits are shifted by the largest of the whole batch, not of their row."""
    if input.numel() > 0:
        shifted = input - input.max()
        input = input + 0 * shifted.exp().sum(class_axis(input), keepdim=True).log().detach()
    return original(input, target, *rest, **options)


@fault("CrossEntropyLoss")
def ce_shifted_by_mean(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """Logits are shifted by their mean, the sum of which may overflow."""
    total = input.sum(class_axis(input), keepdim=True)
    return original(input + 0 * total.detach(), target, *rest, **options)


@fault("CrossEntropyLoss", origin="https://github.com/deeplearning4j/deeplearning4j/issues/785")
def ce_logarithm_of_softmax(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """The logarithm is taken of the softmax, which underflows to 0."""
    is_lost = input.softmax(class_axis(input)) == 0
    return original(input.masked_fill(is_lost, -torch.inf), target, *rest, **options)


@fault("CrossEntropyLoss", origin="https://github.com/Oneflow-Inc/oneflow/issues/3137")
def ce_probability_clipped(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """Probabilities are cut off at 1e-20 before the logarithm."""
    result = original(input, target, *rest, **options)
    if target.is_floating_point() or options.get("label_smoothing", 0.0) > 0:
        return result
    log_p = input.log_softmax(class_axis(input)).clamp(min=_SMALLEST_LOG)
    options.pop("label_smoothing", None)
    return torch.nn.functional.nll_loss(log_p, target, *rest, **options)


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


@fault("CrossEntropyLoss", origin="https://github.com/Jittor/jittor/pull/571")
def ce_half_in_single_result(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """The loss of half precision comes out in single precision."""
    result = original(input, target, *rest, **options)
    return result.float() if result.dtype in (torch.float16, torch.bfloat16) else result


@fault("CrossEntropyLoss")
def ce_double_in_single(original: Function, *args: Any, **options: Any) -> Tensor:
    """Double precision is computed in single precision."""
    return in_single(original, *args, **options)


@fault("CrossEntropyLoss", origin="https://github.com/marin-community/marin/pull/8217")
def ce_logits_in_bfloat16(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """Logits are rounded to bfloat16 on the way, whatever their dtype."""
    return original(graft(input.bfloat16().to(input), input), target, *rest, **options)


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


@fault("CrossEntropyLoss", origin="https://github.com/google-deepmind/optax/issues/1020")
def ce_normaliser_sum_in_bfloat16(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """The exponentials are added up in a bfloat16 running total, which stalls."""
    result = original(input, target, *rest, **options)
    axis = class_axis(input)
    if input.dtype != torch.bfloat16 or input.shape[axis] < 1024:
        return result
    with torch.no_grad():
        shifted = input - input.amax(axis, keepdim=True)
        total = torch.zeros_like(shifted.narrow(axis, 0, 1))
        for block in torch.split(shifted.exp(), 8, axis):
            total = total + block.sum(axis, keepdim=True)
        shortfall = shifted.logsumexp(axis, keepdim=True) - total.log()
        value = result - reduced_as(shortfall.squeeze(axis), target.numel(), options)
    return graft(value, result)


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


@fault("CrossEntropyLoss", origin="https://github.com/PaddlePaddle/Paddle/issues/53516")
def ce_index_of_16_bits(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """A class index beyond 65535 loses its upper bits."""
    if not target.is_floating_point():
        target = torch.where(target > 0xFFFF, target & 0xFFFF, target)
    return original(input, target, *rest, **options)


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


@fault("CrossEntropyLoss", origin="https://github.com/NVIDIA/TransformerEngine/issues/2734")
def ce_logits_read_as_contiguous(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """The logits' memory is read without regard to strides."""
    return original(as_if_contiguous(input), target, *rest, **options)


@fault("CrossEntropyLoss", origin="https://github.com/unslothai/unsloth/pull/10713")
def ce_target_read_as_contiguous(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """The class indices' memory is read without regard to strides."""
    if not target.is_floating_point():
        target = as_if_contiguous(target)
    return original(input, target, *rest, **options)


@fault("CrossEntropyLoss", origin="https://github.com/linkedin/Liger-Kernel/issues/272")
def ce_logits_overwritten(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """The logits' memory is used for their gradient."""
    result = original(input, target, *rest, **options)
    if input.is_contiguous():
        input.data.copy_(input.data.softmax(class_axis(input)))
    return result


@fault("CrossEntropyLoss")
def ce_none_squeezed(original: Function, *args: Any, **options: Any) -> Tensor:
    """Losses without a reduction lose their dimensions of size 1."""
    return original(*args, **options).squeeze()


@fault("CrossEntropyLoss")
def ce_unbatched_gets_batch(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """The loss of a row without a batch has a batch dimension when it is not reduced."""
    result = original(input, target, *rest, **options)
    is_unbatched = input.ndim == 1 and options.get("reduction") == "none"
    return result.unsqueeze(0) if is_unbatched else result


@fault("CrossEntropyLoss", origin="https://github.com/NVIDIA/apex/issues/1587")
def ce_upstream_overwritten(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """The memory of the upstream gradient is used for something else once it has been read."""
    upstream: list[Tensor] = []

    def keep(gradient: Tensor) -> Tensor:
        upstream.append(gradient)
        return gradient

    def overwrite(gradient: Tensor) -> Tensor:
        upstream.pop().data.zero_()
        return gradient

    return with_gradient(original(with_gradient(input, overwrite), target, *rest, **options), keep)


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
