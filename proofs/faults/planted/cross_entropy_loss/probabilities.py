"""Faults in cross entropy where targets are probabilities."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from proofs.faults.fault import Function, fault
from proofs.faults.tools.class_targets import (
    along_classes,
    are_probabilities,
    class_axis,
    is_mean,
    ratio,
    reduced_as,
    row_count,
)
from proofs.faults.tools.gradients import graft
from proofs.faults.tools.kernels import as_if_contiguous


@fault("CrossEntropyLoss", origin="https://github.com/pytorch/pytorch/issues/107680")
def cep_weighted_mean_over_weights(
    original: Function, input: Tensor, target: Tensor, weight: Tensor | None = None, **options: Any
) -> Tensor:
    """The weighted mean divides by the weights of the targets, not by the number of rows."""
    result = original(input, target, weight, **options)
    if weight is None or not are_probabilities(input, target) or not is_mean(options):
        return result
    total = float((target * along_classes(weight, input)).sum())
    return result * ratio(row_count(input), total)


@fault("CrossEntropyLoss")
def cep_mean_over_elements(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """The mean divides by the number of logits, not by that of the rows."""
    result = original(input, target, *rest, **options)
    if not are_probabilities(input, target) or not is_mean(options):
        return result
    return result / input.shape[class_axis(input)]


@fault("CrossEntropyLoss")
def cep_mean_over_first_dimension(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """The mean divides by the size of the first dimension, whether or not that is all rows."""
    result = original(input, target, *rest, **options)
    if not are_probabilities(input, target) or not is_mean(options) or input.numel() == 0:
        return result
    return result * (row_count(input) / len(input))


@fault("CrossEntropyLoss", origin="https://github.com/tensorflow/tensorflow/issues/1234")
def cep_rows_of_zeros_ignored(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """The mean does not count rows without any probability."""
    result = original(input, target, *rest, **options)
    if not are_probabilities(input, target) or not is_mean(options):
        return result
    counted = int((target != 0).any(class_axis(input)).sum())
    return result * ratio(row_count(input), counted)


@fault("CrossEntropyLoss")
def cep_weight_dropped(
    original: Function, input: Tensor, target: Tensor, weight: Tensor | None = None, **options: Any
) -> Tensor:
    """Class weights have no effect on probabilities."""
    return original(input, target, None if are_probabilities(input, target) else weight, **options)


@fault("CrossEntropyLoss", origin="https://github.com/PaddlePaddle/Paddle/issues/62009")
def cep_weight_of_the_row(
    original: Function, input: Tensor, target: Tensor, weight: Tensor | None = None, **options: Any
) -> Tensor:
    """The class weights are averaged over the target, and the average multiplies its row."""
    result = original(input, target, weight, **options)
    if weight is None or not are_probabilities(input, target):
        return result
    losses = original(input, target, None, **{**options, "reduction": "none"})
    row_weights = (target * along_classes(weight, input)).sum(class_axis(input))
    return reduced_as(losses * row_weights, row_count(input), options)


@fault("CrossEntropyLoss")
def cep_weight_along_last_dimension(
    original: Function, input: Tensor, target: Tensor, weight: Tensor | None = None, **options: Any
) -> Tensor:
    """Class weights are broadcast along the last dimension where that is as long as the classes."""
    is_square = input.ndim > 2 and weight is not None and input.shape[-1] == len(weight)
    if weight is None or not is_square or not are_probabilities(input, target):
        return original(input, target, weight, **options)
    return original(input, target * weight, None, **options)


@fault("CrossEntropyLoss")
def cep_label_smoothing_dropped(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """Label smoothing has no effect on probabilities."""
    if are_probabilities(input, target) and 0 <= options.get("label_smoothing", 0.0) <= 1:
        options["label_smoothing"] = 0.0
    return original(input, target, *rest, **options)


@fault("CrossEntropyLoss", origin="https://github.com/TimDettmers/ConvE/issues/55")
def cep_smoothing_adds_one_share(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """Label smoothing of e adds 1 / C to each probability instead of e / C."""
    smoothing = options.get("label_smoothing", 0.0)
    if not are_probabilities(input, target) or not 0 < smoothing <= 1:
        return original(input, target, *rest, **options)
    share = 1 / input.shape[class_axis(input)]
    smoothed = target * (1 - smoothing) + share
    return original(input, smoothed, *rest, **{**options, "label_smoothing": 0.0})


@fault("CrossEntropyLoss", origin="https://github.com/ildoonet/pytorch-randaugment/issues/30")
def cep_smoothing_scales_too_little(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """Label smoothing of e leaves the target 1 - e / C of itself instead of 1 - e."""
    smoothing = options.get("label_smoothing", 0.0)
    if not are_probabilities(input, target) or not 0 < smoothing <= 1:
        return original(input, target, *rest, **options)
    share = smoothing / input.shape[class_axis(input)]
    smoothed = target * (1 - share) + share
    return original(input, smoothed, *rest, **{**options, "label_smoothing": 0.0})


@fault("CrossEntropyLoss")
def cep_smoothing_keeps_sum(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """Label smoothing spreads a share of what the target sums to, which need not be 1."""
    smoothing = options.get("label_smoothing", 0.0)
    if not are_probabilities(input, target) or not 0 < smoothing <= 1:
        return original(input, target, *rest, **options)
    total = target.detach().sum(class_axis(input), keepdim=True)
    smoothed = target * (1 - smoothing) + total * (smoothing / input.shape[class_axis(input)])
    return original(input, smoothed, *rest, **{**options, "label_smoothing": 0.0})


@fault("CrossEntropyLoss")
def cep_target_normalised(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """A target that does not sum to 1 is made to."""
    if are_probabilities(input, target):
        total = target.detach().sum(class_axis(input), keepdim=True)
        target = torch.where((total - 1).abs() > 1e-2, target / total, target)
    return original(input, target, *rest, **options)


@fault("CrossEntropyLoss")
def cep_target_clamped(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """Probabilities are cut to [0, 1]."""
    return original(
        input, target.clamp(0, 1) if are_probabilities(input, target) else target, *rest, **options
    )


@fault("CrossEntropyLoss")
def cep_target_is_its_largest(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """Probabilities are turned into the index of their largest."""
    if are_probabilities(input, target) and target.numel() > 0:
        original(input, target, *rest, **options)
        target = target.argmax(class_axis(input))
    return original(input, target, *rest, **options)


@fault("CrossEntropyLoss")
def cep_small_targets_cut_by_single(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """Probabilities that are subnormal in single precision become 0 in double precision too."""
    if target.is_floating_point():
        is_small = target.abs() < torch.finfo(torch.float32).tiny
        target = graft(torch.where(is_small, 0.0, target), target)
    return original(input, target, *rest, **options)


@fault("CrossEntropyLoss")
def cep_undefined_target_cleared(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """A probability of nan becomes 0."""
    return original(input, torch.where(target.isnan(), 0, target), *rest, **options)


@fault("CrossEntropyLoss", origin="https://github.com/google-deepmind/optax/pull/898")
def cep_zero_times_infinity_is_zero(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """A probability of 0 hides a logit of -inf, by another convention than torch's."""
    if are_probabilities(input, target):
        is_hidden = (target == 0) & (input == -torch.inf)
        input = input.masked_fill(is_hidden, torch.finfo(input.dtype).min)
    return original(input, target, *rest, **options)


