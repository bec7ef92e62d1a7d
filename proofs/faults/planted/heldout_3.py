"""Faults of five kinds, written without sight of the cases."""

from __future__ import annotations

import math
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import Tensor
from torch.nn.functional import linear, log_softmax

from proofs.faults.fault import Function, fault
from proofs.faults.tools.adaptive_softmax import cluster_of, with_output
from proofs.faults.tools.blocks import is_plain, with_error
from proofs.faults.tools.calls import again, named_arguments
from proofs.faults.tools.class_targets import is_ignored, is_mean, is_smoothed
from proofs.faults.tools.gradients import graft, with_gradient
from proofs.faults.tools.ordinary import NEEDS, are_real, are_wide, is_ordinary, reduction_of
from proofs.faults.tools.softmax import place_and_width
from proofs.faults.tools.triplets import Triplets
from proofs.faults.tools.vectors import as_asked


def _are_ordinary(*values: Any) -> bool:
    """Whether all are ordinary tensors, which neither a compiler nor a mode of torch's functions watches."""
    is_watched = torch.compiler.is_compiling() or torch.overrides.has_torch_function(values)
    return not is_watched and all(isinstance(value, Tensor) for value in values) and is_ordinary(*values)


def _are_wide(*values: Any) -> bool:
    """Whether all are ordinary tensors of single or double precision."""
    return _are_ordinary(*values) and are_wide(*values)


# A. The way of calling.


