"""Each mode of torch catches a fault planted in it, and its program shows that fault alone."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
import torch
from mode_cases import CASES, modes_of
from snippet_runs import fails_as_told, outcome_of

from lossproof.subjects.torch.modes.table import MODES

RIGHT = torch.nn.functional.binary_cross_entropy_with_logits
FLOAT64 = {name for name, mode in MODES.items() if "float64" in mode.dtypes}


class _Identity(torch.autograd.Function):
    """The identity, written such that every transformation applies; faults are planted in subclasses."""

    generate_vmap_rule = True

    @staticmethod
    def forward(x: Any) -> Any:
        return x.clone()

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        pass

    @staticmethod
    def backward(ctx: Any, upstream: Any) -> Any:
        return upstream

    @staticmethod
    def jvp(ctx: Any, tangent: Any) -> Any:
        return tangent.clone()


class _NoSecondDerivative(_Identity):
    @staticmethod
    def backward(ctx: Any, upstream: Any) -> Any:
        return upstream.detach()


class _NoJvp(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        return x.clone()

    @staticmethod
    def backward(ctx: Any, upstream: Any) -> Any:
        return upstream


class _WrongJvp(_Identity):
    @staticmethod
    def jvp(ctx: Any, tangent: Any) -> Any:
        return tangent * (1 + 1e-10)


def through(function: type[torch.autograd.Function]) -> Callable[..., Any]:
    """The loss of an input that passed through a function."""
    passed_through: Callable[..., Any] = function.apply
    return lambda input, *args, **kwargs: RIGHT(passed_through(input), *args, **kwargs)


def squared_second(input: Any, target: Any, *args: Any, **kwargs: Any) -> Any:
    """The right value and gradient, and a second derivative that is too large."""
    extra = (input - input.detach()).square().sum()
    return RIGHT(input, target, *args, **kwargs) + 0.01 * extra


def batch_mixed_up(input: Any, *args: Any, **kwargs: Any) -> Any:
    if torch._C._functorch.is_batchedtensor(input):
        whole = torch._C._functorch.get_unwrapped(input)
        input = torch.zeros_like(input) + whole.mean(0)
    return RIGHT(input, *args, **kwargs)


def other_under_grad(input: Any, *args: Any, **kwargs: Any) -> Any:
    factor = 2 if torch._C._functorch.is_gradtrackingtensor(input) else 1
    return RIGHT(input, *args, **kwargs) * factor


def kept_shape_of_abstract(input: Any, *args: Any, **kwargs: Any) -> Any:
    result = RIGHT(input, *args, **kwargs)
    return result.reshape(1) if input.is_meta or type(input).__name__ == "FakeTensor" else result


def computed_on_meta(input: Any, *args: Any, **kwargs: Any) -> Any:
    result = RIGHT(input, *args, **kwargs)
    return torch.zeros(()) + 0 * torch.ones((), requires_grad=True) if input.is_meta else result


def wide_on_meta(input: Any, *args: Any, **kwargs: Any) -> Any:
    result = RIGHT(input, *args, **kwargs)
    return result.double() if input.is_meta else result


def subclass_lost(input: Any, *args: Any, **kwargs: Any) -> Any:
    result = RIGHT(input, *args, **kwargs)
    return result.as_subclass(torch.Tensor)


def weight_lost_for_subclass(input: Any, target: Any, *args: Any, **kwargs: Any) -> Any:
    if type(input) is not torch.Tensor:
        target = target * 0
    return RIGHT(input, target, *args, **kwargs)


def remembered(input: Any, *args: Any, **kwargs: Any) -> Any:
    """Off by a unit in the last place, well within the budget, when it sees a tensor again."""
    again = getattr(input, "seen", False)
    input.seen = True
    return RIGHT(input, *args, **kwargs) * (1 + 1.2e-7 * again)


def off_with_threads(*args: Any, **kwargs: Any) -> Any:
    return RIGHT(*args, **kwargs) * (1 + 1e-5 * (torch.get_num_threads() - 1))


def off_in_channels_last(input: Any, *args: Any, **kwargs: Any) -> Any:
    result = RIGHT(input, *args, **kwargs)
    is_odd = input.ndim == 4 and not input.is_contiguous()
    return result * 2 if is_odd and input.is_contiguous(memory_format=torch.channels_last) else result


def off_under_autocast(*args: Any, **kwargs: Any) -> Any:
    result = RIGHT(*args, **kwargs)
    return result * 1.0001 if torch.is_autocast_enabled("cpu") else result


def wide_under_autocast(*args: Any, **kwargs: Any) -> Any:
    result = RIGHT(*args, **kwargs)
    return result.double() if torch.is_autocast_enabled("cpu") else result


def crashing_under_vmap(input: Any, *args: Any, **kwargs: Any) -> Any:
    if torch._C._functorch.is_batchedtensor(input):
        raise IndexError("tuple index out of range")
    return RIGHT(input, *args, **kwargs)


FAULTS: list[tuple[Callable[..., Any], str, str, str, str]] = [
    (through(_NoSecondDerivative), "plain", "double_backward:input", "disagree", "budget"),
    (through(_NoJvp), "plain", "jvp", "unsupported", "must implement the jvp function"),
    (through(_WrongJvp), "plain", "jvp", "disagree", "budget"),
    (squared_second, "plain", "double_backward:input", "disagree", "budget"),
    (squared_second, "plain", "forward_over_reverse:input", "disagree", "budget"),
    (batch_mixed_up, "plain", "vmap", "disagree", "budget"),
    (crashing_under_vmap, "plain", "vmap", "error", "raised IndexError: tuple index out of range"),
    (other_under_grad, "plain", "func.grad:input", "disagree", "budget"),
    (kept_shape_of_abstract, "plain", "meta", "error", "shape"),
    (kept_shape_of_abstract, "plain", "fake", "error", "shape"),
    (computed_on_meta, "plain", "meta", "disagree", "has numbers"),
    (wide_on_meta, "plain", "meta", "disagree", "is float64, should be float32"),
    (subclass_lost, "plain", "subclass", "disagree", "plain Tensor"),
    (weight_lost_for_subclass, "plain", "subclass", "disagree", "budget"),
    (remembered, "plain", "twice", "disagree", "must be exact"),
    (off_with_threads, "large", "threads", "disagree", "budget"),
    (off_in_channels_last, "image", "channels_last", "disagree", "budget"),
    (off_under_autocast, "plain", "autocast", "disagree", "budget"),
    (wide_under_autocast, "plain", "autocast", "disagree", "is float64, should be float32"),
]


@pytest.mark.parametrize(
    ("fault", "case", "quantity", "outcome", "message"),
    FAULTS,
    ids=[f"{quantity}-{place}" for place, (_, _, quantity, _, _) in enumerate(FAULTS)],
)
def test_a_fault_is_caught(
    monkeypatch: pytest.MonkeyPatch,
    fault: Callable[..., Any],
    case: str,
    quantity: str,
    outcome: str,
    message: str,
) -> None:
    monkeypatch.setattr(torch.nn.functional, "binary_cross_entropy_with_logits", fault)
    records = modes_of(CASES[case])
    dtype = "float64" if quantity.partition(":")[0] in FLOAT64 else "float32"
    record = records[quantity, dtype]
    assert record.outcome == outcome, record.message
    assert re.search(message, record.message), record.message


@pytest.mark.parametrize(
    ("fault", "case"),
    {(fault, case): None for fault, case, _, outcome, _ in FAULTS if outcome != "unsupported"},
)
def test_the_snippet_of_a_mode_fails_as_told_and_passes_on_a_right_torch(
    monkeypatch: pytest.MonkeyPatch, fault: Callable[..., Any], case: str
) -> None:
    monkeypatch.setattr(torch.nn.functional, "binary_cross_entropy_with_logits", fault)
    failed = [record for record in modes_of(CASES[case]).values() if record.outcome in ("disagree", "error")]
    assert failed
    for record in failed:
        assert fails_as_told(record), record
    monkeypatch.undo()
    for record in failed:
        assert outcome_of(record) == "passes", record
