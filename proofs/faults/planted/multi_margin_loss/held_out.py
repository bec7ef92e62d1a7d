"""Faults in the multi-margin loss, written without sight of the cases."""

from __future__ import annotations

from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import Tensor
from torch.nn import Module, MultiMarginLoss

from proofs.faults.fault import Function, fault
from proofs.faults.tools.calls import again, named_arguments
from proofs.faults.tools.kernels import reduced
from proofs.faults.tools.ordinary import NEEDS, are_unwatched, are_unwatched_and_wide, is_ordinary
from proofs.faults.tools.uncompiled import uncompiled

_ROWS_IN_GRID = 65535


@fault("MultiMarginLoss", blind=True)
def blind_multi_margin_rows_beyond_grid(
    original: Function, input: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """There is one program per row but at most 65535 of them, so that later rows stay 0."""
    if input.dim() != 2 or input.size(0) <= _ROWS_IN_GRID:
        return original(input, target, **options)
    arguments = named_arguments(original, input, target, **options)
    losses = again(original, arguments, reduction="none")
    is_reached = torch.arange(input.size(0)) < _ROWS_IN_GRID
    return reduced(torch.where(is_reached, losses, 0), arguments["reduction"])


@fault("MultiMarginLoss", blind=True, shows_in_modes=True)
def blind_multi_margin_negative_margin_as_zero(
    original: Function, input: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """A margin below 0 counts as 0."""
    return original(input, target, **options | {"margin": max(options.get("margin", 1.0), 0.0)})


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


@fault("MultiMarginLoss", blind=True)
def heldout_3_d_weight_of_zero_as_none(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """A class whose weight is 0 is taken to have none, and counts fully."""
    weight = options.get("weight")
    if isinstance(weight, Tensor):
        options["weight"] = torch.where(weight == 0, 1, weight)
    return original(input, target, *rest, **options)


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


_FIRST_ROWS: WeakKeyDictionary[Module, int] = WeakKeyDictionary()


@fault("MultiMarginLoss", method="forward", blind=True, shows_in_modes=True, needs=NEEDS)
def heldout_5_a_first_batch_size_kept(
    original: Function, self: MultiMarginLoss, input: Tensor, target: Tensor
) -> Tensor:
    """The module divides the sum of each batch by the number of rows in its first one."""
    result = original(self, input, target)
    if not are_unwatched(input, target) or self.reduction != "mean" or input.ndim < 2 or not len(input):
        return result
    return result * (len(input) / _FIRST_ROWS.setdefault(self, len(input)))


@fault("MultiMarginLoss", blind=True)
@uncompiled
def heldout_6_d_power_as_float(original: Function, *args: Any, **options: Any) -> Tensor:
    """The square is taken if p is the int 2; a p of 2.0 counts as 1."""
    given = named_arguments(original, *args, **options)
    if not isinstance(given["p"], float) or given["p"] != 2:
        return original(*args, **options)
    return original(**given | {"p": 1})
