"""A call whose gradients alone are wrong is still examined in the ways that have none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from examined_cases import cases_of

from lossproof.checks.examination import Examiner
from lossproof.records.record import Record
from lossproof.subjects.registry import find_subject

[CASE] = cases_of(
    """\
cases:
  - id: plain
    title: an error
    loss: MSELoss
    args: {input: [[0.5, -1], [2, 0.25]], target: [[0.75, 1], [2.5, 3]]}
    dtypes: [float32]
    reductions: [none]
"""
).values()
_WITHOUT_GRADIENTS = {"no_grad", "inference_mode", "without_gradients"}
_mse_loss: Callable[..., torch.Tensor] = torch.nn.functional.mse_loss


def _with_wrong_gradient(input: torch.Tensor, target: torch.Tensor, **options: Any) -> torch.Tensor:
    right = _mse_loss(input, target, **options)
    return right.detach() + 2 * (right - right.detach())


def _wrong_where_no_gradient_is_wanted(
    input: torch.Tensor, target: torch.Tensor, **options: Any
) -> torch.Tensor:
    if not torch.is_grad_enabled():
        return 2 * _mse_loss(input, target, **options)
    return _with_wrong_gradient(input, target, **options)


def _records() -> list[Record]:
    examiner = Examiner(with_all_ways=True, with_illustrations=False)
    return examiner.examine(CASE, find_subject("torch.nn.functional"), "float32")


def test_only_ways_without_gradients_follow_a_wrong_gradient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.nn.functional, "mse_loss", _with_wrong_gradient)
    records = _records()
    assert {str(one.quantity) for one in records if one.outcome.is_failing} >= {"gradient:input"}
    contiguous = {str(one.quantity) for one in records if one.layout == "contiguous"}
    assert contiguous >= _WITHOUT_GRADIENTS
    assert not contiguous & {"only_first", "after_layer", "offset", "accumulated"}


def test_they_find_what_is_wrong_there_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.nn.functional, "mse_loss", _wrong_where_no_gradient_is_wanted)
    failing = {str(one.quantity) for one in _records() if one.outcome.is_failing}
    assert failing & _WITHOUT_GRADIENTS == {"no_grad", "inference_mode"}
