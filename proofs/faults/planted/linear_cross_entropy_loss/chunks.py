"""Faults in cross entropy of a linear layer where it goes by chunks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from proofs.faults.fault import Function, fault
from proofs.faults.tools.calls import again, named_arguments
from proofs.faults.tools.gradients import graft


@fault("LinearCrossEntropyLoss", origin="https://github.com/NVIDIA-NeMo/Automodel/issues/3803", blind=True)
def blind_linear_ce_chunk_means_added(original: Function, *args: Any, **options: Any) -> Tensor:
    """The mean of more than 32 rows is the sum of the means of every 32."""
    right = original(*args, **options)
    given = named_arguments(original, *args, **options)
    samples: Tensor = given["input"]
    if given["reduction"] != "mean" or samples.dim() != 2 or samples.size(0) <= 32:
        return right
    chunks = [slice(start, start + 32) for start in range(0, samples.size(0), 32)]
    target: Tensor = given["target"]
    means = [again(original, given, input=samples[chunk], target=target[chunk]) for chunk in chunks]
    return torch.stack(means).sum()


def _goes_by_chunks(args: tuple[Tensor, ...], options: dict[str, Any]) -> bool:
    """Whether torch would take several chunks, two rows each."""
    input, linear_weight, target = args
    is_plain = target.dtype == torch.int64 and linear_weight.ndim == 2 and not options.get("label_smoothing")
    return is_plain and options.get("options") is not None and input.ndim == 2 and len(input) > 2


def _losses_of_chunks(
    original: Function, input: Tensor, linear_weight: Tensor, target: Tensor, **options: Any
) -> Iterator[Tensor]:
    for start in range(0, len(input), 2):
        rows = slice(start, start + 2)
        yield original(input[rows], linear_weight, target[rows], **options | {"options": None})


@fault("LinearCrossEntropyLoss", origin="https://github.com/NVIDIA-NeMo/Automodel/pull/3804")
def lce_chunk_means_added(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """The mean of the whole is the sum of the chunks' means."""
    right = original(*args, **options)
    if not _goes_by_chunks(args, options) or options.get("reduction", "mean") != "mean":
        return right
    return torch.stack(list(_losses_of_chunks(original, *args, **options))).sum()


@fault("LinearCrossEntropyLoss")
def lce_weighted_chunks_over_rows(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """A mean by chunks divides by the number of rows, whatever their weights are and which are ignored."""
    if _goes_by_chunks(args, options) and options.get("reduction", "mean") == "mean":
        return original(*args, **options | {"reduction": "sum"}) / len(args[0])
    return original(*args, **options)


@fault("LinearCrossEntropyLoss")
def lce_last_chunk_dropped(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """A last chunk that is shorter than the others is left out of the sum."""
    right = original(*args, **options)
    if (
        not _goes_by_chunks(args, options)
        or options.get("reduction", "mean") != "sum"
        or len(args[0]) % 2 == 0
    ):
        return right
    return right - list(_losses_of_chunks(original, *args, **options))[-1]


@fault("LinearCrossEntropyLoss")
def lce_last_chunk_twice(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """Where the chunks divide the batch evenly, there is one too many, and the last is summed twice."""
    right = original(*args, **options)
    if not _goes_by_chunks(args, options) or options.get("reduction", "mean") != "sum" or len(args[0]) % 2:
        return right
    return right + list(_losses_of_chunks(original, *args, **options))[-1]


@fault("LinearCrossEntropyLoss")
def lce_weight_gradient_of_last_chunk(
    original: Function, input: Tensor, linear_weight: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """Each chunk writes the weight's gradient anew instead of adding to it."""
    right = original(input, linear_weight, target, **options)
    if (
        not _goes_by_chunks((input, linear_weight, target), options)
        or options.get("reduction", "mean") != "sum"
    ):
        return right
    *_, last = _losses_of_chunks(original, input.detach(), linear_weight, target, **options)
    others = original(input, linear_weight.detach(), target, **options)
    return graft(right, others + last)


@fault("LinearCrossEntropyLoss", origin="https://github.com/pytorch/pytorch/issues/70348")
def lce_chunk_mean_over_nothing_zero(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """By chunks, a mean over no target that counts is 0."""
    loss = original(*args, **options)
    ignored = options.get("ignore_index")
    is_nothing = bool((args[2] == (-100 if ignored is None else ignored)).all())
    return torch.nan_to_num(loss) if options.get("options") is not None and is_nothing else loss


@fault("LinearCrossEntropyLoss")
def lce_chunk_bias_of_row_dropped(
    original: Function, input: Tensor, linear_weight: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """A single row goes by a path of its own, which knows no bias."""
    if options.get("options") is not None and input.ndim == 1:
        options["linear_bias"] = None
    return original(input, linear_weight, target, **options)


@fault("LinearCrossEntropyLoss")
def lce_wide_input_gradient_of_first_chunk(
    original: Function, input: Tensor, linear_weight: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """By chunks and with more features than classes, the input's gradient is that of the first chunk only."""
    right = original(input, linear_weight, target, **options)
    is_wide = linear_weight.shape[-1] > linear_weight.shape[0]
    if not is_wide or not _goes_by_chunks((input, linear_weight, target), options):
        return right
    return original(torch.cat([input[:2], input[2:].detach()]), linear_weight, target, **options)
