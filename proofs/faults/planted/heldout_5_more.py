"""The fifth set of held-out faults, second half: blocks of kernels, usual settings, and laws."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import AdaptiveLogSoftmaxWithLoss
from torch.nn.functional import linear, log_softmax

from proofs.faults.fault import Function, fault
from proofs.faults.tools.adaptive_softmax import cluster_of, with_output
from proofs.faults.tools.calls import again, named_arguments
from proofs.faults.tools.class_targets import is_mean, is_smoothed, picked_total, reduced_as
from proofs.faults.tools.gradients import graft, with_gradient
from proofs.faults.tools.kernels import reduced, summed_in_steps
from proofs.faults.tools.ordinary import NEEDS, are_unwatched, are_unwatched_and_wide
from proofs.faults.tools.softmax import place_and_width


@fault("Softmax", blind=True, needs=NEEDS)
def heldout_5_c_first_block_masked(original: Function, *args: Any, **options: Any) -> Tensor:
    """The running maximum of a first block of 1024 that is all -inf is subtracted from itself: nan."""
    result, arguments = original(*args, **options), named_arguments(original, *args, **options)
    place, width = place_and_width(result, arguments["dim"])
    if not are_unwatched(arguments["input"]) or width <= 1024 or not result.numel():
        return result
    largest = arguments["input"].detach().narrow(place, 0, 1024).amax(place, keepdim=True)
    return torch.where(largest == -math.inf, math.nan, result)


@fault("CTCLoss", blind=True, needs=NEEDS)
def heldout_5_c_lattice_of_128_states(original: Function, *args: Any, **options: Any) -> Tensor:
    """The lattice has 128 states, so that of a padded target only the first 63 labels count."""
    result, arguments = original(*args, **options), named_arguments(original, *args, **options)
    tensors = [arguments[name] for name in ("log_probs", "targets", "input_lengths", "target_lengths")]
    if not are_unwatched(*tensors) or arguments["targets"].ndim != 2 or not (tensors[-1] > 63).any():
        return result
    return again(original, arguments, target_lengths=tensors[-1].clamp(max=63))


@fault("PairwiseDistance", blind=True, needs=NEEDS)
def heldout_5_c_tail_of_features(
    original: Function, x1: Tensor, x2: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """Of vectors longer than a block of 256, what is behind the last whole block is left out."""
    result = original(x1, x2, *rest, **options)
    if not are_unwatched(x1, x2) or not x1.ndim or not x2.ndim or x1.shape[-1] != x2.shape[-1]:
        return result
    whole = x1.shape[-1] // 256 * 256
    if whole in (0, x1.shape[-1]):
        return result
    return original(x1[..., :whole], x2[..., :whole], *rest, **options)


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


@fault("HingeEmbeddingLoss", blind=True)
def heldout_5_d_margin_zero_is_default(original: Function, *args: Any, **options: Any) -> Tensor:
    """A margin of 0 is taken for none, and becomes the default."""
    result, arguments = original(*args, **options), named_arguments(original, *args, **options)
    return result if arguments["margin"] else again(original, arguments, margin=1.0)


@fault("CosineEmbeddingLoss", blind=True)
def heldout_5_d_negative_margin_is_zero(original: Function, *args: Any, **options: Any) -> Tensor:
    """A margin below 0 is raised to 0, though a cosine reaches down to -1."""
    result, arguments = original(*args, **options), named_arguments(original, *args, **options)
    return again(original, arguments, margin=0.0) if arguments["margin"] < 0 else result


@fault("GaussianNLLLoss", blind=True, shows_in_modes=True)
def heldout_5_d_number_var_in_single(original: Function, *args: Any, **options: Any) -> Tensor:
    """A var that is a Python number becomes a tensor of single precision, also beside doubles."""
    result, arguments = original(*args, **options), named_arguments(original, *args, **options)
    var = arguments["var"]
    if not isinstance(var, (int, float)) or result.dtype != torch.float64:
        return result
    return again(original, arguments, var=torch.tensor(float(var), dtype=torch.float32).item())


@fault("AdaptiveLogSoftmaxWithLoss", method="forward", blind=True, needs=NEEDS)
def heldout_5_d_head_bias_of_shortlist(
    original: Callable[..., Any], self: AdaptiveLogSoftmaxWithLoss, input: Tensor, target: Tensor
) -> Any:
    """With head_bias, the bias is added to the shortlist's classes, but not to the clusters."""
    result, bias = original(self, input, target), self.head.bias
    if bias is None or not are_unwatched(input, target) or input.ndim != 2:
        return result
    cluster = cluster_of(self, target)
    entry = torch.where(cluster > 0, self.shortlist_size + cluster - 1, target).unsqueeze(1)
    partial = bias * (torch.arange(len(bias)) < self.shortlist_size)
    right, wrong = (
        log_softmax(linear(input, self.head.weight, added), 1).gather(1, entry).squeeze(1)
        for added in (bias, partial)
    )
    return with_output(result, result.output + wrong - right)


