"""Faults taken from public issues before their author had seen any case: the other losses."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from proofs.faults.fault import Function, fault
from proofs.faults.tools.calls import again, named_arguments
from proofs.faults.tools.gradients import gradient_of, with_gradient
from proofs.faults.tools.kernels import reduced


@fault("L1Loss", origin="https://github.com/chainer/chainer/issues/6702", blind=True)
def blind_l1_half_mean_from_half_sum(original: Function, *args: Any, **options: Any) -> Tensor:
    """In float16 the mean divides a sum that was rounded to float16, and overflows with it."""
    right = original(*args, **options)
    given = named_arguments(original, *args, **options)
    if right.dtype is not torch.float16 or given["reduction"] != "mean" or given["weight"] is not None:
        return right
    count = again(original, given, reduction="none").numel()
    return again(original, given, reduction="sum") / count


@fault(
    "MSELoss",
    origin="https://github.com/pytorch/pytorch/pull/125696",
    blind=True,
    needs=("torch._C._functorch.is_functorch_wrapped_tensor",),
)
def blind_mse_strided_output_filled_in_order(original: Function, *args: Any, **options: Any) -> Tensor:
    """An output with the strides of a transposed input is filled as though it were contiguous."""
    right = original(*args, **options)
    if torch._C._functorch.is_functorch_wrapped_tensor(right) or right.is_contiguous():
        return right
    filled: Tensor = right.contiguous().as_strided(right.shape, right.stride())
    return filled


@fault("SmoothL1Loss", origin="https://github.com/pytorch/pytorch/issues/96813", blind=True)
def blind_smooth_l1_beta_zero_gradient_nan(original: Function, *args: Any, **options: Any) -> Tensor:
    """With beta 0 the gradient of an element that equals its target is not a number."""
    right = original(*args, **options)
    given = named_arguments(original, *args, **options)
    if given["beta"] != 0:
        return right
    difference: Tensor = given["input"] - given["target"]
    slope = torch.where(difference.detach() == 0, math.nan, 0.0).to(difference.dtype)
    return right + gradient_of(reduced(difference * slope, given["reduction"]))


@fault("HuberLoss", origin="https://github.com/chainer/chainer/pull/1178", blind=True)
def blind_huber_upstream_gradient_ignored(original: Function, *args: Any, **options: Any) -> Tensor:
    """The backward pass takes the gradient from above for one."""
    return with_gradient(original(*args, **options), torch.ones_like)


@fault("PoissonNLLLoss", origin="https://github.com/PaddlePaddle/Paddle/issues/56733", blind=True)
def blind_poisson_stirling_masked_by_itself(original: Function, *args: Any, **options: Any) -> Tensor:
    """Stirling's term is left out where it is at most 1, not only where the target is."""
    right = original(*args, **options)
    given = named_arguments(original, *args, **options)
    if not given["full"]:
        return right
    applies = given["target"] > 1
    target = torch.where(applies, given["target"], 2)
    term = target * target.log() - target + 0.5 * (2 * math.pi * target).log()
    lost = torch.where(applies & (term <= 1), term, 0).to(right.dtype)
    return right - reduced(lost + torch.zeros_like(given["input"]), given["reduction"])


@fault("GaussianNLLLoss", origin="https://github.com/pytorch/pytorch/issues/147521", blind=True)
def blind_gaussian_shared_variance_refused(original: Function, *args: Any, **options: Any) -> Tensor:
    """A variance that is shared along any dimension but the last is refused."""
    right = original(*args, **options)
    given = named_arguments(original, *args, **options)
    variance: Tensor | float = given["var"]
    if isinstance(variance, float):
        return right
    shape = given["input"].shape
    if variance.shape not in (shape, shape[:-1], (*shape[:-1], 1)):
        raise ValueError("var is of incorrect size")
    return right


@fault(
    "HingeEmbeddingLoss",
    origin="https://github.com/pytorch/pytorch/pull/1378",
    at="torch.nn.HingeEmbeddingLoss.forward",
    blind=True,
)
def blind_hinge_embedding_module_forgets_margin(
    original: Function, module: Any, input: Tensor, target: Tensor
) -> Tensor:
    """The module computes with the default margin, whatever it was made with."""
    return torch.nn.functional.hinge_embedding_loss(input, target, reduction=module.reduction)


@fault("SoftMarginLoss", origin="https://github.com/tracel-ai/burn/issues/5373", blind=True)
def blind_soft_margin_logarithm_of_one_plus(original: Function, *args: Any, **options: Any) -> Tensor:
    """The one is added before the logarithm, so that a small loss is lost to rounding."""
    original(*args, **options)
    given = named_arguments(original, *args, **options)
    return reduced(((-given["target"] * given["input"]).exp() + 1).log(), given["reduction"])


@fault("MarginRankingLoss", origin="https://github.com/mlpack/mlpack/issues/3167", blind=True)
def blind_margin_ranking_gradient_of_target(original: Function, *args: Any, **options: Any) -> Tensor:
    """Going back, both inputs get the derivative by the target."""
    original(*args, **options)
    given = named_arguments(original, *args, **options)
    first: Tensor = given["input1"]
    second: Tensor = given["input2"]
    constants = {"input1": first.detach(), "input2": second.detach()}
    active = again(original, given, **constants, reduction="none").detach() > 0
    slope = (second - first).detach() * active
    wrong = reduced(slope * (first + second), given["reduction"])
    return again(original, given, **constants) + gradient_of(wrong)


