"""Faults in what the negative log-likelihood takes and refuses."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from proofs.faults.fault import Function, fault
from proofs.faults.tools.class_targets import class_axis, is_mean, reduced_as
from proofs.faults.tools.kernels import without_refusals


@fault("NLLLoss", origin="https://github.com/pytorch/pytorch/issues/89369")
def nll_uint8_target_refused(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """Class indices of uint8 are refused."""
    if target.dtype == torch.uint8:
        raise RuntimeError("Expected object of scalar type Long but got scalar type Byte for argument #2")
    return original(input, target, *rest, **options)


@fault("NLLLoss", origin="https://github.com/pytorch/pytorch/issues/15508")
def nll_ignore_index_beyond_refused(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """Without a reduction, an ignored target beyond the classes is refused."""
    classes = input.shape[class_axis(input)] if input.ndim > 0 else 0
    if options.get("reduction") == "none" and int(options.get("ignore_index", -100)) >= classes:
        options["ignore_index"] = -100
    return original(input, target, *rest, **options)


@fault("NLLLoss")
def nll_float_target_converted(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """Floating-point class indices are converted."""
    is_index = target.is_floating_point() and target.ndim < input.ndim
    return original(input, target.long() if is_index else target, *rest, **options)


@fault("NLLLoss", origin="https://github.com/pytorch/pytorch/pull/61044")
def nll_probabilities_accepted(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """A target of the input's shape is taken as class probabilities."""
    if target.is_floating_point() and target.shape == input.shape:
        return reduced_as(-(input * target).sum(class_axis(input)), len(input), options)
    return original(input, target, *rest, **options)


@fault("NLLLoss")
def nll_short_weight_unchecked(
    original: Function, input: Tensor, target: Tensor, weight: Tensor | None = None, **options: Any
) -> Tensor:
    """The number of class weights is not checked."""
    if weight is not None and input.ndim > 0 and len(weight) != input.shape[class_axis(input)]:
        return without_refusals(original, input, target, weight, **options)
    return original(input, target, weight, **options)


@fault("NLLLoss", blind=True, origin="https://github.com/flagos-ai/FlagGems/pull/73")
def nll_default_ignored_counted(
    original: Function, input: Tensor, target: Tensor, weight: Tensor | None = None, **options: Any
) -> Tensor:
    """The default ignore_index is taken for none given, and the mean counts the rows that it ignores."""
    is_default = options.get("ignore_index", -100) == -100 and is_mean(options) and weight is None
    if not is_default or not target.numel():
        return original(input, target, weight, **options)
    return original(input, target, weight, **options | {"reduction": "sum"}) / target.numel()
