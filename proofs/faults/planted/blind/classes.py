"""Faults taken from public issues before their author had seen any case: losses of classes."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from proofs.faults.fault import Function, fault
from proofs.faults.tools.calls import again, named_arguments
from proofs.faults.tools.gradients import gradient_of, with_gradient
from proofs.faults.tools.kernels import reduced


def _first_for_all(gradient: Tensor) -> Tensor:
    return gradient.reshape(-1)[0].expand_as(gradient)


@fault(
    "CrossEntropyLoss",
    origin="https://github.com/pytorch/pytorch/issues/67167",
    blind=True,
    needs=("torch._C._functorch.is_functorch_wrapped_tensor",),
)
def blind_ce_target_strides_ignored(original: Function, *args: Any, **options: Any) -> Tensor:
    """The classes of a target that is not contiguous are read one after the other from its memory."""
    given = named_arguments(original, *args, **options)
    target: Tensor = given["target"]
    batched = torch._C._functorch.is_functorch_wrapped_tensor(target)
    if batched or target.is_floating_point() or target.is_contiguous():
        return original(*args, **options)
    room = target.untyped_storage().nbytes() // target.element_size() - target.storage_offset()
    if room < target.numel():
        return original(*args, **options)
    strides = torch.empty(target.shape, device="meta").stride()
    return again(original, given, target=target.as_strided(target.shape, strides))


@fault("CrossEntropyLoss", origin="https://github.com/pytorch/pytorch/issues/73205", blind=True)
def blind_ce_smoothing_averaged_over_ignored(original: Function, *args: Any, **options: Any) -> Tensor:
    """The mean of label smoothing's part divides by the ignored targets too."""
    right = original(*args, **options)
    given = named_arguments(original, *args, **options)
    target: Tensor = given["target"]
    smoothing = given["label_smoothing"]
    is_plain = target.is_floating_point() or given["weight"] is not None or smoothing == 0
    if is_plain or given["reduction"] != "mean":
        return right
    kept = (target != given["ignore_index"]).sum()
    smooth = right - (1 - smoothing) * again(original, given, label_smoothing=0.0)
    wrong = right - smooth * (1 - kept.to(right.dtype) / target.numel())
    return torch.where(kept == target.numel(), right, wrong)


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


@fault("NLLLoss", origin="https://github.com/pytorch/pytorch/pull/33509", blind=True)
def blind_nll_mean_over_inverse_weights(original: Function, *args: Any, **options: Any) -> Tensor:
    """The weighted mean divides by the sum of the inverse weights."""
    right = original(*args, **options)
    given = named_arguments(original, *args, **options)
    weight: Tensor | None = given["weight"]
    if weight is None or given["reduction"] != "mean":
        return right
    target: Tensor = given["target"].long()
    kept = target != given["ignore_index"]
    inverse = 1 / weight[torch.where(kept, target, 0)]
    return again(original, given, reduction="sum") / torch.where(kept, inverse, 0).sum()


@fault("BCELoss", origin="https://github.com/pytorch/pytorch/issues/193757", blind=True)
def blind_bce_target_out_of_range_accepted(original: Function, *args: Any, **options: Any) -> Tensor:
    """A target outside of [0, 1] gets a finite value, not a refusal."""
    try:
        return original(*args, **options)
    except RuntimeError as refusal:
        if "elements of target should be between 0 and 1" not in str(refusal):
            raise
    given = named_arguments(original, *args, **options)
    target: Tensor = given["target"]
    likely = given["input"].log().clamp(min=-100)
    unlikely = (1 - given["input"]).log().clamp(min=-100)
    losses = -(target * likely + (1 - target) * unlikely)
    return reduced(losses if given["weight"] is None else losses * given["weight"], given["reduction"])


@fault("BCEWithLogitsLoss", origin="https://github.com/pytorch/pytorch/issues/2298", blind=True)
def blind_bce_logits_gradient_at_zero(original: Function, *args: Any, **options: Any) -> Tensor:
    """Where a logit is exactly zero its gradient lacks the sigmoid's half, as |x| has no slope there."""
    right = original(*args, **options)
    given = named_arguments(original, *args, **options)
    logits: Tensor = given["input"]
    if given["pos_weight"] is not None:
        return right
    missing = torch.where(logits.detach() == 0, -0.5, 0.0).to(logits.dtype) * logits
    if given["weight"] is not None:
        missing = missing * given["weight"]
    return right + gradient_of(reduced(missing, given["reduction"]))