@fault(
    "LinearCrossEntropyLoss",
    origin="https://github.com/Dao-AILab/quack/pull/209",
    blind=True,
    shows_in_modes=True,
    needs=NEEDS,
)
def heldout_3_a_saved_gradient_scaled_again(
    original: Function, input: Tensor, linear_weight: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """A backward pass scales the saved gradient of the input in place, so that a second one scales twice."""
    if reduction_of(options) == "none" or not _are_ordinary(input, linear_weight, target):
        return original(input, linear_weight, target, **options)
    scales: list[Tensor] = []

    def remembered(upstream: Tensor) -> Tensor:
        scales.append(upstream.detach())
        return upstream

    def scaled_again(gradient: Tensor) -> Tensor:
        for scale in scales[:-1]:
            gradient = gradient * scale
        return gradient

    result = original(with_gradient(input, scaled_again), linear_weight, target, **options)
    return with_gradient(result, remembered)


@fault("MarginRankingLoss", blind=True, shows_in_modes=True)
def heldout_3_a_same_tensor_twice(
    original: Function, input1: Tensor, input2: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """If both inputs are the same tensor, its gradient is that of the first one alone."""
    return original(input1, input2.detach() if input1 is input2 else input2, target, **options)


@fault(
    "KLDivLoss",
    origin="https://github.com/google-deepmind/optax/pull/473",
    blind=True,
    shows_in_modes=True,
    needs=NEEDS,
)
def heldout_3_a_zero_target_without_grad_mode(
    original: Function, input: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """Where no gradient is recorded, a fused kernel multiplies a target of 0 by its logarithm."""
    result = original(input, target, **options)
    is_other = torch.is_grad_enabled() or options.get("log_target") or not _are_ordinary(input, target)
    if is_other or not target.is_floating_point():
        return result
    spoilt = torch.where(target == 0, math.nan, 0.0).to(result.dtype)
    return result + (spoilt if reduction_of(options) == "none" else spoilt.sum())


_FIRST_HEADS: WeakKeyDictionary[Any, Tensor] = WeakKeyDictionary()


@fault("AdaptiveLogSoftmaxWithLoss", method="forward", blind=True, shows_in_modes=True, needs=NEEDS)
def heldout_3_a_head_of_first_call(original: Function, module: Any, input: Tensor, target: Tensor) -> Any:
    """The head's weight is packed in the first call, and not again when another state is loaded."""
    result: Any = original(module, input, target)
    weight = module.head.weight
    if not _are_ordinary(input, target, weight):
        return result
    packed = _FIRST_HEADS.setdefault(module, weight.detach().clone())
    if packed.shape != weight.shape or packed.dtype != weight.dtype:
        return result
    cluster = cluster_of(module, target)
    entry = torch.where(cluster > 0, module.shortlist_size + cluster - 1, target).unsqueeze(-1)

    def of_head(head: Tensor) -> Tensor:
        log_p = log_softmax(linear(input.detach(), head, module.head.bias), dim=-1)
        return log_p.gather(-1, entry).squeeze(-1).detach()

    return with_output(result, result.output + of_head(packed) - of_head(weight.detach()))


_WORKSPACE: dict[str, Tensor] = {}


@fault("BCEWithLogitsLoss", blind=True, shows_in_modes=True, needs=NEEDS)
def heldout_3_a_workspace_of_latest_call(
    original: Function, input: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """The sigmoid is saved in a workspace of the loss, which the next call of the same shape overwrites."""
    is_weighted = options.get("weight") is not None or options.get("pos_weight") is not None
    if is_weighted or not _are_ordinary(input, target) or not input.is_floating_point():
        return original(input, target, **options)
    mine = input.detach().sigmoid()
    upstreams: list[Tensor] = []

    def remembered(upstream: Tensor) -> Tensor:
        upstreams.append(upstream.detach())
        return upstream

    def of_workspace(gradient: Tensor) -> Tensor:
        latest = _WORKSPACE["sigmoid"]
        if latest is mine or latest.shape != mine.shape or latest.dtype != mine.dtype:
            return gradient
        share = upstreams[-1] / (mine.numel() if reduction_of(options) == "mean" else 1)
        return gradient + share * (latest - mine)

    result = original(with_gradient(input, of_workspace), target, **options)
    _WORKSPACE["sigmoid"] = mine
    return with_gradient(result, remembered)


@fault("SmoothL1Loss", blind=True, shows_in_modes=True, needs=NEEDS)
def heldout_3_a_grad_overwritten(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """The backward pass writes over what the input's grad already holds, instead of adding to it."""
    if not _are_ordinary(input, target) or not (input.is_leaf and input.requires_grad):
        return original(input, target, **options)

    def written_over(gradient: Tensor) -> Tensor:
        return gradient if input.grad is None else gradient - input.grad.detach()

    return original(with_gradient(input, written_over), target, **options)


# B. Values between.


@fault("SoftMarginLoss", blind=True, needs=NEEDS)
def heldout_3_b_threshold_of_single_in_double(
    original: Function, input: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """Below -15, log(1 + exp(-z)) is taken to be -z, which is right in single precision alone."""
    result = original(input, target, **options)
    if not _are_wide(input, target) or result.dtype != torch.float64:
        return result
    margin = input * target
    is_linear = (margin < -15) & margin.isfinite()
    missing = torch.where(is_linear, margin, -math.inf).exp().log1p()
    return result - as_asked(missing, options)


@fault("MultiLabelMarginLoss", blind=True, needs=NEEDS)
def heldout_3_b_classes_in_signed_bytes(
    original: Function, input: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """The target classes are packed into signed bytes, so that a class from 128 on ends the list."""
    result = original(input, target, **options)
    if not _are_ordinary(input, target):
        return result
    packed = target.to(torch.int8).to(target.dtype).clamp(min=-1)
    return again(original, named_arguments(original, input, target, **options), target=packed)


@fault("BCELoss", blind=True, needs=NEEDS)
def heldout_3_b_logarithm_of_rounded_complement(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """The logarithm of 1 - x takes the rounded difference, which loses small probabilities."""
    result = original(input, target, *rest, **options)
    weight = rest[0] if rest else options.get("weight")
    if not _are_wide(input, target) or input.shape != target.shape or weight is not None:
        return result
    x, y = input.detach(), target.detach()
    error = (1 - y) * ((-x).log1p() - (1 - x).log())
    return result + as_asked(torch.where(x < 0.25, error, 0), options).to(result.dtype)


@fault("CosineSimilarity", origin="https://github.com/elixir-nx/axon/pull/226", blind=True, needs=NEEDS)
def heldout_3_b_eps_below_product_of_norms(
    original: Function, x1: Tensor, x2: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """The product of the norms, rather than each norm, is at least eps."""
    result = original(x1, x2, *rest, **options)
    if not _are_wide(x1, x2):
        return result
    dim = rest[0] if rest else options.get("dim", 1)
    eps = rest[1] if len(rest) > 1 else options.get("eps", 1e-8)
    first, second = torch.broadcast_tensors(x1.detach(), x2.detach())  # type: ignore[no-untyped-call]  # torch's
    norms = first.norm(dim=dim), second.norm(dim=dim)
    product = norms[0] * norms[1]
    ratio = norms[0].clamp(min=eps) * norms[1].clamp(min=eps) / product.clamp(min=eps)
    is_wrong = (product < eps) & ratio.isfinite()
    return result * torch.where(is_wrong, ratio, 1)


@fault("PoissonNLLLoss", blind=True, needs=NEEDS)
def heldout_3_b_stirling_from_two_on(
    original: Function, input: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """With full, the target is truncated before it is compared with 1, so Stirling's term begins at 2."""
    result = original(input, target, **options)
    if not options.get("full") or not _are_wide(input, target):
        return result
    count = target.detach()
    stirling = count * count.log() - count + (2 * math.pi * count).log() / 2
    missing = torch.where((count > 1) & (count < 2), stirling, 0) + torch.zeros_like(input.detach())
    return result - as_asked(missing, options)


@fault(
    "MultiLabelSoftMarginLoss",
    origin="https://github.com/pytorch/pytorch/issues/9141",
    blind=True,
    needs=NEEDS,
)
def heldout_3_b_tail_of_vectors_unstable(
    original: Function, input: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """The scalar loop behind the last vector of 8 takes the logarithm of 1 + exp, which overflows."""
    result = original(input, target, **options)
    if options.get("weight") is not None or not _are_wide(input, target) or input.shape != target.shape:
        return result
    x, y = input.detach(), target.detach()
    is_tail = torch.arange(x.numel()).reshape(x.shape) >= x.numel() // 8 * 8
    positive = torch.where(is_tail & (-x).exp().isinf() & x.isfinite(), y * math.inf, 0)
    negative = torch.where(is_tail & x.exp().isinf() & x.isfinite(), (1 - y) * math.inf, 0)
    return result + as_asked((positive + negative).mean(-1), options)


# C. Shapes at which kernels break.


@fault("Softmax", origin="https://github.com/vllm-project/vllm/pull/55009", blind=True, needs=NEEDS)
def heldout_3_c_padding_in_maximum(original: Function, input: Tensor, *rest: Any, **options: Any) -> Tensor:
    """Rows that do not fill a power of two are padded with zeros, which count for the maximum."""
    result = original(input, *rest, **options)
    place, width = place_and_width(result, rest[0] if rest else options.get("dim"))
    if not _are_wide(input, result) or input.dtype != result.dtype or width & (width - 1) == 0:
        return result
    logits = input.detach()
    is_low = logits.amax(place, keepdim=True) < -50
    powers = logits.exp()
    return graft(torch.where(is_low, powers / powers.sum(place, keepdim=True), result), result)


@fault("CrossEntropyLoss", blind=True, needs=NEEDS)
def heldout_3_c_target_first_in_later_block(
    original: Function, input: Tensor, target: Tensor, weight: Tensor | None = None, **options: Any
) -> Tensor:
    """Where the target is the first class of a later block of 256, no block finds its logit."""
    is_simple = _are_ordinary(input, target) and is_plain(input, target, weight, options)
    if not is_simple or input.shape[1] <= 256:
        return original(input, target, weight, **options)
    place = target.long().clamp(0, input.shape[1] - 1)
    logit = input.detach().gather(1, place.unsqueeze(1)).squeeze(1)
    return with_error(
        original, torch.where((place > 0) & (place % 256 == 0), logit, 0), input, target, options
    )


@fault("NLLLoss2d", method="forward", blind=True, needs=NEEDS)
def heldout_3_c_pixels_beyond_whole_blocks(
    original: Function, module: Any, input: Tensor, target: Tensor
) -> Tensor:
    """The blocks of 1024 pixels of a map are counted rounded down, at least 1: the last pixels are lost."""
    result = original(module, input, target)
    size = math.prod(target.shape[1:])
    is_reduced = input.ndim == 4 and module.reduction != "none"
    is_indexed = _are_ordinary(input, target) and target.dtype == torch.int64
    if not is_reduced or not is_indexed or size < 1024 or size % 1024 == 0:
        return result
    is_lost = torch.arange(size).reshape(target.shape[1:]) >= size // 1024 * 1024
    return original(module, input, torch.where(is_lost, module.ignore_index, target))


@fault("TripletMarginLoss", blind=True, needs=NEEDS)
def heldout_3_c_swapped_distance_of_first_block(
    original: Function, anchor: Tensor, positive: Tensor, negative: Tensor, **options: Any
) -> Tensor:
    """With swap, the distance of positive and negative covers only the first 512 components."""
    result = original(anchor, positive, negative, **options)
    is_wide = _are_wide(anchor, positive, negative) and anchor.shape[-1:].numel() > 512
    if not options.get("swap") or not is_wide or not positive.shape == negative.shape == anchor.shape:
        return result
    triplets = Triplets(anchor, positive, negative, **options)
    right = triplets.excess().clamp(min=0)
    first = Triplets(anchor[..., :512], positive[..., :512], negative[..., :512], **options)
    triplets.swapped = first.swapped
    return result + triplets.total(triplets.excess().clamp(min=0) - right)


@fault("CTCLoss", origin="https://github.com/pytorch/pytorch/issues/27442", blind=True, needs=NEEDS)
def heldout_3_c_backward_of_first_labels(original: Function, *args: Any, **options: Any) -> Tensor:
    """The backward kernel, but not the forward one, knows of the first 127 labels of a target only."""
    result = original(*args, **options)
    if not _are_ordinary(*args[:4]):
        return result
    arguments = named_arguments(original, *args, **options)
    targets, lengths, reduction = (arguments[name] for name in ("targets", "target_lengths", "reduction"))
    if targets.ndim == 1 and arguments["log_probs"].ndim == 3:
        return result
    losses = again(original, arguments, target_lengths=lengths.clamp(max=127), reduction="none")
    if reduction == "mean":
        losses = (losses / lengths.reshape(losses.shape).clamp(min=1)).mean()
    return graft(result, losses.sum() if reduction == "sum" else losses)


@fault("HuberLoss", blind=True, needs=NEEDS)
def heldout_3_c_gradient_of_broadcast_target(original: Function, *args: Any, **options: Any) -> Tensor:
    """The gradient of a target that is broadcast along the rows is summed over the first 64 of them."""
    result = original(*args, **options)
    if not _are_ordinary(*args[:2]):
        return result
    arguments = named_arguments(original, *args, **options)
    input, target = arguments["input"], arguments["target"]
    if not are_real(input, target) or not target.requires_grad or input.ndim < 2 or len(input) <= 64:
        return result
    is_broadcast = target.ndim < input.ndim or len(target) == 1
    if not is_broadcast or (input + target).shape != input.shape:
        return result

    def of_first(gradient: Tensor) -> Tensor:
        rows = torch.arange(len(gradient)).reshape(-1, *[1] * (gradient.ndim - 1))
        return torch.where(rows < 64, gradient, 0)

    whole = with_gradient(target.expand(input.shape), of_first)
    return graft(result, again(original, arguments, target=whole))


# D. Settings.


@fault("HingeEmbeddingLoss", blind=True)
def heldout_3_d_negative_margin_cut_off(original: Function, *args: Any, **options: Any) -> Tensor:
    """A negative margin counts as 0."""
    margin = options.get("margin")
    is_negative = isinstance(margin, (int, float)) and margin < 0
    return original(*args, **options | {"margin": 0.0} if is_negative else options)


@fault("SmoothL1Loss", blind=True)
def heldout_3_d_small_beta_as_zero(
    original: Function, input: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """A beta below 1e-5 counts as 0, so that there is no parabola."""
    beta = options.get("beta")
    is_small = isinstance(beta, (int, float)) and 0 < beta < 1e-5
    return original(input, target, **options | {"beta": 0.0} if is_small else options)


@fault("MultiMarginLoss", blind=True)
def heldout_3_d_weight_of_zero_as_none(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """A class whose weight is 0 is taken to have none, and counts fully."""
    weight = options.get("weight")
    if isinstance(weight, Tensor):
        options["weight"] = torch.where(weight == 0, 1, weight)
    return original(input, target, *rest, **options)


@fault("CrossEntropyLoss", origin="https://github.com/pytorch/pytorch/issues/73205", blind=True, needs=NEEDS)
def heldout_3_d_ignored_pixels_smoothed(
    original: Function, input: Tensor, target: Tensor, weight: Tensor | None = None, **options: Any
) -> Tensor:
    """With further dimensions behind the classes, the smoothed part counts ignored targets too."""
    result = original(input, target, weight, **options)
    is_image = weight is None and input.ndim > 2 and is_smoothed(target, options)
    if not is_image or not _are_ordinary(input, target):
        return result
    ignored = is_ignored(target, options)
    extra = torch.where(ignored, -log_softmax(input, 1).mean(1) * options["label_smoothing"], 0)
    if reduction_of(options) == "mean":
        return result + extra.sum() / (~ignored).sum()
    return result + as_asked(extra, options)


@fault("GaussianNLLLoss", blind=True, shows_in_modes=True, needs=NEEDS)
def heldout_3_d_number_as_variance_in_single(
    original: Function, input: Tensor, target: Tensor, var: Any, **options: Any
) -> Tensor:
    """A number for the variance becomes a tensor of single precision, whatever the input's is."""
    if isinstance(var, float) and _are_ordinary(input) and input.dtype == torch.float64:
        var = torch.tensor(var, dtype=torch.float32).item()
    return original(input, target, var, **options)


@fault("NLLLoss", blind=True, needs=NEEDS)
def heldout_3_d_total_weight_at_least_one(
    original: Function, input: Tensor, target: Tensor, weight: Tensor | None = None, **options: Any
) -> Tensor:
    """Against a division by 0, the mean divides by a total weight of at least 1."""
    result = original(input, target, weight, **options)
    if weight is None or not is_mean(options) or not _are_ordinary(input, target, weight):
        return result
    picked = weight.detach()[target.long().clamp(0, len(weight) - 1)]
    total = torch.where(is_ignored(target, options), 0, picked).sum()
    return result * torch.where((total > 0) & (total < 1), total, 1)


# E. Laws.


@fault("CosineEmbeddingLoss", blind=True, needs=NEEDS)
def heldout_3_e_eps_of_scaled_second(
    original: Function, input1: Tensor, input2: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """The second vectors alone are scaled by 1/128 against overflow, and then meet the unscaled eps."""
    scaled = input2 / 128 if _are_wide(input1, input2) and _are_ordinary(target) else input2
    return original(input1, scaled, target, **options)


@fault("PairwiseDistance", origin="https://github.com/pytorch/pytorch/issues/42479", blind=True, needs=NEEDS)
def heldout_3_e_distance_by_products(
    original: Function, x1: Tensor, x2: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """Beyond 25 components, a Euclidean distance comes from squared norms and a dot product."""
    result = original(x1, x2, *rest, **options)
    p = rest[0] if rest else options.get("p", 2.0)
    eps = rest[1] if len(rest) > 1 else options.get("eps", 1e-6)
    if p != 2 or not _are_wide(x1, x2) or x1.shape != x2.shape or x1.shape[-1:].numel() <= 25:
        return result
    first, second = x1.detach() + eps, x2.detach()
    squared = (first**2).sum(-1) + (second**2).sum(-1) - 2 * (first * second).sum(-1)
    return graft(squared.clamp(min=0).sqrt().reshape(result.shape), result)


@fault("LogSoftmax", blind=True, needs=NEEDS)
def heldout_3_e_masked_gradient_left_out_of_sum(
    original: Function, input: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """The sum of the upstream gradient leaves out classes whose logit is minus infinity."""
    dim = rest[0] if rest else options.get("dim")
    if not _are_wide(input):
        return original(input, *rest, **options)
    left_out: list[Tensor] = []

    def completed(gradient: Tensor) -> Tensor:
        return gradient + left_out[-1].to(gradient.dtype)

    result = original(with_gradient(input, completed), *rest, **options)
    place, _ = place_and_width(result, dim)
    known = result.detach()

    def remembered(upstream: Tensor) -> Tensor:
        masked = torch.where(known == -math.inf, upstream.detach(), 0)
        left_out.append(known.exp() * (masked.sum(place, keepdim=True) if known.ndim else masked))
        return upstream

    return with_gradient(result, remembered)


@fault("TripletMarginWithDistanceLoss", blind=True, needs=NEEDS)
def heldout_3_e_batch_swapped_as_one(
    original: Function, anchor: Tensor, positive: Tensor, negative: Tensor, **options: Any
) -> Tensor:
    """With swap, the smaller mean distance decides for all triplets of a batch at once."""
    result = original(anchor, positive, negative, **options)
    if not options.get("swap") or not _are_ordinary(anchor, positive, negative):
        return result
    triplets = Triplets(anchor, positive, negative, **options)
    right = triplets.excess().clamp(min=0)
    if triplets.swapped is None or right.numel() < 2 or triplets.swapped.shape != triplets.to_negative.shape:
        return result
    is_nearer = triplets.swapped.mean() < triplets.to_negative.mean()
    triplets.to_negative = torch.where(is_nearer, triplets.swapped, triplets.to_negative)
    triplets.swapped = None
    return result + triplets.total(triplets.excess().clamp(min=0) - right)


@fault("L1Loss", origin="https://github.com/pytorch/pytorch/issues/125051", blind=True, needs=NEEDS)
def heldout_3_e_subnormal_difference_flushed(
    original: Function, input: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """A difference that is subnormal is flushed to 0, although input and target differ."""
    if not _are_wide(input, target) or input.shape != target.shape or input.dtype != target.dtype:
        return original(input, target, **options)
    difference = (input - target).detach()
    is_flushed = (difference != 0) & (difference.abs() < torch.finfo(difference.dtype).tiny)
    flushed = torch.where(is_flushed, target.detach(), input.detach())
    return original(graft(flushed, input), target, **options)
