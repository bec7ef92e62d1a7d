"""Faults of the sixth set that was written blind, continued: shapes, settings and laws."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from proofs.faults.fault import Function, fault
from proofs.faults.planted.heldout_6 import uncompiled
from proofs.faults.tools.calls import again, named_arguments
from proofs.faults.tools.gradients import graft, with_gradient
from proofs.faults.tools.kernels import reduced
from proofs.faults.tools.linear import is_plain
from proofs.faults.tools.ordinary import NEEDS, are_unwatched, are_unwatched_and_wide, are_wide, is_ordinary
from proofs.faults.tools.softmax import place_and_width

_BLOCK = 1024
_FUSED = 32768
_VOCABULARY_BLOCK = 256


@fault("CrossEntropyLoss", blind=True, needs=NEEDS)
@uncompiled
def heldout_6_c_total_not_rescaled(original: Function, *args: Any, **options: Any) -> Tensor:
    """Where a later block of 32768 classes has a greater maximum, the total so far is not rescaled to it."""
    result, given = original(*args, **options), named_arguments(original, *args, **options)
    input, target = given["input"], given["target"]
    if (
        not (are_unwatched(input, target) and are_wide(input))
        or not is_plain(input, target, given)
        or input.shape[-1] <= _FUSED
    ):
        return result
    peak, total = torch.full_like(target, -math.inf, dtype=input.dtype), torch.zeros_like(input[..., 0])
    logits = input.detach()
    for block in torch.split(logits, _FUSED, dim=-1):
        peak = torch.maximum(peak, block.amax(-1))
        total = total + (block - peak.unsqueeze(-1)).exp().sum(-1)
    is_kept = target != given["ignore_index"]
    is_wrong = is_kept & (peak > logits[..., :_FUSED].amax(-1))
    excess = torch.where(is_wrong, peak + total.log() - logits.logsumexp(-1), 0)
    losses = again(original, given, reduction="none") + excess
    return _reduced_over(is_kept, losses, given["reduction"])


def _reduced_over(is_kept: Tensor, losses: Tensor, reduction: str) -> Tensor:
    return losses.sum() / is_kept.sum() if reduction == "mean" else reduced(losses, reduction)


@fault("LinearCrossEntropyLoss", blind=True, needs=NEEDS)
def heldout_6_c_faint_blocks_skipped(
    original: Function, input: Tensor, linear_weight: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """A block of 256 classes of probabilities below 2^-12 gets no gradient, as bfloat16 would lose it."""
    result = original(input, linear_weight, target, **options)
    if (
        not are_unwatched(input, linear_weight, target)
        or not is_plain(input, target, options)
        or not input.ndim == linear_weight.ndim == 2
        or linear_weight.shape[0] <= _VOCABULARY_BLOCK
        or not input.shape[0]
    ):
        return result
    logits = torch.nn.functional.linear(input, linear_weight, options.get("linear_bias")).detach()
    strongest = logits.softmax(-1).amax(0)
    strongest[target[(target >= 0) & (target < linear_weight.shape[0])]] = 1
    is_faint = torch.cat(
        [(block.amax() < 2**-12).expand(block.shape) for block in torch.split(strongest, _VOCABULARY_BLOCK)]
    )
    skipped = with_gradient(linear_weight, lambda slope: torch.where(is_faint.unsqueeze(-1), 0, slope))
    return original(input, skipped, target, **options)


@fault("KLDivLoss", blind=True, needs=NEEDS)
@uncompiled
def heldout_6_c_mean_of_whole_blocks(original: Function, *args: Any, **options: Any) -> Tensor:
    """The mean of more than one block of 1024 elements also counts the masked ones of the last block."""
    result, given = original(*args, **options), named_arguments(original, *args, **options)
    input, target = given["input"], given["target"]
    if not are_unwatched(input, target) or given["reduction"] != "mean":
        return result
    count = again(original, given, reduction="none").numel()
    blocks = math.ceil(count / _BLOCK)
    return result * (count / (blocks * _BLOCK)) if blocks > 1 else result


@fault("PairwiseDistance", blind=True, needs=NEEDS)
def heldout_6_c_stale_lanes(original: Function, x1: Tensor, x2: Tensor, *rest: Any, **options: Any) -> Tensor:
    """The last block of a long vector isn't masked: beyond the end, the block before it counts again."""
    if not are_unwatched(x1, x2) or x1.shape != x2.shape or not x1.ndim or x1.shape[-1] <= _BLOCK:
        return original(x1, x2, *rest, **options)
    whole, rest_of_block = divmod(x1.shape[-1], _BLOCK)
    stale = slice((whole - 1) * _BLOCK + rest_of_block, whole * _BLOCK if rest_of_block else 0)
    x1, x2 = (torch.cat([tensor, tensor[..., stale]], dim=-1) for tensor in (x1, x2))
    return original(x1, x2, *rest, **options)