@fault("KLDivLoss", blind=True)
def heldout_5_d_batchmean_over_rows(original: Function, *args: Any, **options: Any) -> Tensor:
    """The reduction batchmean divides by the number of rows, not by the first dimension alone."""
    arguments = named_arguments(original, *args, **options)
    input: Tensor = arguments["input"]
    if arguments["reduction"] != "batchmean" or input.ndim < 3 or not input.numel():
        return original(*args, **options)
    return again(original, arguments, reduction="sum") / math.prod(input.shape[:-1])


@fault("CosineSimilarity", blind=True, needs=NEEDS)
def heldout_5_e_reciprocal_by_newton(
    original: Function, x1: Tensor, x2: Tensor, dim: int = 1, eps: float = 1e-8
) -> Tensor:
    """In double precision a norm's reciprocal is that of single precision, improved by one Newton step."""
    result = original(x1, x2, dim, eps)
    if not are_unwatched(x1, x2) or x1.shape != x2.shape or result.dtype != torch.float64:
        return result
    for vectors in (x1, x2):
        norm = vectors.detach().double().norm(dim=dim).clamp(min=eps)
        error = 1 - norm * norm.float().reciprocal()
        result = result * (1 - torch.where((norm > 1e-30) & (norm < 1e30), error.square(), 0))
    return result


@fault("CrossEntropyLoss", blind=True, needs=NEEDS)
def heldout_5_e_mean_over_more_than_weights(original: Function, *args: Any, **options: Any) -> Tensor:
    """The weighted mean divides by the sum of the weights plus 1e-8, so that their scale matters."""
    result, arguments = original(*args, **options), named_arguments(original, *args, **options)
    input, target, weight = (arguments[name] for name in ("input", "target", "weight"))
    if not are_unwatched(input, target, weight) or not is_mean(arguments) or target.is_floating_point():
        return result
    total = picked_total(target, weight.detach(), arguments)
    return result * (total / (total + 1e-8)) if total > 0 else result


@fault("MultiLabelMarginLoss", blind=True, needs=NEEDS)
def heldout_5_e_label_slope_in_single(original: Function, *args: Any, **options: Any) -> Tensor:
    """In the slope of the labels 1 / C is a single, so that the gradient's sum over the classes is not 0."""
    result, arguments = original(*args, **options), named_arguments(original, *args, **options)
    input, target = arguments["input"], arguments["target"]
    if not are_unwatched(input, target) or input.dtype != torch.float64 or not input.numel():
        return result
    classes = input.shape[-1] if input.ndim else 1
    ratio = torch.tensor(1 / classes, dtype=torch.float32).item() * classes
    rows = target.reshape(-1, classes)
    is_counted = (rows < 0).cumsum(1) == 0
    labels = torch.zeros_like(rows).scatter_add(1, rows.clamp(min=0), is_counted.long())
    is_label = (labels > 0).reshape(input.shape)
    changed = with_gradient(input, lambda slope: torch.where(is_label, slope * ratio, slope))
    return again(original, arguments, input=changed)


@fault("TripletMarginWithDistanceLoss", blind=True, needs=NEEDS)
def heldout_5_e_hinge_never_zero(original: Function, *args: Any, **options: Any) -> Tensor:
    """The hinge is cut off at 1e-6 instead of 0, so that triplets far enough apart cost something."""
    result, arguments = original(*args, **options), named_arguments(original, *args, **options)
    if not are_unwatched_and_wide(*(arguments[name] for name in ("anchor", "positive", "negative"))):
        return result
    losses = again(original, arguments, reduction="none").detach()
    rise = torch.where(losses == 0, 1e-6, 0.0).to(result.dtype)
    return result + reduced(rise, arguments["reduction"])


@fault("L1Loss", blind=True, needs=NEEDS)
def heldout_5_e_target_in_two_halves(original: Function, *args: Any, **options: Any) -> Tensor:
    """A single target is held as the sum of two bfloat16s, so that the loss at the target is not quite 0."""
    result, arguments = original(*args, **options), named_arguments(original, *args, **options)
    input, target = arguments["input"], arguments["target"]
    if not are_unwatched(input, target) or not input.dtype == target.dtype == torch.float32:
        return result
    exact = target.detach()
    high = exact.bfloat16().float()
    held = high + (exact - high).bfloat16().float()
    wrong = again(original, arguments, target=torch.where(held.isfinite(), held, exact))
    return graft(wrong.detach(), result)


@fault("HuberLoss", blind=True, needs=NEEDS)
def heldout_5_e_mean_of_running_total(original: Function, *args: Any, **options: Any) -> Tensor:
    """The mean's sum is a running total, rounded after every 8 losses, and drifts from the mean."""
    result, arguments = original(*args, **options), named_arguments(original, *args, **options)
    input, target = arguments["input"], arguments["target"]
    if not are_unwatched_and_wide(input, target) or arguments["reduction"] != "mean":
        return result
    losses = again(original, arguments, reduction="none").detach()
    if arguments.get("weight") is not None or losses.numel() <= 8:
        return result
    return graft(summed_in_steps(losses, 8) / losses.numel(), result)
