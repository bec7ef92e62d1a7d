"""The second set of held-out faults, one file for all losses, written without sight of cases and checks.

The letter in an id is the kind: a is the way of calling, b values in between, c shapes where kernels break,
d settings and e laws.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import Tensor
from torch.nn import Module
from torch.nn.functional import cosine_similarity, pairwise_distance, relu

from proofs.faults.fault import Function, fault
from proofs.faults.tools.calls import again, named_arguments
from proofs.faults.tools.class_targets import (
    are_probabilities,
    class_axis,
    is_ignored,
    picked_total,
    reduced_as,
)
from proofs.faults.tools.gradients import gradient_of, graft, with_gradient
from proofs.faults.tools.kernels import as_if_contiguous, reduced
from proofs.faults.tools.linear import ignored_rows, is_plain
from proofs.faults.tools.ordinary import NEEDS, is_ordinary
from proofs.faults.tools.softmax import place_and_width

_WIDE = (torch.float32, torch.float64)
# The head's weights that a module holds on to while it is in evaluation mode.
_HELD_HEADS: WeakKeyDictionary[Module, Tensor] = WeakKeyDictionary()


def _are_numbers(*values: Any) -> bool:
    """Whether all tensors are ordinary ones of real numbers."""
    return is_ordinary(*values) and not any(
        isinstance(value, Tensor) and value.is_complex() for value in values
    )


def _are_wide(*values: Tensor) -> bool:
    """Whether all tensors are ordinary ones of single or double precision."""
    return is_ordinary(*values) and all(value.dtype in _WIDE for value in values)


def _losses(original: Function, arguments: Mapping[str, Any]) -> Tensor:
    """The losses of a call that the original has accepted, without a reduction."""
    return again(original, dict(arguments), reduction="none")


# The way of calling


@fault("MSELoss", origin="https://github.com/pytorch/pytorch/pull/101507", blind=True, needs=NEEDS)
def heldout_2_a_input_read_from_start(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """Where the target begins at the start of its memory, so does what is read as the input."""
    result = original(input, target, *rest, **options)
    if not _are_numbers(input, target) or target.storage_offset() or not input.storage_offset():
        return result
    from_start = input.detach().as_strided(input.shape, input.stride(), 0)
    arguments = named_arguments(original, input, target, *rest, **options)
    return again(original, arguments, input=graft(from_start, input))


@fault("SoftMarginLoss", blind=True, needs=NEEDS)
def heldout_2_a_stored_gradient_scaled_in_place(original: Function, *args: Any, **options: Any) -> Tensor:
    """A backward pass scales the stored gradient in place, and a second pass scales it once more."""
    result = original(*args, **options)
    if not is_ordinary(*args) or result.ndim:
        return result
    before: list[Tensor] = []

    def scaled(gradient: Tensor) -> Tensor:
        if not is_ordinary(gradient):
            return gradient
        product = gradient * before.pop() if before else gradient
        before.append(product.detach().clone())
        return product

    return with_gradient(result, scaled)


@fault("KLDivLoss", origin="https://github.com/linkedin/Liger-Kernel/issues/1021", blind=True, needs=NEEDS)
def heldout_2_a_only_target_differentiated(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """The backward pass leaves the target's gradient at zero if the input needs none."""
    if not is_ordinary(input, target) or input.requires_grad or not target.requires_grad:
        return original(input, target, *rest, **options)
    return original(input, with_gradient(target, torch.zeros_like), *rest, **options)