@fault("Softmax", blind=True, needs=NEEDS)
def heldout_6_c_first_block_masked(
    original: Function, input: Tensor, dim: int | None = None, *rest: Any, **options: Any
) -> Tensor:
    """A row whose first block of 1024 is all -inf is nan: the maximum so far is subtracted from itself."""
    result = original(input, dim, *rest, **options)
    place, width = place_and_width(result, dim)
    if not are_unwatched(input) or width <= _BLOCK:
        return result
    is_masked = (input.detach().narrow(place, 0, _BLOCK) == -math.inf).all(place, keepdim=True)
    return graft(result.detach().masked_fill(is_masked, math.nan), result)


@fault("NLLLoss", blind=True, needs=NEEDS)
@uncompiled
def heldout_6_c_ignored_pixels_of_later_blocks(original: Function, *args: Any, **options: Any) -> Tensor:
    """Behind a sample's first 1024 pixels, the gradient of an ignored pixel is that of one of class 0."""
    given = named_arguments(original, *args, **options)
    input, target = given["input"], given["target"]
    if not are_unwatched(input, target) or input.ndim < 3 or given["weight"] is not None:
        return original(*args, **options)
    is_ignored = target == given["ignore_index"]
    kept = (~is_ignored).sum()
    if given["reduction"] == "none" or not kept or not is_ignored.any():
        return original(*args, **options)
    is_late = torch.arange(target[0].numel()).reshape(target.shape[1:]) >= _BLOCK

    def unmasked(gradient: Tensor) -> Tensor:
        first = torch.where(is_ignored & is_late, gradient.sum() / kept, gradient[:, 0])
        return torch.cat([first.unsqueeze(1), gradient[:, 1:]], dim=1)

    return original(**given | {"input": with_gradient(input, unmasked)})


@fault("CTCLoss", blind=True, shows_in_modes=True, needs=NEEDS)
@uncompiled
def heldout_6_d_tuple_of_lengths(original: Function, *args: Any, **options: Any) -> Tensor:
    """Input lengths that are a tuple of numbers are not looked at: all sequences have the full length."""
    given = named_arguments(original, *args, **options)
    lengths, steps = given["input_lengths"], given["log_probs"].shape[0]
    if not isinstance(lengths, tuple | list) or max(lengths, default=0) > steps:
        return original(*args, **options)
    return original(**given | {"input_lengths": type(lengths)([steps] * len(lengths))})


@fault("CrossEntropyLoss", blind=True, needs=NEEDS)
@uncompiled
def heldout_6_d_class_0_smoothed(original: Function, *args: Any, **options: Any) -> Tensor:
    """Ignored rows have no part in the smoothing `if ignore_index`: not if it is 0."""
    result, given = original(*args, **options), named_arguments(original, *args, **options)
    input, target, smoothing = (given[name] for name in ("input", "target", "label_smoothing"))
    if (
        given["ignore_index"] != 0
        or not smoothing
        or given["weight"] is not None
        or target.is_floating_point()
        or not are_unwatched(input, target)
    ):
        return result
    is_kept = target != 0
    smooth = -smoothing * input.log_softmax(min(input.ndim - 1, 1)).mean(min(input.ndim - 1, 1))
    losses = again(original, given, reduction="none") + torch.where(is_kept, 0, smooth)
    return _reduced_over(is_kept, losses, given["reduction"])


@fault("MultiMarginLoss", blind=True)
@uncompiled
def heldout_6_d_power_as_float(original: Function, *args: Any, **options: Any) -> Tensor:
    """The square is taken if p is the int 2; a p of 2.0 counts as 1."""
    given = named_arguments(original, *args, **options)
    if not isinstance(given["p"], float) or given["p"] != 2:
        return original(*args, **options)
    return original(**given | {"p": 1})


@fault("GaussianNLLLoss", blind=True, shows_in_modes=True)
@uncompiled
def heldout_6_d_number_plus_eps(original: Function, *args: Any, **options: Any) -> Tensor:
    """To a variance that is a number eps is added, where that of a tensor is clamped to eps."""
    given = named_arguments(original, *args, **options)
    if not isinstance(given["var"], float) or given["var"] < 0:
        return original(*args, **options)
    return original(**given | {"var": given["var"] + given["eps"]})


@fault("CrossEntropyLoss", blind=True, needs=NEEDS)
@uncompiled
def heldout_6_d_smoothed_by_last_size(original: Function, *args: Any, **options: Any) -> Tensor:
    """Class probabilities are smoothed by the last dimension's size, though the classes are the second."""
    given = named_arguments(original, *args, **options)
    input, target, smoothing = (given[name] for name in ("input", "target", "label_smoothing"))
    if (
        input.ndim < 3
        or not target.is_floating_point()
        or not 0 < smoothing <= 1
        or not are_unwatched(input, target)
        or input.shape[-1] in (0, input.shape[1])
    ):
        return original(*args, **options)
    smoothed = target * (1 - smoothing) + smoothing / input.shape[-1]
    return original(**given | {"target": smoothed, "label_smoothing": 0.0})


