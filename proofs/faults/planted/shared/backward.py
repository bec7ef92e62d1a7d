"""Faults of a backward pass that is not the first, the only or the plain one, shared by several losses."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from proofs.faults.fault import Function
from proofs.faults.mistake import Site, faults
from proofs.faults.tools.gradients import with_gradient
from proofs.faults.tools.kernels import as_if_contiguous
from proofs.faults.tools.ordinary import NEEDS, is_ordinary, reduction_of


@faults(
    Site("ce-saved-gradient-scaled-in-place", "CrossEntropyLoss", blind=True),
    Site(
        "kl-saved-gradient-scaled-in-place",
        "KLDivLoss",
        "https://github.com/linkedin/Liger-Kernel/pull/262",
        blind=True,
    ),
    Site("lce-saved-gradient-scaled-in-place", "LinearCrossEntropyLoss", blind=True),
    shows_in_modes=True,
    needs=NEEDS,
)
def saved_gradient_scaled_in_place(original: Function, *args: Any, **options: Any) -> Tensor:
    """The saved gradient is multiplied in place, so that a second backward pass has both upstream factors."""
    factors: list[Tensor] = []

    def scale(gradient: Tensor) -> Tensor:
        if not is_ordinary(gradient):
            return gradient
        factors.append(gradient * factors[-1] if factors else gradient)
        return factors[-1]

    return with_gradient(original(*args, **options), scale)


@faults(
    Site("huber-second-backward-adds-up", "HuberLoss", blind=True),
    Site("cosine-embedding-second-backward-adds-up", "CosineEmbeddingLoss", blind=True),
    shows_in_modes=True,
    needs=NEEDS,
)
def second_backward_adds_up(original: Function, *args: Any, **options: Any) -> Tensor:
    """The gradient's buffer is not cleared, so that a second backward pass returns the sum of both."""
    totals: list[Tensor] = []

    def add(gradient: Tensor) -> Tensor:
        if not is_ordinary(gradient):
            return gradient
        totals.append(gradient + totals[-1] if totals else gradient)
        return totals[-1]

    return with_gradient(original(*args, **options), add)


@faults(
    Site("bcel-grad-replaced", "BCEWithLogitsLoss", blind=True),
    Site("triplet-grad-replaced", "TripletMarginLoss", blind=True),
    shows_in_modes=True,
    needs=NEEDS,
)
def grad_replaced(original: Function, input: Tensor, *rest: Any, **options: Any) -> Tensor:
    """The gradient replaces what the input's .grad holds already, and is not added to it."""
    if not is_ordinary(input) or not input.is_leaf:
        return original(input, *rest, **options)

    def replace(gradient: Tensor) -> Tensor:
        input.grad = None
        return gradient

    return original(with_gradient(input, replace), *rest, **options)


@faults(
    Site("hinge-embedding-no-gradient-beyond-leaves", "HingeEmbeddingLoss", blind=True),
    Site("margin-ranking-no-gradient-beyond-leaves", "MarginRankingLoss", blind=True),
    shows_in_modes=True,
    needs=NEEDS,
)
def no_gradient_beyond_leaves(original: Function, input: Tensor, *rest: Any, **options: Any) -> Tensor:
    """The gradient of an input that is the result of an operation, and no leaf, is 0."""
    if is_ordinary(input) and input.requires_grad and not input.is_leaf:
        input = with_gradient(input, torch.zeros_like)
    return original(input, *rest, **options)


@faults(
    Site("mse-mean-undivided-in-graph", "MSELoss", blind=True),
    Site("soft-margin-mean-undivided-in-graph", "SoftMarginLoss", blind=True),
    shows_in_modes=True,
    needs=NEEDS,
)
def mean_undivided_in_graph(original: Function, input: Tensor, *rest: Any, **options: Any) -> Tensor:
    """With create_graph, the gradient of the mean is not divided by the number of elements."""
    if not is_ordinary(input) or reduction_of(options) != "mean":
        return original(input, *rest, **options)

    def undivided(gradient: Tensor) -> Tensor:
        return gradient * input.numel() if torch.is_grad_enabled() else gradient

    return original(with_gradient(input, undivided), *rest, **options)


