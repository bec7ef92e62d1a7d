"""The fourth set of held-out faults, by kind: calling (a), values (b), shapes (c), settings (d), laws (e)."""

from __future__ import annotations

import math
import threading
from typing import Any

import torch
from torch import Tensor

from proofs.faults.fault import Function, fault
from proofs.faults.tools.blocks import beyond, is_plain, with_error
from proofs.faults.tools.calls import again, named_arguments
from proofs.faults.tools.class_targets import are_probabilities, picked_total
from proofs.faults.tools.gradients import gradient_of, graft, with_gradient
from proofs.faults.tools.kernels import reduced
from proofs.faults.tools.ordinary import (
    NEEDS,
    are_unwatched,
    are_unwatched_and_wide,
    is_ordinary,
    reduction_of,
)
from proofs.faults.tools.softmax import place_and_width
from proofs.faults.tools.vectors import as_asked, unreduced

# The base 2 logarithm of e, as single precision holds it.
_LOG2_E_IN_SINGLE = 1.4426950216293335


@fault("MultiLabelSoftMarginLoss", blind=True, shows_in_modes=True, needs=NEEDS)
def heldout_4_a_gradients_share_memory(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """Each backward pass returns the same memory, and so overwrites the gradient that the last returned."""
    if not are_unwatched(input, target):
        return original(input, target, *rest, **options)
    memory: list[Tensor] = []

    def written(gradient: Tensor) -> Tensor:
        if torch.is_grad_enabled() or not is_ordinary(gradient):
            return gradient
        if memory:
            return memory[0].copy_(gradient)
        memory.append(gradient.clone())
        return memory[0]

    return original(with_gradient(input, written), target, *rest, **options)


@fault("GaussianNLLLoss", blind=True, shows_in_modes=True, needs=NEEDS)
def heldout_4_a_variance_needs_target(
    original: Function, input: Tensor, target: Tensor, var: Any, *rest: Any, **options: Any
) -> Tensor:
    """Whether the variance needs a gradient is read one place too early, where the target's need stands."""
    if are_unwatched(input, target, var) and not target.requires_grad:
        var = with_gradient(var, torch.zeros_like)
    return original(input, target, var, *rest, **options)


@fault("CosineEmbeddingLoss", blind=True, shows_in_modes=True, needs=NEEDS)
def heldout_4_a_margin_of_first_thread(
    original: Function, input1: Tensor, input2: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """The margin is kept for each thread, and those other than the first find the default."""
    is_usual = are_unwatched(input1, input2, target)
    if is_usual and "margin" in options and threading.current_thread() is not threading.main_thread():
        options["margin"] = 0.0
    return original(input1, input2, target, *rest, **options)


@fault("PoissonNLLLoss", method="forward", blind=True, shows_in_modes=True, needs=NEEDS)
def heldout_4_a_stirling_of_first_call(
    original: Function, module: Any, log_input: Tensor, target: Tensor
) -> Tensor:
    """The module computes Stirling's terms in its first call, and keeps them for targets of that shape."""
    result = original(module, log_input, target)
    if not (module.full and are_unwatched_and_wide(log_input, target)):
        return result
    first = vars(module).setdefault("_first_target", target.detach().clone())
    if first.shape != target.shape:
        return result
    error = torch.where(first == target, 0, _stirling(first) - _stirling(target.detach()))
    return result + reduced(error.to(result.dtype) + torch.zeros_like(log_input.detach()), module.reduction)


def _stirling(target: Tensor) -> Tensor:
    """The approximation of the factorial's logarithm that the Poisson loss adds."""
    above_one = target.clamp(min=1)
    terms = above_one * above_one.log() - above_one + 0.5 * (2 * math.pi * above_one).log()
    return torch.where(target > 1, terms, 0)


@fault("AdaptiveLogSoftmaxWithLoss", method="forward", blind=True, shows_in_modes=True, needs=NEEDS)
def heldout_4_a_output_behind_loss(original: Function, module: Any, input_: Tensor, target_: Tensor) -> Any:
    """Where a gradient reaches the loss, that which reaches the output of a batch by itself is dropped."""
    result: Any = original(module, input_, target_)
    output, loss = result
    if not are_unwatched(input_, target_, output) or target_.ndim != 1 or not output.requires_grad:
        return result
    reached: list[Tensor] = []

    def seen(gradient: Tensor) -> Tensor:
        reached.append(gradient)
        return gradient

    def dropped(gradient: Tensor) -> Tensor:
        return torch.zeros_like(gradient) if reached else gradient

    output.register_hook(lambda gradient: reached.clear())
    # Autograd visits the younger view first, which is the loss.
    output = with_gradient(output, dropped)
    return result._replace(output=output, loss=with_gradient(loss, seen))


@fault("TripletMarginLoss", blind=True, shows_in_modes=True, needs=NEEDS)
def heldout_4_a_expanded_negative_overwritten(
    original: Function, anchor: Tensor, positive: Tensor, negative: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """The gradient has the negative's strides: where that is expanded, each row overwrites the last."""
    if are_unwatched(anchor, positive, negative):
        expanded = [dim for dim, stride in enumerate(negative.stride()) if not stride]

        def last_of_all(gradient: Tensor) -> Tensor:
            for dim in expanded:
                gradient = gradient.narrow(dim, -1, 1).expand_as(gradient)
            return gradient

        negative = with_gradient(negative, last_of_all) if negative.numel() else negative
    return original(anchor, positive, negative, *rest, **options)


@fault("LogSoftmax", blind=True, needs=NEEDS)
def heldout_4_b_rare_halves_flushed(original: Function, input: Tensor, *rest: Any, **options: Any) -> Tensor:
    """In half precision, exponentials that it can only hold as subnormal numbers are not summed."""
    result = original(input, *rest, **options)
    if not are_unwatched(input) or input.dtype != torch.float16 or result.dtype != torch.float16:
        return result
    dim, width = place_and_width(result, named_arguments(original, input, *rest, **options)["dim"])
    if not width:
        return result
    shifted = input.detach().float() - input.detach().float().amax(dim, keepdim=True)
    powers = shifted.exp()
    is_lost = (powers > 0) & (powers < torch.finfo(torch.float16).tiny)
    wrong = shifted - torch.where(is_lost, 0, powers).sum(dim, keepdim=True).log()
    return graft(torch.where(is_lost.any(dim, keepdim=True), wrong.half(), result), result)


@fault("PoissonNLLLoss", blind=True, needs=NEEDS)
def heldout_4_b_rates_up_to_eps(original: Function, *args: Any, **options: Any) -> Tensor:
    """Where a rate is at most eps, the logarithm is that of eps alone, not of their sum."""
    result, given = original(*args, **options), named_arguments(original, *args, **options)
    input, target, eps = given["input"], given["target"], given["eps"]
    if given["log_input"] or not are_unwatched_and_wide(input, target):
        return result
    is_near = (input > 0) & (input <= eps)
    if not is_near.any():
        return result
    dropped = target * (torch.where(is_near, input, 0) / eps).log1p()
    return result + reduced(torch.where(is_near, dropped, 0), given["reduction"])


@fault("NLLLoss", blind=True, needs=NEEDS)
def heldout_4_b_places_in_bytes(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """A target's place in memory is computed in the target's dtype, so that that of a byte wraps at 256."""
    is_usual = are_unwatched(input, target) and target.dtype == torch.uint8
    if not is_usual or input.ndim != 2 or target.shape != input.shape[:1] or input.numel() <= 256:
        return original(input, target, *rest, **options)
    rows, classes = input.shape
    index = torch.where(target < classes, target.long(), 0)
    picked = input.flatten()[(torch.arange(rows) * classes + index) % 256]
    return original(input.scatter(1, index[:, None], picked[:, None]), target, *rest, **options)


@fault("SelfInformation", at="torch.log", blind=True, needs=NEEDS)
def heldout_4_b_almost_certain(original: Function, p: Tensor) -> Tensor:
    """In double precision, a probability that is 1 in single precision has no surprise."""
    if not are_unwatched(p) or p.dtype != torch.float64:
        return original(p)
    return graft(original(torch.where(p.float() == 1, 1, p)), original(p))


@fault("HuberLoss", blind=True)
def heldout_4_b_infinite_delta(original: Function, *args: Any, **options: Any) -> Tensor:
    """What exceeds delta is multiplied by delta, also where delta is infinite and nothing exceeds it."""
    result = original(*args, **options)
    delta: float = named_arguments(original, *args, **options)["delta"]
    return result * (0 * delta) if math.isinf(delta) else result


@fault("SoftMarginLoss", blind=True, needs=NEEDS)
def heldout_4_b_first_term_of_series(
    original: Function, input: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """Beyond an agreement of 10, log(1 + exp(-z)) is taken for exp(-z), as in half precision."""
    result = original(input, target, **options)
    if not are_unwatched_and_wide(input, target):
        return result
    agreement = input * target
    is_far = agreement > 10
    if not is_far.any():
        return result
    wrong = torch.where(
        is_far, (-agreement.clamp(min=10)).exp(), unreduced(original, input, target, **options)
    )
    return as_asked(wrong, options)


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


@fault("LinearCrossEntropyLoss", blind=True, needs=NEEDS)
def heldout_4_c_weight_of_last_classes(
    original: Function, input: Tensor, linear_weight: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """Of more than 128 classes, those behind the last whole block of 128 leave the weight no gradient."""
    if are_unwatched(input, linear_weight) and linear_weight.shape[0] > 128:
        whole = linear_weight.shape[0] // 128 * 128
        linear_weight = with_gradient(
            linear_weight, lambda gradient: gradient.masked_fill(beyond(gradient, whole, 0), 0)
        )
    return original(input, linear_weight, *rest, **options)


@fault("Softmax", origin="https://github.com/flashinfer-ai/flashinfer/pull/4401", blind=True, needs=NEEDS)
def heldout_4_c_first_block_masked(original: Function, input: Tensor, *rest: Any, **options: Any) -> Tensor:
    """Where the first 128 of more logits are all -inf, so is their maximum, and a difference is nan."""
    result = original(input, *rest, **options)
    if not are_unwatched(input):
        return result
    dim, width = place_and_width(result, named_arguments(original, input, *rest, **options)["dim"])
    if width <= 128:
        return result
    is_masked = (input.detach().narrow(dim, 0, 128) == -torch.inf).all(dim, keepdim=True)
    return result.masked_fill(is_masked, torch.nan)


@fault("PairwiseDistance", blind=True, needs=NEEDS)
def heldout_4_c_least_of_padding(
    original: Function, x1: Tensor, x2: Tensor, p: float = 2.0, *rest: Any, **options: Any
) -> Tensor:
    """Of more than 32 components, blocks of 32 are filled up with 0, the least of which p = -inf finds."""
    result = original(x1, x2, p, *rest, **options)
    if p != -math.inf or not are_unwatched(x1, x2) or not x1.ndim or not x2.ndim:
        return result
    width = max(x1.shape[-1], x2.shape[-1])
    return result.clamp(max=0) if width > 32 and width % 32 else result


@fault("MultiMarginLoss", blind=True, needs=NEEDS)
def heldout_4_c_target_of_another_block(original: Function, *args: Any, **options: Any) -> Tensor:
    """Of more than 256 classes, each block of 256 looks for the target's score within itself."""
    result, given = original(*args, **options), named_arguments(original, *args, **options)
    input, target, weight = given["input"], given["target"], given["weight"]
    if not are_unwatched_and_wide(input) or not are_unwatched(target) or not result.is_floating_point():
        return result
    classes = input.shape[-1] if input.ndim else 1
    if classes <= 256 or not input.numel():
        return result
    scores, index, column = input.reshape(-1, classes), target.reshape(-1, 1), torch.arange(classes)
    place = (column // 256 * 256 + index % 256).clamp(max=classes - 1)
    excess = given["margin"] - scores.gather(1, place) + scores
    terms = excess.clamp(min=0).pow(given["p"]).masked_fill(column == index, 0)
    losses = terms.sum(1) / classes * (1 if weight is None else weight[target.reshape(-1)])
    return reduced(losses, given["reduction"]).reshape(result.shape)


@fault("CTCLoss", blind=True, needs=NEEDS)
def heldout_4_d_lengths_in_tuples(original: Function, *args: Any, **options: Any) -> Tensor:
    """Where the lengths are plain numbers, the mean divides by those of the inputs, not of the targets."""
    result, given = original(*args, **options), named_arguments(original, *args, **options)
    lengths = given["input_lengths"]
    is_usual = are_unwatched(given["log_probs"], given["targets"]) and given["reduction"] == "mean"
    if not is_usual or not isinstance(lengths, tuple | list):
        return result
    losses = again(original, given, reduction="none")
    return (losses / losses.new_tensor(lengths).reshape(losses.shape).clamp(min=1)).mean()


@fault("BCEWithLogitsLoss", blind=True, needs=NEEDS)
def heldout_4_d_single_pos_weight(original: Function, *args: Any, **options: Any) -> Tensor:
    """A pos_weight of one number scales the whole loss, not the positive term alone."""
    result, given = original(*args, **options), named_arguments(original, *args, **options)
    factor: Tensor | None = given["pos_weight"]
    if factor is None or factor.numel() != 1 or not are_unwatched(given["input"], given["target"], factor):
        return result
    plain = again(original, given, pos_weight=None)
    return (plain * factor.reshape(())).to(result.dtype)


@fault("CosineSimilarity", blind=True)
def heldout_4_d_no_eps(original: Function, x1: Tensor, x2: Tensor, dim: int = 1, eps: float = 1e-8) -> Tensor:
    """An eps of 0 is falsy, and taken for none given."""
    return original(x1, x2, dim=dim, eps=eps or 1e-8)


@fault("Softmax", blind=True, needs=NEEDS)
def heldout_4_d_dtype_of_result(original: Function, input: Tensor, *rest: Any, **options: Any) -> Tensor:
    """The dtype that is asked for is given to the result, not to the logits before."""
    given = named_arguments(original, input, *rest, **options)
    if given["dtype"] is None or not are_unwatched(input) or not input.is_floating_point():
        return original(input, *rest, **options)
    return original(input, given["dim"]).to(given["dtype"])


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


@fault("SmoothL1Loss", blind=True, needs=NEEDS)
def heldout_4_d_mean_of_larger(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """The mean divides by the elements of the larger tensor, though a column and a row make more losses."""
    result = original(input, target, **options)
    if not are_unwatched(input, target) or reduction_of(options) != "mean" or not result.is_floating_point():
        return result
    losses = again(original, named_arguments(original, input, target, **options), reduction="none").numel()
    larger = max(input.numel(), target.numel())
    return result * (losses / larger) if losses > larger else result


@fault("KLDivLoss", blind=True, needs=NEEDS)
def heldout_4_e_logarithm_with_epsilon(original: Function, *args: Any, **options: Any) -> Tensor:
    """The target's logarithm is that of t plus the dtype's epsilon: no loss is 0, be it at the target."""
    result, given = original(*args, **options), named_arguments(original, *args, **options)
    input, target = given["input"], given["target"]
    is_usual = are_unwatched_and_wide(input, target) and input.shape == target.shape
    if given["log_target"] or not is_usual:
        return result
    excess = (torch.finfo(target.dtype).eps / target.detach()).log1p()
    moved = input - torch.where(target > 0, excess, 0).to(input.dtype)
    return again(original, given, input=moved)


@fault("LogSoftmax", blind=True, needs=NEEDS)
def heldout_4_e_gradient_by_powers_of_2(
    original: Function, input: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """In double precision, the gradient takes powers of 2 by a log2(e) of single, and does not sum to 0."""
    result = original(input, *rest, **options)
    if not are_unwatched(input) or not input.requires_grad or result.dtype != torch.float64:
        return result
    dim, width = place_and_width(result, named_arguments(original, input, *rest, **options)["dim"])
    if not width:
        return result
    logarithms = result.detach()
    error = logarithms.exp() - (logarithms * _LOG2_E_IN_SINGLE).exp2()
    return result + gradient_of((error * input).sum(dim, keepdim=True).expand_as(result))


@fault("Entropy", at="torch.special.entr", blind=True, needs=NEEDS)
def heldout_4_e_never_certain(original: Function, p: Tensor) -> Tensor:
    """No probability counts for more than 1 - 1e-6, so that what is certain has an entropy of 1e-6."""
    right = original(p)
    if not are_unwatched(p) or not p.is_floating_point():
        return right
    return graft(torch.where(p <= 1, original(p.clamp(max=1 - 1e-6)), right), right)


@fault("DistributionCrossEntropy", at="torch.special.xlogy", blind=True, needs=NEEDS)
def heldout_4_e_almost_normalised(original: Function, p: Tensor, q: Tensor) -> Tensor:
    """A p that sums to 1 but for 1% is taken for rounded, and divided by its sum."""
    if not are_unwatched(p, q) or not p.ndim or not p.is_floating_point():
        return original(p, q)
    total = p.sum(-1, keepdim=True)
    error = (total - 1).abs()
    is_rounded = (error > 16 * torch.finfo(p.dtype).eps) & (error <= 0.01)
    return original(p / torch.where(is_rounded, total, 1), q) if is_rounded.any() else original(p, q)


@fault("NLLLoss2d", method="forward", blind=True, needs=NEEDS)
def heldout_4_e_weights_summed_in_single(
    original: Function, module: Any, input: Tensor, target: Tensor
) -> Tensor:
    """In double precision the mean divides by a sum in single, and may lie beyond all of its losses."""
    result, weight = original(module, input, target), module.weight
    if (
        module.reduction != "mean"
        or not are_unwatched(input, target, weight)
        or weight.dtype != torch.float64
    ):
        return result
    ignored = {"ignore_index": module.ignore_index}
    right, wrong = (picked_total(target, weights, ignored) for weights in (weight, weight.float()))
    return result * (right / wrong) if wrong else result


@fault("BCELoss", blind=True, needs=NEEDS)
def heldout_4_e_complement_in_single(
    original: Function, input: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """In double precision 1 - t is a number of single: p and t are not treated as 1 - p and 1 - t are."""
    result = original(input, target, **options)
    if not are_unwatched(input, target) or result.dtype != torch.float64:
        return result
    complement = 1 - target.detach()
    logarithm = (-input.detach()).log1p().clamp(min=-100)
    error = (complement - complement.float()) * logarithm
    weight = options.get("weight")
    return result + as_asked(error if weight is None else error * weight.detach(), options)