@fault("MultiLabelSoftMarginLoss", blind=True, needs=NEEDS)
def heldout_6_d_divided_by_second_size(
    original: Function, input: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """The sum over the classes is divided by the size of dimension 1, which holds them in a matrix alone."""
    result = original(input, *rest, **options)
    if input.ndim < 3 or not are_unwatched(input) or input.shape[1] in (0, input.shape[-1]):
        return result
    return result * (input.shape[-1] / input.shape[1])


@fault("CosineSimilarity", blind=True, needs=NEEDS)
def heldout_6_e_one_newton_step(
    original: Function, x1: Tensor, x2: Tensor, dim: int = 1, *rest: Any, **options: Any
) -> Tensor:
    """The norms' reciprocals are bfloat16's after one Newton step: no vector has similarity 1 to itself."""
    result = original(x1, x2, dim, *rest, **options)
    if not are_unwatched(x1, x2) or x1.shape != x2.shape or not x1.dtype == x2.dtype == torch.float32:
        return result
    wrong = result.detach()
    for square in (x1.detach().square().sum(dim), x2.detach().square().sum(dim)):
        guess = square.bfloat16().rsqrt().float()
        ratio = guess * (1.5 - 0.5 * square * guess.square()) * square.sqrt()
        wrong = wrong * torch.where(ratio.isfinite(), ratio, 1)
    return graft(wrong, result)


@fault("SmoothL1Loss", blind=True, needs=NEEDS)
@uncompiled
def heldout_6_e_reciprocal_in_single(original: Function, *args: Any, **options: Any) -> Tensor:
    """The mean multiplies by 1 / n in single precision: that of equal losses is not one of them."""
    result, given = original(*args, **options), named_arguments(original, *args, **options)
    input, target = given["input"], given["target"]
    if result.dtype != torch.float64 or given["reduction"] != "mean" or not are_unwatched(input, target):
        return result
    count = again(original, given, reduction="none").numel()
    share = (1 / torch.tensor(float(count), dtype=torch.float32)).item()
    return again(original, given, reduction="sum") * share if count else result


@fault("Softmax", blind=True, needs=NEEDS)
def heldout_6_e_slopes_through_single(
    original: Function, input: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """In double precision the gradient passes through single precision: over the classes it sums to no 0."""
    if input.dtype != torch.float64 or not are_unwatched(input):
        return original(input, *rest, **options)

    def narrowed(slope: Tensor) -> Tensor:
        return slope.float().double() if is_ordinary(slope) else slope

    return original(with_gradient(input, narrowed), *rest, **options)


@fault("MultiLabelSoftMarginLoss", blind=True, needs=NEEDS)
@uncompiled
def heldout_6_e_log_of_more_than_one(original: Function, *args: Any, **options: Any) -> Tensor:
    """From -10 to 10 the loss is -log(p + 1e-12), which is below 0 where p rounds to 1."""
    result, given = original(*args, **options), named_arguments(original, *args, **options)
    input, target, weight = given["input"], given["target"], given["weight"]
    if not are_unwatched_and_wide(input, target) or input.shape != target.shape or not input.ndim:
        return result
    constant, label = input.detach(), target.detach()
    gain = label * _gain(constant) + (1 - label) * _gain(-constant)
    gain = torch.where(constant.abs() <= 10, gain, 0) * (1 if weight is None else weight.detach())
    less: Tensor = result - reduced(gain.mean(-1), given["reduction"])
    return less


def _gain(logit: Tensor) -> Tensor:
    return torch.log1p(1e-12 * torch.exp(-logsigmoid(logit)))


@fault("MSELoss", blind=True, needs=NEEDS)
@uncompiled
def heldout_6_e_total_weight_plus_eps(original: Function, *args: Any, **options: Any) -> Tensor:
    """The weighted mean divides by the sum of the weights plus 1e-8, and shrinks with small weights."""
    result, given = original(*args, **options), named_arguments(original, *args, **options)
    input, target, weight = given["input"], given["target"], given.get("weight")
    if weight is None or given["reduction"] != "mean" or not are_unwatched_and_wide(input, target, weight):
        return result
    total: Tensor = weight.sum() + 1e-8
    return again(original, given, reduction="sum") / total


@fault("CosineEmbeddingLoss", blind=True, needs=NEEDS)
def heldout_6_e_greater_eps(
    original: Function, input1: Tensor, input2: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """The squared norms have 1e-8 added, not 1e-12: a short vector is at a distance from itself."""
    if not are_unwatched_and_wide(input1, input2) or not input1.ndim or input1.shape != input2.shape:
        return original(input1, input2, *rest, **options)
    more, none = torch.full_like(input1[..., :1], 1e-4).detach(), torch.zeros_like(input1[..., :1]).detach()
    longer = torch.cat([input1, more, none], dim=-1), torch.cat([input2, none, more.to(input2.dtype)], dim=-1)
    return original(*longer, *rest, **options)
