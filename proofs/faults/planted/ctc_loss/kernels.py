"""Faults that a kernel of the CTC loss may have."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from proofs.faults.fault import Function, fault


@fault("CTCLoss", blind=True)
def ctc_label_of_8_bits(
    original: Function, log_probs: Tensor, targets: Tensor, *lengths: Tensor, **options: Any
) -> Tensor:
    """Labels are kept in 8 bits with a sign, so that 128 wraps around to -128."""
    classes = log_probs.shape[-1]
    is_wide = (targets > 127) & (targets < classes)
    wrapped = (targets.to(torch.int8).long() % max(classes, 1)).to(targets.dtype)
    return original(log_probs, torch.where(is_wide, wrapped, targets), *lengths, **options)


@fault("CTCLoss", blind=True)
def ctc_single_frame_is_blank(
    original: Function, log_probs: Tensor, targets: Tensor, *lengths: Tensor, **options: Any
) -> Tensor:
    """The only frame of a call with one frame can be a blank alone, as labels begin with the next."""
    right = original(log_probs, targets, *lengths, **options)
    if log_probs.shape[0] != 1:
        return right
    is_label = torch.arange(log_probs.shape[-1]) != options.get("blank", 0)
    return original(log_probs.masked_fill(is_label, -torch.inf), targets, *lengths, **options)
