"""Faults of class indices kept in 8 bits, of mistakes that several losses share."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from proofs.faults.fault import Function
from proofs.faults.mistake import Site, faults
from proofs.faults.tools.class_targets import class_axis


@faults(
    Site("ce-index-of-8-bits", "CrossEntropyLoss", blind=True),
    Site("nll-index-of-8-bits", "NLLLoss", blind=True),
    Site("multi-margin-index-of-8-bits", "MultiMarginLoss", blind=True),
    Site("mlm-index-of-8-bits", "MultiLabelMarginLoss", blind=True),
)
def index_of_8_bits(original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any) -> Tensor:
    """Class indices are kept in 8 bits with a sign, so that 128 wraps around to -128."""
    if target.is_floating_point() or input.ndim == 0:
        return original(input, target, *rest, **options)
    classes = input.shape[class_axis(input)]
    is_wide = (target > 127) & (target < classes)
    wrapped = target.to(torch.int8).long() % max(classes, 1)
    return original(input, torch.where(is_wide, wrapped.to(target.dtype), target), *rest, **options)


@faults(
    Site("ce-ignore-index-of-8-bits", "CrossEntropyLoss", blind=True),
    Site("nll-ignore-index-of-8-bits", "NLLLoss", blind=True),
)
def ignore_index_of_8_bits(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """The ignore_index is compared in 8 bits, so that 256 ignores class 0 as well."""
    index = int(options.get("ignore_index", -100))
    wrapped = (index + 128) % 256 - 128
    if wrapped != index and not target.is_floating_point() and target.dtype != torch.uint8:
        target = torch.where(target == wrapped, index, target)
    return original(input, target, *rest, **options)
