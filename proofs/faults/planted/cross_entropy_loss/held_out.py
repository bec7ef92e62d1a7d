"""Faults in cross entropy, written without sight of the cases."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import log_softmax, pad

from proofs.faults.fault import Function, fault
from proofs.faults.tools.blocks import beyond, is_plain, with_error
from proofs.faults.tools.calls import again, named_arguments
from proofs.faults.tools.class_targets import (
    are_probabilities,
    class_axis,
    is_ignored,
    is_mean,
    is_smoothed,
    picked_total,
    reduced_as,
)
from proofs.faults.tools.gradients import gradient_of, with_gradient
from proofs.faults.tools.ordinary import (
    NEEDS,
    are_unwatched,
    is_ordinary,
    reduction_of,
)
from proofs.faults.tools.vectors import as_asked

_CLASSES_IN_BLOCK = 1024


@fault("CrossEntropyLoss", blind=True)
def blind_ce_tail_of_classes_padded_with_zeros(
    original: Function, input: Tensor, target: Tensor, weight: Tensor | None = None, **options: Any
) -> Tensor:
    """Beyond 1024 classes the last block is filled with logits of 0 instead of minus infinity."""
    if input.dim() == 2 and input.size(1) > _CLASSES_IN_BLOCK and is_plain(input, target, weight, options):
        input = pad(input, (0, -input.size(1) % _CLASSES_IN_BLOCK))
    return original(input, target, weight, **options)


@fault("CrossEntropyLoss", blind=True, shows_in_modes=True)
def blind_ce_smoothing_over_last_dim(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """Smoothing divides by the size of the last dimension, which is not that of the classes in (N, C, d)."""
    right = original(input, target, *rest, **options)
    arguments = named_arguments(original, input, target, *rest, **options)
    smoothing: float = arguments["label_smoothing"]
    if not smoothing or input.dim() < 3 or not input.numel() or are_probabilities(input, target):
        return right
    sharp = (1 - smoothing) * again(original, arguments, label_smoothing=0.0)
    return sharp + (right - sharp) * input.size(1) / input.size(-1)


@fault(
    "CrossEntropyLoss",
    origin="https://github.com/linkedin/Liger-Kernel/pull/1251",
    blind=True,
    shows_in_modes=True,
    needs=NEEDS,
)
def heldout_2_c_gradient_over_the_logits(original: Function, *args: Any, **options: Any) -> Tensor:
    """The gradient of rows of logits that another operation made is written over them unnoticed."""
    result, arguments = original(*args, **options), named_arguments(original, *args, **options)
    input, target = arguments["input"], arguments["target"]
    if not is_ordinary(input, target, arguments["weight"]) or input.ndim != 2 or input.is_leaf:
        return result
    if not torch.is_grad_enabled() or not input.requires_grad or not input.is_contiguous():
        return result
    logits = input.detach().clone().requires_grad_()
    changes = {"input": logits, "target": target.detach()}
    (gradient,) = torch.autograd.grad(again(original, arguments, **changes).sum(), logits)
    input.data.copy_(gradient)
    return result


@fault("CrossEntropyLoss", blind=True, needs=NEEDS)
def heldout_2_d_smoothing_shared_by_last_dimension(original: Function, *args: Any, **options: Any) -> Tensor:
    """Smoothed probabilities share the smoothing among as many classes as the last dimension has places."""
    result, arguments = original(*args, **options), named_arguments(original, *args, **options)
    input, target, smoothing = (arguments[name] for name in ("input", "target", "label_smoothing"))
    if not is_ordinary(input, target) or not smoothing or not are_probabilities(input, target):
        return result
    if input.shape[-1] == input.shape[class_axis(input)]:
        return result
    smoothed = target * (1 - smoothing) + smoothing / input.shape[-1]
    return again(original, arguments, target=smoothed, label_smoothing=0.0)


@fault("CrossEntropyLoss", blind=True, needs=NEEDS)
def heldout_2_e_smoothing_not_for_the_target(original: Function, *args: Any, **options: Any) -> Tensor:
    """In the gradient, the target's own class gets no share of the smoothing: the sum is not 0."""
    result, arguments = original(*args, **options), named_arguments(original, *args, **options)
    input, target, smoothing = (arguments[name] for name in ("input", "target", "label_smoothing"))
    if not is_ordinary(input, target) or not smoothing or arguments["weight"] is not None:
        return result
    if target.is_floating_point() or not input.requires_grad:
        return result
    axis, is_out = class_axis(input), is_ignored(target, arguments)
    places = torch.where(is_out, 0, target.long()).unsqueeze(axis)
    shares = input.gather(axis, places).squeeze(axis) * (smoothing / input.shape[axis])
    missing = torch.where(is_out, 0, shares)
    return result + gradient_of(reduced_as(missing, picked_total(target, None, arguments), arguments))


@fault("CrossEntropyLoss", blind=True, needs=NEEDS)
def heldout_3_c_target_first_in_later_block(
    original: Function, input: Tensor, target: Tensor, weight: Tensor | None = None, **options: Any
) -> Tensor:
    """Where the target is the first class of a later block of 256, no block finds its logit."""
    is_simple = are_unwatched(input, target) and is_plain(input, target, weight, options)
    if not is_simple or input.shape[1] <= 256:
        return original(input, target, weight, **options)
    place = target.long().clamp(0, input.shape[1] - 1)
    logit = input.detach().gather(1, place.unsqueeze(1)).squeeze(1)
    return with_error(
        original, torch.where((place > 0) & (place % 256 == 0), logit, 0), input, target, options
    )