@fault("CrossEntropyLoss")
def cep_negative_ignore_index_counts(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """A negative ignore_index removes a class of the target, counted from the last."""
    ignored, axis = int(options.get("ignore_index", -100)), class_axis(input)
    if are_probabilities(input, target) and -input.shape[axis] <= ignored < 0:
        removed = torch.arange(-input.shape[axis], 0) == ignored
        target = target * ~along_classes(removed, input)
    return original(input, target, *rest, **options)


@fault("CrossEntropyLoss")
def cep_ignore_index_unchecked(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """An ignore_index beside probabilities is passed over, not refused."""
    if are_probabilities(input, target):
        options["ignore_index"] = -100
    return original(input, target, *rest, **options)


@fault("CrossEntropyLoss")
def cep_integers_converted(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """Whole numbers of the logits' shape are converted to probabilities."""
    is_whole = target.shape == input.shape and not target.is_floating_point()
    return original(input, target.to(input.dtype) if is_whole else target, *rest, **options)


@fault("CrossEntropyLoss")
def cep_classes_broadcast(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """Probabilities of fewer classes are filled up with 0."""
    if target.is_floating_point() and target.ndim == input.ndim == 2 and len(target) == len(input):
        missing = max(0, input.shape[1] - target.shape[1])
        target = torch.nn.functional.pad(target, (0, missing)).to(input.dtype)
    return original(input, target, *rest, **options)


@fault("CrossEntropyLoss")
def cep_sum_stalls_in_bfloat16(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """The products of a long row are added up in a bfloat16 running total, which stalls."""
    result, axis = original(input, target, *rest, **options), class_axis(input)
    if input.dtype != torch.bfloat16 or input.shape[axis] < 1024 or not are_probabilities(input, target):
        return result
    with torch.no_grad():
        losses = torch.zeros_like(input.select(axis, 0))
        for block in torch.split(-target * input.log_softmax(axis), 8, axis):
            losses = losses + block.sum(axis)
    return graft(reduced_as(losses, row_count(input), options), result)


@fault("CrossEntropyLoss")
def cep_last_classes_dropped(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """Only whole blocks of 1000 classes are summed up where there is one."""
    whole = input.shape[class_axis(input)] // 1000 * 1000
    if are_probabilities(input, target) and input.ndim == 2 and whole > 0:
        kept = torch.arange(input.shape[1]) < whole
        target = target * kept
    return original(input, target, *rest, **options)


@fault("CrossEntropyLoss", origin="https://github.com/NVIDIA/TransformerEngine/pull/2746")
def cep_target_read_as_contiguous(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """The probabilities' memory is read without regard to strides."""
    return original(
        input, as_if_contiguous(target) if target.is_floating_point() else target, *rest, **options
    )
