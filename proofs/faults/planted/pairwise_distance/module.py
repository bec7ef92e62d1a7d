"""Faults in the module of the pairwise distance, not in its function."""

from __future__ import annotations

from typing import Any

import torch
from torch.nn import Module, PairwiseDistance

from proofs.faults.fault import Function, fault
from proofs.faults.tools.modules import LossClass


@fault("PairwiseDistance", method="__init__")
def pairwise_module_eps_dropped(original: Function, *args: Any, **options: Any) -> Any:
    """The module forgets its eps."""
    return original(*args, **{**options, "eps": 1e-6})


@fault("PairwiseDistance", method="__init__")
def pairwise_module_buffer(original: Function, self: PairwiseDistance, *args: Any, **options: Any) -> None:
    """The module keeps its degree in a buffer, and so in its state."""
    original(self, *args, **options)
    self.register_buffer("degree", torch.tensor(self.norm))


class _DistanceAsLoss(LossClass):  # type: ignore[misc]  # a class by its place, not by its name
    """What PairwiseDistance would be if it were one of the losses."""

    forward = PairwiseDistance.forward


@fault("PairwiseDistance", method="__init__")
def pairwise_module_is_loss(original: Function, self: Module, *args: Any, **options: Any) -> None:
    """The module derives from the class of the losses, and so has a reduction that it does not heed."""
    original(self, *args, **options)
    self.__class__ = _DistanceAsLoss
