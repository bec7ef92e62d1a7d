"""Faults in the module of the margin ranking loss, not in its function."""

from __future__ import annotations

from typing import Any

from torch.nn import MarginRankingLoss

from proofs.faults.fault import Function, fault


@fault("MarginRankingLoss", origin="https://github.com/pytorch/pytorch/pull/1378", method="__init__")
def margin_ranking_module_margin_dropped(
    original: Function, self: MarginRankingLoss, *args: Any, **options: Any
) -> None:
    """The constructor forgets the margin that it was given."""
    original(self, *args, **options)
    self.margin = 0.0


@fault("MarginRankingLoss", method="__setstate__")
def margin_ranking_module_copied_without_margin(
    original: Function, self: MarginRankingLoss, state: Any
) -> None:
    """A copy of the module has lost its margin."""
    original(self, state)
    self.margin = 0.0
