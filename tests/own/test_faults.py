"""The corpus catches faults planted in torch, and names the case and its line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from lossproof.corpus.reading import Corpus, load_corpus
from lossproof.judging.examination import Examiner
from lossproof.judging.known_defects import excuse, relevant
from lossproof.judging.record import Record
from lossproof.selection import signatures
from lossproof.subjects import find_subject

ROOT = Path(__file__).parents[2]
RIGHT: dict[str, Callable[..., torch.Tensor]] = {
    name: getattr(torch.nn.functional, name)
    for name in (
        "cross_entropy",
        "nll_loss",
        "binary_cross_entropy",
        "binary_cross_entropy_with_logits",
        "kl_div",
    )
}


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return load_corpus(ROOT / "cases", signatures())


def disagreeing(corpus: Corpus, functional: str, dtype: str, name: str = "torch.nn") -> list[Record]:
    """What disagrees on the cases of one loss, beyond the known defects."""
    subject = find_subject(name)
    loss = {"cross_entropy": "CrossEntropyLoss", "nll_loss": "NLLLoss", "kl_div": "KLDivLoss"}.get(
        functional
    ) or {
        "binary_cross_entropy": "BCELoss",
        "binary_cross_entropy_with_logits": "BCEWithLogitsLoss",
    }[functional]
    examiner = Examiner()
    defects = relevant(corpus.known_defects, name, subject.version(), "cpu")
    found: list[Record] = []
    for case in corpus.cases:
        is_small = all(getattr(tensor, "seed", None) is None for tensor in case.args.values())
        if case.loss == loss and is_small and case.module is None and dtype in (case.dtypes or (dtype,)):
            records, _ = excuse(examiner.examine(case, subject, dtype), defects)
            found += [record for record in records if record.outcome in ("disagree", "error")]
    return found


class _ScaledGradient(torch.autograd.Function):
    """The identity, with a gradient that is 1e-5 too large."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
        return x.clone()

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> torch.Tensor:
        return gradient * (1 + 1e-5)


class _DroppedUpstream(torch.autograd.Function):
    """The identity, with a gradient that forgets what comes from above."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
        return x.clone()

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> torch.Tensor:
        return torch.ones_like(gradient)


def weighted_mean_over_n(
    input: Any, target: Any, weight: Any = None, reduction: str = "mean", **rest: Any
) -> Any:
    right = RIGHT["cross_entropy"]
    if weight is None or reduction != "mean" or target.shape == input.shape:
        return right(input, target, weight=weight, reduction=reduction, **rest)
    return right(input, target, weight=weight, reduction="sum", **rest) / max(target.numel(), 1)


def gradient_too_large(input: Any, *args: Any, **kwargs: Any) -> Any:
    return RIGHT["cross_entropy"](_ScaledGradient.apply(input), *args, **kwargs)


def upstream_dropped(input: Any, *args: Any, **kwargs: Any) -> Any:
    return _DroppedUpstream.apply(RIGHT["cross_entropy"](input, *args, **kwargs))


def smoothing_ignored_for_probabilities(input: Any, target: Any, *args: Any, **kwargs: Any) -> Any:
    if target.shape == input.shape:
        kwargs["label_smoothing"] = 0.0
    return RIGHT["cross_entropy"](input, target, *args, **kwargs)


def out_of_range_accepted(input: Any, target: Any, *args: Any, **kwargs: Any) -> Any:
    if not target.is_floating_point() and input.ndim:
        target = target.clamp(max=input.shape[min(1, input.ndim - 1)] - 1)
    return RIGHT["cross_entropy"](input, target, *args, **kwargs)


def input_overwritten(input: Any, *args: Any, **kwargs: Any) -> Any:
    result = RIGHT["cross_entropy"](input, *args, **kwargs)
    with torch.no_grad():
        input.mul_(2)
    return result


def ignored_rows_counted(input: Any, target: Any, *args: Any, reduction: str = "mean", **kwargs: Any) -> Any:
    if reduction != "mean":
        return RIGHT["nll_loss"](input, target, *args, reduction=reduction, **kwargs)
    return RIGHT["nll_loss"](input, target, *args, reduction="sum", **kwargs) / max(target.numel(), 1)


def wide_result(*args: Any, **kwargs: Any) -> Any:
    return RIGHT["kl_div"](*args, **kwargs).double()


def batchmean_over_elements(*args: Any, reduction: str = "mean", **kwargs: Any) -> Any:
    return RIGHT["kl_div"](*args, reduction="mean" if reduction == "batchmean" else reduction, **kwargs)


def pos_weight_on_both(input: Any, target: Any, *args: Any, pos_weight: Any = None, **kwargs: Any) -> Any:
    result = RIGHT["binary_cross_entropy_with_logits"](input, target, *args, **kwargs)
    return result if pos_weight is None else result * pos_weight.max()


def unclamped(input: Any, target: Any, weight: Any = None, reduction: str = "mean", **rest: Any) -> Any:
    losses = -(target * input.log() + (1 - target) * (1 - input).log())
    losses = losses if weight is None else losses * weight
    return losses if reduction == "none" else losses.sum() if reduction == "sum" else losses.mean()


FAULTS: list[tuple[str, Callable[..., Any], str]] = [
    ("cross_entropy", weighted_mean_over_n, "value"),
    ("cross_entropy", gradient_too_large, "gradient:input"),
    ("cross_entropy", upstream_dropped, "vjp:input"),
    ("cross_entropy", smoothing_ignored_for_probabilities, "value"),
    ("cross_entropy", out_of_range_accepted, "raises"),
    ("cross_entropy", input_overwritten, "unchanged"),
    ("nll_loss", ignored_rows_counted, "value"),
    ("kl_div", wide_result, "value"),
    ("kl_div", batchmean_over_elements, "value"),
    ("binary_cross_entropy_with_logits", pos_weight_on_both, "value"),
    ("binary_cross_entropy", unclamped, "value"),
]


@pytest.mark.parametrize("functional", RIGHT)
def test_nothing_is_caught_where_nothing_is_wrong(corpus: Corpus, functional: str) -> None:
    assert disagreeing(corpus, functional, "float32") == []


@pytest.mark.parametrize(
    ("functional", "fault", "quantity"), FAULTS, ids=[fault.__name__ for _, fault, _ in FAULTS]
)
def test_a_fault_is_caught(
    corpus: Corpus, monkeypatch: pytest.MonkeyPatch, functional: str, fault: Callable[..., Any], quantity: str
) -> None:
    monkeypatch.setattr(torch.nn.functional, functional, fault)
    caught = [record for record in disagreeing(corpus, functional, "float32") if record.quantity == quantity]
    assert caught
    lines = (ROOT / caught[0].file).read_text().splitlines()
    assert f"id: {caught[0].case}" in lines[caught[0].line - 1]