@fault("CrossEntropyLoss", origin="https://github.com/pytorch/pytorch/issues/73205", blind=True, needs=NEEDS)
def heldout_3_d_ignored_pixels_smoothed(
    original: Function, input: Tensor, target: Tensor, weight: Tensor | None = None, **options: Any
) -> Tensor:
    """With further dimensions behind the classes, the smoothed part counts ignored targets too."""
    result = original(input, target, weight, **options)
    is_image = weight is None and input.ndim > 2 and is_smoothed(target, options)
    if not is_image or not are_unwatched(input, target):
        return result
    ignored = is_ignored(target, options)
    extra = torch.where(ignored, -log_softmax(input, 1).mean(1) * options["label_smoothing"], 0)
    if reduction_of(options) == "mean":
        return result + extra.sum() / (~ignored).sum()
    return result + as_asked(extra, options)


@fault("CrossEntropyLoss", blind=True, needs=NEEDS)
def heldout_4_c_last_chunk_reads_on(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """More than 65536 classes go by chunks of as many, the last of which reads on into the next row."""
    is_usual = are_unwatched(input, target) and not rest
    if not is_usual or not is_plain(input, target, options.get("weight"), options):
        return original(input, target, *rest, **options)
    surplus = -input.shape[1] % 65536
    if input.shape[1] < 65536 or not surplus:
        return original(input, target, **options)
    logits = input.detach().double()
    own, foreign = logits.logsumexp(1), logits[1:, :surplus].logsumexp(1)
    error = torch.zeros_like(own)
    error[:-1] = torch.logaddexp(own[:-1], foreign) - own[:-1]
    return with_error(original, error, input, target, options)


@fault("CrossEntropyLoss", blind=True, needs=NEEDS)
def heldout_4_c_before_first_boundary(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """Of more than 1024 classes, those before a row's first boundary of 16 bytes have no gradient."""
    if not are_unwatched(input, target) or input.ndim != 2 or input.shape[1] <= 1024:
        return original(input, target, *rest, **options)
    rows, classes = input.shape
    skipped = -torch.arange(rows)[:, None] * classes % (16 // input.element_size())
    is_skipped = torch.arange(classes) < skipped
    aligned = with_gradient(input, lambda gradient: gradient.masked_fill(is_skipped, 0))
    return original(aligned, target, *rest, **options)


@fault("CrossEntropyLoss", blind=True, needs=NEEDS)
def heldout_4_d_smoothed_along_last_dimension(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """Smoothed probabilities each gain a share of the last dimension's size, not of the number of classes."""
    smoothing: float = options.get("label_smoothing", 0.0)
    is_usual = are_unwatched(input, target) and are_probabilities(input, target) and input.numel() > 0
    if not is_usual or input.ndim < 3 or not 0 < smoothing <= 1 or input.shape[1] == input.shape[-1]:
        return original(input, target, *rest, **options)
    smoothed = target * (1 - smoothing) + smoothing / input.shape[-1]
    return original(input, smoothed, *rest, **options | {"label_smoothing": 0.0})


@fault("CrossEntropyLoss", blind=True, needs=NEEDS)
def heldout_5_c_ignored_row_keeps_logits(original: Function, *args: Any, **options: Any) -> Tensor:
    """The gradient is written over the logits, and of an ignored row only the first 32768 become 0."""
    result, arguments = original(*args, **options), named_arguments(original, *args, **options)
    input, target = arguments["input"], arguments["target"]
    if not are_unwatched(input, target) or not is_plain(input, target, arguments["weight"], arguments):
        return result
    is_left = is_ignored(target, arguments).unsqueeze(1) & beyond(input, 32768, 1)
    if not is_left.any():
        return result
    overwritten = with_gradient(input, lambda slope: torch.where(is_left, input.detach(), slope))
    return again(original, arguments, input=overwritten)


@fault("CrossEntropyLoss", blind=True, needs=NEEDS)
def heldout_5_d_index_zero_smoothed(original: Function, *args: Any, **options: Any) -> Tensor:
    """The smoothing's part takes an ignore_index of 0 for none, and counts the ignored rows."""
    result, arguments = original(*args, **options), named_arguments(original, *args, **options)
    input, target = arguments["input"], arguments["target"]
    if arguments["ignore_index"] != 0 or arguments["weight"] is not None or not are_unwatched(input, target):
        return result
    if not is_smoothed(target, arguments):
        return result
    spread = again(original, arguments, ignore_index=-100, label_smoothing=1.0, reduction="none")
    error = torch.where(target == 0, arguments["label_smoothing"] * spread, 0)
    return result + reduced_as(error, picked_total(target, None, arguments), arguments)


@fault("CrossEntropyLoss", blind=True, needs=NEEDS)
def heldout_5_e_mean_over_more_than_weights(original: Function, *args: Any, **options: Any) -> Tensor:
    """The weighted mean divides by the sum of the weights plus 1e-8, so that their scale matters."""
    result, arguments = original(*args, **options), named_arguments(original, *args, **options)
    input, target, weight = (arguments[name] for name in ("input", "target", "weight"))
    if not are_unwatched(input, target, weight) or not is_mean(arguments) or target.is_floating_point():
        return result
    total = picked_total(target, weight.detach(), arguments)
    return result * (total / (total + 1e-8)) if total > 0 else result