@fault("CosineEmbeddingLoss", origin="https://github.com/pytorch/pytorch/issues/53030", blind=True)
def blind_cosine_embedding_target_column_broadcast(original: Function, *args: Any, **options: Any) -> Tensor:
    """A target of shape (N, 1) is not refused, but spread against all the rows."""
    given = named_arguments(original, *args, **options)
    target: Tensor = given["target"]
    rows = given["input1"].shape[:-1]
    if given["input1"].dim() != 2 or target.shape != (*rows, 1):
        return original(*args, **options)
    alike = again(original, given, target=target.new_ones(rows), reduction="none")
    unlike = again(original, given, target=-target.new_ones(rows), reduction="none")
    losses = torch.where(target == 1, alike, 0) + torch.where(target == -1, unlike, 0)
    return reduced(losses, given["reduction"])


@fault("CosineSimilarity", origin="https://github.com/google-deepmind/optax/pull/1703", blind=True)
def blind_cosine_similarity_eps_bounds_squares(
    original: Function, x1: Tensor, x2: Tensor, dim: int = 1, eps: float = 1e-8
) -> Tensor:
    """The eps bounds the squares of the norms, not the norms."""
    right = original(x1, x2, dim=dim, eps=eps)
    if eps == 0:
        return right
    bound = math.sqrt(eps)
    for vectors in (x1 + torch.zeros_like(x2), x2 + torch.zeros_like(x1)):
        norm = torch.linalg.vector_norm(vectors.to(right.dtype), dim=dim)
        right = right * torch.where(norm < bound, norm.clamp(min=eps) / bound, 1)
    return right


@fault("PairwiseDistance", origin="https://github.com/PFCCLab/PaddleAPITest/pull/494", blind=True)
def blind_pairwise_distance_ties_not_shared(
    original: Function, x1: Tensor, x2: Tensor, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False
) -> Tensor:
    """With p infinite, each of several largest differences gets the whole gradient, not its share."""
    right = original(x1, x2, p=p, eps=eps, keepdim=keepdim)
    if p != math.inf:
        return right
    difference = x1 - x2 + eps
    size = difference.detach().abs()
    slope = difference.detach().sign() * (size == size.amax(-1, keepdim=True))
    return right.detach() + gradient_of((difference * slope).sum(-1, keepdim=keepdim))


@fault("TripletMarginLoss", origin="https://github.com/ml-explore/mlx/pull/211", blind=True)
def blind_triplet_default_eps_ten_times(original: Function, *args: Any, **options: Any) -> Tensor:
    """The default of eps is 10e-6."""
    is_given = "eps" in options or len(args) > 5
    return original(*args, **options) if is_given else original(*args, **options, eps=10e-6)


@fault(
    "TripletMarginWithDistanceLoss",
    origin="https://github.com/tensorflow/tensorflow/issues/30199",
    blind=True,
)
def blind_triplet_distance_gradient_nan_at_equal(original: Function, *args: Any, **options: Any) -> Tensor:
    """With the default distance, the gradient of an anchor that equals its positive is not a number."""
    right = original(*args, **options)
    given = named_arguments(original, *args, **options)
    if given["distance_function"] is not None or right.dtype != given["anchor"].dtype:
        return right
    difference: Tensor = given["anchor"] - given["positive"]
    equal = (difference.detach() == 0).all(-1, keepdim=True)
    slope = torch.where(equal, math.nan, 0.0).to(difference.dtype)
    losses = again(original, given, reduction="none")
    wrong = (difference * slope).sum(-1).expand_as(losses)
    return right + gradient_of(reduced(wrong, given["reduction"]))


@fault("Softmax", origin="https://github.com/intel/torch-xpu-ops/issues/4772", blind=True)
def blind_softmax_tail_past_power_of_two(
    original: Function, input: Tensor, dim: int | None = None, *rest: Any, **options: Any
) -> Tensor:
    """In float32, sizes little above 256, 512 or 1024 are normalised by the sum of their first part."""
    right = original(input, dim, *rest, **options)
    size = right.size(dim) if dim is not None and right.dim() > 0 else 0
    tile = next((tile for tile in (256, 512, 1024) if tile < size <= tile * 3 // 2), 0)
    if tile == 0 or right.dtype is not torch.float32 or dim not in (-1, right.dim() - 1):
        return right
    return right / right[..., :tile].sum(-1, keepdim=True)


@fault("LogSoftmax", origin="https://github.com/pytorch/pytorch/issues/38839", blind=True)
def blind_log_softmax_takes_whole_normaliser(
    original: Function, input: Tensor, dim: int | None = None, *rest: Any, **options: Any
) -> Tensor:
    """The largest logit and the logarithm of the sum are added before they are taken from a logit."""
    right = original(input, dim, *rest, **options)
    if dim is None:
        return right
    logits = input.to(torch.promote_types(right.dtype, torch.float32))
    normaliser = logits.logsumexp(dim, keepdim=True)
    return torch.where(normaliser.isfinite(), (logits - normaliser).to(right.dtype), right)