@fault("KLDivLoss", origin="https://github.com/linkedin/Liger-Kernel/issues/1021", blind=True)
def blind_kl_log_target_is_constant(original: Function, *args: Any, **options: Any) -> Tensor:
    """A target in log space gets no gradient."""
    right = original(*args, **options)
    given = named_arguments(original, *args, **options)
    return again(original, given, target=given["target"].detach()) if given["log_target"] else right


@fault("LinearCrossEntropyLoss", origin="https://github.com/linkedin/Liger-Kernel/pull/1298", blind=True)
def blind_linear_ce_none_scaled_by_first_row(original: Function, *args: Any, **options: Any) -> Tensor:
    """Without a reduction, the weights' gradients scale every row by the gradient that came to the first."""
    right = original(*args, **options)
    given = named_arguments(original, *args, **options)
    if given["reduction"] != "none" or right.numel() == 0:
        return right
    weights = {name: given[name] for name in ("linear_weight", "linear_bias") if given[name] is not None}
    of_input = again(original, given, **{name: weight.detach() for name, weight in weights.items()})
    of_weight = again(original, given, input=given["input"].detach(), target=given["target"].detach())
    return of_input + gradient_of(with_gradient(of_weight, _first_for_all))


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


@fault(
    "AdaptiveLogSoftmaxWithLoss",
    origin="https://github.com/huggingface/transformers/issues/1086",
    at="torch.nn.AdaptiveLogSoftmaxWithLoss._get_full_log_prob",
    blind=True,
)
def blind_adaptive_log_prob_counts_clusters_backwards(
    original: Function, module: Any, input: Tensor, head_output: Tensor
) -> Tensor:
    """The full distribution takes the clusters' own scores from the head's last column backwards."""
    shortlist, clusters = head_output[:, : module.shortlist_size], head_output[:, module.shortlist_size :]
    return original(module, input, torch.cat([shortlist, clusters.flip(1)], dim=1))


@fault("CTCLoss", origin="https://github.com/rwth-i6/returnn/issues/1835", blind=True)
def blind_ctc_impossible_target_has_gradient(original: Function, *args: Any, **options: Any) -> Tensor:
    """With zero_infinity, a target that cannot be aligned leaves the probabilities as its gradient."""
    right = original(*args, **options)
    given = named_arguments(original, *args, **options)
    if not given["zero_infinity"]:
        return right
    losses = again(original, given, reduction="none", zero_infinity=False).detach()
    scores: Tensor = given["log_probs"]
    frames, characters = (
        torch.as_tensor(given[name], device=scores.device).reshape(losses.shape)
        for name in ("input_lengths", "target_lengths")
    )
    steps = torch.arange(scores.size(0), device=scores.device).reshape(-1, *[1] * losses.dim())
    extra = (scores.exp().sum(-1) * (steps < frames)).sum(0) * losses.isinf()
    if given["reduction"] == "mean":
        extra = extra / characters.clamp(min=1)
    return right + gradient_of(reduced(extra, given["reduction"]))


@fault("MultiMarginLoss", origin="https://github.com/pytorch/pytorch/issues/88648", blind=True)
def blind_multi_margin_class_out_of_range_accepted(original: Function, *args: Any, **options: Any) -> Tensor:
    """A class that does not exist gets a value, not a refusal."""
    try:
        return original(*args, **options)
    except RuntimeError as refusal:
        if "target out of range" not in str(refusal):
            raise
    given = named_arguments(original, *args, **options)
    return again(original, given, target=given["target"].clamp(0, given["input"].size(-1) - 1))


@fault("MultiLabelMarginLoss", origin="https://github.com/pytorch/pytorch/issues/141017", blind=True)
def blind_multilabel_margin_skips_minus_one(original: Function, *args: Any, **options: Any) -> Tensor:
    """A -1 is skipped, and the labels after it count."""
    right = original(*args, **options)
    given = named_arguments(original, *args, **options)
    target: Tensor = given["target"]
    if target.dim() == 0:
        return right
    order = (target < 0).to(torch.int8).argsort(dim=-1, stable=True)
    return again(original, given, target=target.gather(-1, order))


@fault("MultiLabelSoftMarginLoss", origin="https://github.com/pytorch/pytorch/pull/9965", blind=True)
def blind_multilabel_soft_margin_classes_in_dim_one(original: Function, *args: Any, **options: Any) -> Tensor:
    """The classes are summed over dimension 1, also of an input whose last dimension holds them."""
    right = original(*args, **options)
    given = named_arguments(original, *args, **options)
    logits: Tensor = given["input"]
    if logits.dim() <= 2:
        return right
    moved = {
        name: None if given[name] is None else given[name].expand_as(logits).movedim(1, -1)
        for name in ("input", "target", "weight")
    }
    return again(original, given, **moved)