@faults(
    Site("mse-target-alone-has-inputs-gradient", "MSELoss", blind=True),
    Site("smooth-l1-target-alone-has-inputs-gradient", "SmoothL1Loss", blind=True),
    shows_in_modes=True,
    needs=NEEDS,
)
def target_alone_has_inputs_gradient(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """Where the target alone needs a gradient, it gets that of the input, of the other sign."""
    if is_ordinary(input, target) and not input.requires_grad:
        target = with_gradient(target, torch.neg)
    return original(input, target, *rest, **options)


@faults(
    Site("kl-target-alone-without-gradient", "KLDivLoss", blind=True),
    Site("bcel-target-alone-without-gradient", "BCEWithLogitsLoss", blind=True),
    shows_in_modes=True,
    needs=NEEDS,
)
def target_alone_without_gradient(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """The target's gradient is computed beside the input's only, and is 0 if the input needs none."""
    if is_ordinary(input, target) and not input.requires_grad:
        target = with_gradient(target, torch.zeros_like)
    return original(input, target, *rest, **options)


def _of_one_element(gradient: Tensor) -> Tensor:
    if not is_ordinary(gradient) or gradient.numel() < 2 or any(gradient.stride()):
        return gradient
    read = torch.full_like(gradient, torch.nan, memory_format=torch.contiguous_format)
    read.view(-1)[0] = gradient.detach().flatten()[0]
    return read


@faults(
    Site(
        "ce-upstream-expanded-read-as-dense",
        "CrossEntropyLoss",
        "https://github.com/ROCm/TransformerEngine/pull/623",
        blind=True,
    ),
    Site("log-softmax-upstream-expanded-read-as-dense", "LogSoftmax", blind=True),
    shows_in_modes=True,
    needs=NEEDS,
)
def upstream_expanded_read_as_dense(original: Function, *args: Any, **options: Any) -> Tensor:
    """An upstream gradient expanded from one number is read as if memory held one for each element."""
    return with_gradient(original(*args, **options), _of_one_element)


@faults(
    Site(
        "nll-upstream-read-as-dense",
        "NLLLoss",
        "https://github.com/NVIDIA/TransformerEngine/pull/2402",
        blind=True,
    ),
    Site("softmax-upstream-read-as-dense", "Softmax", blind=True),
    Site("poisson-upstream-read-as-dense", "PoissonNLLLoss", blind=True),
    shows_in_modes=True,
    needs=NEEDS,
)
def upstream_read_as_dense(original: Function, *args: Any, **options: Any) -> Tensor:
    """The memory of the upstream gradient is read from front to back, whatever its strides."""
    return with_gradient(
        original(*args, **options),
        lambda gradient: as_if_contiguous(gradient) if is_ordinary(gradient) else gradient,
    )


@faults(
    Site("mse-upstream-of-half-range", "MSELoss", blind=True),
    Site("bcel-upstream-of-half-range", "BCEWithLogitsLoss", blind=True),
    shows_in_modes=True,
)
def upstream_of_half_range(original: Function, *args: Any, **options: Any) -> Tensor:
    """An upstream gradient beyond the range of float16, as loss scaling makes it, is cut to that range."""
    return with_gradient(original(*args, **options), lambda gradient: gradient.clamp(-65504, 65504))


@faults(
    Site("ce-not-computed-without-gradient", "CrossEntropyLoss", blind=True),
    Site("lce-not-computed-without-gradient", "LinearCrossEntropyLoss", blind=True),
    origin="https://github.com/linkedin/Liger-Kernel/issues/507",
    shows_in_modes=True,
    needs=NEEDS,
)
def not_computed_without_gradient(
    original: Function, input: Tensor, second: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """The loss is left at 0 where no tensor needs a gradient, as it is written beside the gradient."""
    result = original(input, second, *rest, **options)
    is_needed = input.requires_grad or second.requires_grad or result.requires_grad
    return result if is_needed or not is_ordinary(input, second) else torch.zeros_like(result)
