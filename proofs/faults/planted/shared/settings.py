"""Faults in unusual settings, of mistakes that several losses share."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from proofs.faults.fault import Function
from proofs.faults.mistake import Site, faults
from proofs.faults.tools.class_targets import class_axis
from proofs.faults.tools.gradients import with_gradient


@faults(
    Site("hinge-embedding-margin-zero-is-default", "HingeEmbeddingLoss", blind=True),
    Site("multi-margin-margin-zero-is-default", "MultiMarginLoss", blind=True),
)
def margin_zero_is_default(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """A margin of 0 is falsy, and taken for none given."""
    return original(*args, **options | {"margin": options.get("margin") or 1.0})


@faults(
    Site("margin-ranking-negative-margin-is-none", "MarginRankingLoss", blind=True),
    Site("multi-margin-negative-margin-is-none", "MultiMarginLoss", blind=True),
)
def negative_margin_is_none(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """A negative margin is taken for 0."""
    if options.get("margin", 0.0) < 0:
        options["margin"] = 0.0
    return original(*args, **options)


@faults(
    Site("huber-summed-by-default", "HuberLoss", blind=True),
    Site("poisson-summed-by-default", "PoissonNLLLoss", blind=True),
    shows_in_modes=True,
)
def summed_by_default(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """Where no reduction is given, the losses are summed."""
    is_old = options.get("size_average") is not None or options.get("reduce") is not None
    return original(*args, **options if is_old else {"reduction": "sum"} | options)


@faults(
    Site("ce-long-weight-cut", "CrossEntropyLoss", blind=True),
    Site("nll-long-weight-cut", "NLLLoss", blind=True),
)
def long_weight_cut(
    original: Function, input: Tensor, target: Tensor, weight: Tensor | None = None, **options: Any
) -> Tensor:
    """Of more weights than there are classes, the first are taken."""
    if weight is not None and weight.ndim == 1 and input.ndim:
        weight = weight[: input.shape[class_axis(input)]]
    return original(input, target, weight, **options)


@faults(
    Site("ce-target-of-32-bits", "CrossEntropyLoss", blind=True),
    Site("nll-target-of-32-bits", "NLLLoss", blind=True),
    Site("multi-margin-target-of-32-bits", "MultiMarginLoss", blind=True),
)
def target_of_32_bits(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """Class indices lose all but 32 of their bits before they are checked."""
    if target.dtype == torch.int64:
        target = target.to(torch.int32).long()
    return original(input, target, *rest, **options)


@faults(
    Site("ce-ignore-index-of-32-bits", "CrossEntropyLoss", blind=True),
    Site("nll-ignore-index-of-32-bits", "NLLLoss", blind=True),
)
def ignore_index_of_32_bits(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """The ignore_index loses all but 32 of its bits, so that 2^32 ignores class 0."""
    index = int(options.get("ignore_index", -100))
    narrow = (index + 2**31) % 2**32 - 2**31
    return original(
        input, target, *rest, **options if narrow == index else options | {"ignore_index": narrow}
    )


@faults(
    Site("ce-classes-last-if-square", "CrossEntropyLoss", blind=True),
    Site("nll-classes-last-if-square", "NLLLoss", blind=True),
)
def classes_last_if_square(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """The classes are taken to be in the last dimension where that is as long as their own."""
    is_square = input.ndim == 3 and input.shape[1] == input.shape[2] and target.ndim == 2
    return original(input.transpose(1, 2) if is_square else input, target, *rest, **options)


@faults(
    Site("mse-upstream-of-zero-hides-nan", "MSELoss", blind=True),
    Site("bcel-upstream-of-zero-hides-nan", "BCEWithLogitsLoss", blind=True),
    shows_in_modes=True,
)
def upstream_of_zero_hides_nan(original: Function, input: Tensor, *rest: Any, **options: Any) -> Tensor:
    """Losses with an upstream gradient of 0 are skipped, also where 0 times the slope is nan."""
    upstream: list[Tensor] = []

    def keep(gradient: Tensor) -> Tensor:
        upstream.append(gradient.detach())
        return gradient

    def skip(gradient: Tensor) -> Tensor:
        received = upstream.pop() if upstream else torch.ones_like(gradient)
        fits = received.ndim == 0 or received.shape == gradient.shape
        return torch.where(received == 0, 0, gradient) if fits else gradient

    return with_gradient(original(with_gradient(input, skip), *rest, **options), keep)


@faults(
    Site("nll-weight-of-zeros-is-none", "NLLLoss", blind=True),
    Site("bce-weight-of-zeros-is-none", "BCELoss", blind=True),
    Site("mlsm-weight-of-zeros-is-none", "MultiLabelSoftMarginLoss", blind=True),
)
def weight_of_zeros_is_none(
    original: Function, input: Tensor, target: Tensor, weight: Tensor | None = None, **options: Any
) -> Tensor:
    """Weights that are all 0 are taken for none given, as any() is asked of them."""
    result = original(input, target, weight=weight, **options)
    is_nothing = weight is not None and weight.numel() > 0 and not bool(weight.any())
    return original(input, target, **options) if is_nothing else result