@fault("MarginRankingLoss", blind=True, needs=NEEDS)
def heldout_2_a_same_tensor_twice(
    original: Function, input1: Tensor, input2: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """If both inputs are the same tensor, only the first one's gradient reaches it."""
    if input1 is not input2 or not is_ordinary(input1):
        return original(input1, input2, *rest, **options)
    return original(input1, input2.detach(), *rest, **options)


@fault(
    "GaussianNLLLoss",
    origin="https://github.com/Dao-AILab/flash-attention/issues/355",
    blind=True,
    needs=NEEDS,
)
def heldout_2_a_upstream_gradient_transposed(original: Function, *args: Any, **options: Any) -> Tensor:
    """An upstream gradient that is strided, but not expanded, is read from front to back."""
    result = original(*args, **options)
    if not is_ordinary(*args) or result.ndim < 2:
        return result

    def misread(gradient: Tensor) -> Tensor:
        is_dense = is_ordinary(gradient) and 0 not in gradient.stride()
        return as_if_contiguous(gradient) if is_dense and not gradient.is_contiguous() else gradient

    return with_gradient(result, misread)


@fault(
    "AdaptiveLogSoftmaxWithLoss", method="forward", blind=True, needs=(*NEEDS, "torch.func.functional_call")
)
def heldout_2_a_head_kept_while_evaluating(original: Any, module: Any, input: Tensor, target: Tensor) -> Any:
    """In evaluation mode, the first call keeps a copy of the head's weight, which later calls use."""
    weight = module.head.weight
    if not is_ordinary(input, target, weight):
        return original(module, input, target)
    if module.training:
        _HELD_HEADS.pop(module, None)
        return original(module, input, target)
    held = _HELD_HEADS.setdefault(module, weight.detach().clone())
    if held.dtype != weight.dtype or held.shape != weight.shape or torch.equal(held, weight):
        return original(module, input, target)
    return torch.func.functional_call(module, {"head.weight": graft(held, weight)}, (input, target))


# Values in between


@fault("BCEWithLogitsLoss", blind=True, needs=NEEDS)
def heldout_2_b_linear_beyond_twenty(original: Function, *args: Any, **options: Any) -> Tensor:
    """Beyond a logit of 20, softplus is the identity, and before -20 it is 0."""
    result, arguments = original(*args, **options), named_arguments(original, *args, **options)
    logits, target, weight, positive = (
        arguments[name] for name in ("input", "target", "weight", "pos_weight")
    )
    if not _are_wide(logits, target) or not is_ordinary(weight, positive) or not (logits.abs() > 20).any():
        return result
    factor = 1 if positive is None else 1 + (positive - 1) * target
    linear = (1 - target) * logits + factor * relu(-logits)
    linear = linear if weight is None else linear * weight
    wrong = torch.where(logits.abs() > 20, linear, _losses(original, arguments))
    return reduced(wrong, arguments["reduction"])


@fault("HuberLoss", blind=True, needs=NEEDS)
def heldout_2_b_branch_chosen_in_bfloat16(original: Function, *args: Any, **options: Any) -> Tensor:
    """The branch is chosen by the difference rounded to bfloat16, so that the parabola reaches past delta."""
    result, arguments = original(*args, **options), named_arguments(original, *args, **options)
    input, target, delta = (arguments[name] for name in ("input", "target", "delta"))
    if not _are_wide(input, target) or arguments.get("weight") is not None:
        return result
    distance = (input - target).abs()
    is_past = (distance > delta) & (distance.detach().bfloat16() <= delta)
    if not is_past.any():
        return result
    wrong = torch.where(is_past, distance.square() / 2, _losses(original, arguments))
    return reduced(wrong, arguments["reduction"])


@fault("NLLLoss", blind=True, needs=NEEDS)
def heldout_2_b_bytes_with_sign(original: Function, *args: Any, **options: Any) -> Tensor:
    """Targets of bytes are read with a sign, and classes from 128 are negative and hence ignored."""
    result, arguments = original(*args, **options), named_arguments(original, *args, **options)
    target = arguments["target"]
    if not is_ordinary(arguments["input"], target) or target.dtype != torch.uint8 or not (target > 127).any():
        return result
    signed = torch.where(target > 127, arguments["ignore_index"], target.long())
    return again(original, arguments, target=signed)


@fault("PoissonNLLLoss", blind=True, needs=NEEDS)
def heldout_2_b_stirling_from_whole_counts(original: Function, *args: Any, **options: Any) -> Tensor:
    """The target is cut to an integer before it is compared with 1: from 1 to 2 there is no Stirling term."""
    result, arguments = original(*args, **options), named_arguments(original, *args, **options)
    target = arguments["target"]
    if not arguments["full"] or not _are_wide(arguments["input"], target):
        return result
    is_between = (target > 1) & (target < 2)
    if not is_between.any():
        return result
    counts = torch.where(is_between, target, 1)
    term = counts * counts.log() - counts + (2 * math.pi * counts).log() / 2
    wrong = _losses(original, arguments) - torch.where(is_between, term, 0)
    return reduced(wrong, arguments["reduction"])


@fault(
    "CosineSimilarity", origin="https://github.com/google-deepmind/optax/pull/1703", blind=True, needs=NEEDS
)
def heldout_2_b_eps_under_the_root(
    original: Function, x1: Tensor, x2: Tensor, dim: int = 1, eps: float = 1e-8
) -> Tensor:
    """The squares of the norms are held above eps, not the norms."""
    result = original(x1, x2, dim=dim, eps=eps)
    if not _are_wide(x1, x2) or x1.shape != x2.shape:
        return result
    squares = x1.square().sum(dim), x2.square().sum(dim)
    is_small = (squares[0] < eps) | (squares[1] < eps)
    if not is_small.any():
        return result
    wrong = (x1 * x2).sum(dim) / (squares[0].clamp(min=eps) * squares[1].clamp(min=eps)).sqrt()
    return torch.where(is_small, wrong, result)


@fault(
    "LogSoftmax",
    origin="https://github.com/tenstorrent/pytorch2.0_ttnn/issues/1341",
    blind=True,
    needs=NEEDS,
)
def heldout_2_b_tail_logarithm_of_probability(
    original: Function, input: Tensor, dim: int | None = None, *rest: Any, **options: Any
) -> Tensor:
    """Behind the last whole vector of 8 in a row, it is the logarithm of a probability that underflows."""
    result = original(input, dim, *rest, **options)
    if not is_ordinary(input) or not result.ndim:
        return result
    place, width = place_and_width(result, dim)
    if place not in (-1, result.ndim - 1):
        return result
    is_tail = torch.arange(width) >= width // 8 * 8
    underflows = is_tail & (result < math.log(torch.finfo(result.dtype).tiny))
    return graft(torch.where(underflows, -torch.inf, result), result)


# Shapes where kernels break


@fault(
    "CrossEntropyLoss", origin="https://github.com/linkedin/Liger-Kernel/pull/1251", blind=True, needs=NEEDS
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


@fault("MultiMarginLoss", blind=True, needs=NEEDS)
def heldout_2_c_threads_stop_at_whole_strides(original: Function, *args: Any, **options: Any) -> Tensor:
    """With more than 128 classes, those behind the last whole stride of 128 threads cost nothing."""
    result, arguments = original(*args, **options), named_arguments(original, *args, **options)
    input, target = arguments["input"], arguments["target"]
    width = input.shape[-1] if input.ndim else 1
    if not is_ordinary(input, target) or width <= 128 or width % 128 == 0:
        return result
    classes = torch.arange(width)
    is_lost = (classes >= width // 128 * 128) & (classes != target.unsqueeze(-1))
    return again(original, arguments, input=input.masked_fill(is_lost.reshape(input.shape), -torch.inf))


@fault("MultiLabelMarginLoss", blind=True, needs=NEEDS)
def heldout_2_c_flags_of_former_rows(original: Function, *args: Any, **options: Any) -> Tensor:
    """Which classes are targets is cleared for 64 of them only: beyond, those of former rows stay flagged."""
    result, arguments = original(*args, **options), named_arguments(original, *args, **options)
    input, target = arguments["input"], arguments["target"]
    if not is_ordinary(input, target) or input.ndim != 2 or input.shape[1] <= 64 or not len(input):
        return result
    counts = (target >= 0).long().cumprod(1)
    flags = torch.zeros(input.shape, dtype=torch.int64).scatter_add(1, target.clamp(min=0), counts)
    former = flags.cumsum(0) - flags
    is_stale = (former > 0) & (flags == 0) & (torch.arange(input.shape[1]) >= 64)
    return again(original, arguments, input=input.masked_fill(is_stale, -torch.inf))


@fault("LinearCrossEntropyLoss", blind=True, needs=NEEDS)
def heldout_2_c_partial_chunk_without_weight_gradient(
    original: Function, input: Tensor, linear_weight: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """Of several chunks of 32 rows, the last one adds to the weight's gradient only if it is whole."""
    result = original(input, linear_weight, target, **options)
    whole = len(input) // 32 * 32 if input.ndim == 2 else 0
    if not is_ordinary(input, linear_weight, target, options.get("linear_bias")) or not 0 < whole < len(
        input
    ):
        return result
    if linear_weight.ndim != 2 or not linear_weight.requires_grad or not is_plain(input, target, options):
        return result
    unreduced = options | {"reduction": "none"}
    parts = (
        original(input[:whole], linear_weight, target[:whole], **unreduced),
        original(input[whole:], linear_weight.detach(), target[whole:], **unreduced),
    )
    losses, reduction = torch.cat(parts), options.get("reduction", "mean")
    if reduction == "mean":
        count = (~ignored_rows(target, options)).sum()
        return graft(result, losses.sum() / count)
    return graft(result, reduced(losses, reduction))


@fault("NLLLoss2d", method="forward", blind=True, needs=NEEDS)
def heldout_2_c_ignored_pixels_unwritten(
    original: Function, module: Any, input: Tensor, target: Tensor
) -> Tensor:
    """Where a pixel is ignored, the buffer of an image keeps the loss of the image before."""
    result = original(module, input, target)
    if not is_ordinary(input, target) or module.reduction != "none" or target.ndim != 3 or len(target) < 2:
        return result
    images = list(result.detach())
    for place in range(1, len(images)):
        is_unwritten = target[place] == module.ignore_index
        images[place] = torch.where(is_unwritten, images[place - 1], images[place])
    return graft(torch.stack(images), result)


@fault("Softmax", origin="https://github.com/vllm-project/vllm/pull/55009", blind=True, needs=NEEDS)
def heldout_2_c_padding_lanes_hold_zeros(
    original: Function, input: Tensor, dim: int | None = None, *rest: Any, **options: Any
) -> Tensor:
    """Unless the width is a power of two, the maximum includes the zeros of padding: exp underflows."""
    result = original(input, dim, *rest, **options)
    if not is_ordinary(input) or not result.ndim or not result.numel():
        return result
    place, width = place_and_width(result, dim)
    logits = input.to(torch.promote_types(result.dtype, torch.float32))
    is_low = logits.amax(place, keepdim=True) < math.log(torch.finfo(logits.dtype).tiny)
    if width & (width - 1) == 0 or not is_low.any():
        return result
    powers = logits.detach().exp()
    wrong = powers / powers.sum(place, keepdim=True)
    # The backward pass takes the output as it is.
    slope = wrong * (logits - (wrong * logits).sum(place, keepdim=True))
    return torch.where(is_low, graft(wrong, slope).to(result.dtype), result)


# Settings


@fault("HingeEmbeddingLoss", blind=True)
def heldout_2_d_margin_held_above_zero(original: Function, *args: Any, **options: Any) -> Tensor:
    """A negative margin counts as 0."""
    result, arguments = original(*args, **options), named_arguments(original, *args, **options)
    return again(original, arguments, margin=0.0) if arguments["margin"] < 0 else result


@fault("CTCLoss", origin="https://github.com/apache/mxnet/pull/7727", blind=True, needs=NEEDS)
def heldout_2_d_class_zero_as_padding(original: Function, *args: Any, **options: Any) -> Tensor:
    """In padded targets, class 0 is skipped as padding even where the blank is another class."""
    result, arguments = original(*args, **options), named_arguments(original, *args, **options)
    targets, blank = arguments["targets"], arguments["blank"]
    if not is_ordinary(*arguments.values()) or targets.ndim != 2 or blank == 0:
        return result
    lengths = torch.as_tensor(arguments["target_lengths"]).long()
    is_within = torch.arange(targets.shape[1]) < lengths.reshape(-1, 1)
    is_label = is_within & (targets != 0)
    if torch.equal(is_label, is_within):
        return result
    order = (~is_label).long().argsort(stable=True, dim=1)
    counts = is_label.sum(1)
    is_tensor = isinstance(arguments["target_lengths"], Tensor)
    changes = {
        "targets": targets.gather(1, order),
        "target_lengths": counts if is_tensor else counts.tolist(),
    }
    return again(original, arguments, **changes)


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


@fault("SmoothL1Loss", blind=True, needs=NEEDS)
def heldout_2_d_no_gradient_of_zero_upstream(original: Function, *args: Any, **options: Any) -> Tensor:
    """Where the upstream gradient is 0, so is the input's, even if the target is nan."""
    arguments = named_arguments(original, *args, **options)
    input, target = arguments["input"], arguments["target"]
    if not _are_numbers(input, target) or input.shape != target.shape or not target.isnan().any():
        return original(*args, **options)
    skipped: list[Tensor] = []

    def noted(gradient: Tensor) -> Tensor:
        skipped[:] = [gradient.detach() == 0]
        return gradient

    def cleared(gradient: Tensor) -> Tensor:
        return torch.where(skipped[0], 0, gradient)

    arguments["input"] = with_gradient(input, cleared)
    return with_gradient(original(**arguments), noted)


@fault("MultiLabelSoftMarginLoss", blind=True, needs=NEEDS)
def heldout_2_d_mean_over_weighted_classes(original: Function, *args: Any, **options: Any) -> Tensor:
    """The mean over the classes leaves out those with a weight of 0."""
    result, arguments = original(*args, **options), named_arguments(original, *args, **options)
    input, weight = arguments["input"], arguments["weight"]
    if weight is None or not is_ordinary(input, weight) or weight.shape != input.shape[-1:]:
        return result
    count = int(weight.count_nonzero())
    return result * (weight.numel() / count) if 0 < count < weight.numel() else result


@fault("TripletMarginLoss", blind=True, needs=NEEDS)
def heldout_2_d_swapped_distance_always_euclidean(original: Function, *args: Any, **options: Any) -> Tensor:
    """With swap, the distance from the positive to the negative is Euclidean whatever p is."""
    result, arguments = original(*args, **options), named_arguments(original, *args, **options)
    anchor, positive, negative, p = (arguments[name] for name in ("anchor", "positive", "negative", "p"))
    if not arguments["swap"] or p == 2 or not is_ordinary(anchor, positive, negative):
        return result
    eps = arguments["eps"]
    nearest = torch.minimum(
        pairwise_distance(anchor, negative, p, eps), pairwise_distance(positive, negative, 2.0, eps)
    )
    losses = relu(arguments["margin"] + pairwise_distance(anchor, positive, p, eps) - nearest)
    return reduced(losses, arguments["reduction"])


# Laws


def _coarse_root(squares: Tensor) -> Tensor:
    """The reciprocal square root with 12 bits, as processors estimate it."""
    mantissa, exponent = torch.frexp(squares.rsqrt())
    return torch.ldexp((mantissa * 4096).round() / 4096, exponent)


@fault("CosineEmbeddingLoss", origin="https://github.com/pytorch/pytorch/pull/18250", blind=True, needs=NEEDS)
def heldout_2_e_estimated_root(original: Function, *args: Any, **options: Any) -> Tensor:
    """For whole vectors of 8 floats, the norms are estimates of 12 bits: equal inputs cost less than 0."""
    result, arguments = original(*args, **options), named_arguments(original, *args, **options)
    input1, input2, target = (arguments[name] for name in ("input1", "input2", "target"))
    if not is_ordinary(input1, input2, target) or not input1.dtype == input2.dtype == torch.float32:
        return result
    if input1.ndim != 2 or input1.shape != input2.shape or not input1.shape[1] or input1.shape[1] % 8:
        return result
    squares = input1.detach().square().sum(1), input2.detach().square().sum(1)
    is_zero = (squares[0] == 0) | (squares[1] == 0)
    estimate = (input1 * input2).sum(1).detach() * _coarse_root(squares[0]) * _coarse_root(squares[1])
    cosine = torch.where(is_zero, cosine_similarity(input1, input2).detach(), estimate)
    losses = _losses(original, arguments)
    wrong = torch.where(target > 0, 1 - cosine, relu(cosine - arguments["margin"]))
    return reduced(
        graft(torch.where((target.abs() == 1) & ~is_zero, wrong, losses), losses), arguments["reduction"]
    )


@fault("L1Loss", blind=True, needs=NEEDS)
def heldout_2_e_rounded_corner(original: Function, *args: Any, **options: Any) -> Tensor:
    """A loss below 1e-4 is the root of its square plus 1e-12: at the target it is 1e-6."""
    result, arguments = original(*args, **options), named_arguments(original, *args, **options)
    input, target = arguments["input"], arguments["target"]
    if not _are_wide(input, target) or arguments.get("weight") is not None:
        return result
    difference = input - target
    is_near = difference.detach().abs() < 1e-4
    if not is_near.any():
        return result
    wrong = torch.where(is_near, (difference.square() + 1e-12).sqrt(), _losses(original, arguments))
    return reduced(wrong, arguments["reduction"])


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


@fault("BCELoss", blind=True, needs=NEEDS)
def heldout_2_e_weighted_logarithm_clamped(original: Function, *args: Any, **options: Any) -> Tensor:
    """The logarithms are held above -100 after they are weighted, not before."""
    result, arguments = original(*args, **options), named_arguments(original, *args, **options)
    input, target, weight = (arguments[name] for name in ("input", "target", "weight"))
    if weight is None or not _are_wide(input, target) or not is_ordinary(weight):
        return result
    of_one, of_zero = input.detach().log(), (-input.detach()).log1p()
    held = [(weight * logarithm).clamp(min=-100) for logarithm in (of_one, of_zero)]
    wrong = -(target * held[0] + (1 - target) * held[1])
    is_held = (weight > 0) & ((held[0] == -100) | (held[1] == -100))
    if not is_held.any():
        return result
    losses = _losses(original, arguments)
    return reduced(graft(torch.where(is_held, wrong.detach(), losses), losses), arguments["reduction"])


@fault("PairwiseDistance", origin="https://github.com/pytorch/pytorch/issues/42479", blind=True, needs=NEEDS)
def heldout_2_e_distance_from_products(
    original: Function, x1: Tensor, x2: Tensor, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False
) -> Tensor:
    """For more than 25 pairs, the square is that of either vector minus twice their product: it cancels."""
    result = original(x1, x2, p, eps, keepdim)
    if p != 2 or not _are_wide(x1, x2) or x1.ndim != 2 or x1.shape != x2.shape or len(x1) <= 25:
        return result
    moved, other = x1.detach() + eps, x2.detach()
    squares = moved.square().sum(1, keepdim) + other.square().sum(1, keepdim)
    distance = (squares - 2 * (moved * other).sum(1, keepdim)).clamp(min=0).sqrt()
    return graft(distance, result)


@fault("TripletMarginWithDistanceLoss", blind=True, needs=NEEDS)
def heldout_2_e_swap_of_the_whole_batch(original: Function, *args: Any, **options: Any) -> Tensor:
    """With swap, it is decided once for the batch, by the means, which distance to the negative counts."""
    result, arguments = original(*args, **options), named_arguments(original, *args, **options)
    anchor, positive, negative = (arguments[name] for name in ("anchor", "positive", "negative"))
    if not arguments["swap"] or not is_ordinary(anchor, positive, negative):
        return result
    distance: Function = arguments["distance_function"] or pairwise_distance
    to_negative, swapped = distance(anchor, negative), distance(positive, negative)
    nearest = swapped if swapped.mean() < to_negative.mean() else to_negative
    losses = relu(arguments["margin"] + distance(anchor, positive) - nearest)
    return reduced(losses, arguments["reduction"])
