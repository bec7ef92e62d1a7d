"""PyTorch's older tests of its losses: the entries of common_nn, run as in test_nn."""

# PyTorch's own testing code is untyped in large parts.
# mypy: allow-untyped-calls

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from torch import Tensor, nn
from torch.testing._internal import common_nn
from torch.testing._internal.common_utils import freeze_rng_state, set_rng_seed

from lossproof.reference.catalogue import LOSSES
from proofs.yardstick.pytorch_tests.shared import CountingTestCase

# The functions of entries that do not begin with the name of a module.
_FUNCTIONAL = ("softmax", "log_softmax")


class TestNN(CountingTestCase, common_nn.NNTestCase):
    """The methods that an entry of common_nn needs from its test class."""

    def _forward(self, module: nn.Module, inputs: Any) -> Any:
        with freeze_rng_state():
            return module(*inputs) if isinstance(inputs, tuple) else module(inputs)

    def _backward(
        self, module: nn.Module, inputs: Any, output: Tensor, grad_output: Any, create_graph: bool = False
    ) -> Any:
        output.backward(grad_output, retain_graph=True, create_graph=create_graph)
        return tuple(item.grad for item in inputs) if isinstance(inputs, tuple) else inputs.grad

    def _forward_criterion(
        self, criterion: nn.Module, inputs: Any, target: Any, extra_args: tuple[Any, ...] = ()
    ) -> Any:
        inputs = inputs if isinstance(inputs, tuple) else (inputs,)
        return criterion(*inputs, target, *extra_args)

    def _get_parameters(self, module: nn.Module) -> tuple[list[nn.Parameter], list[Any]]:
        parameters = list(module.parameters())
        return parameters, [parameter.grad for parameter in parameters]

    def _zero_grad_parameters(self, module: nn.Module) -> None:
        module.zero_grad(set_to_none=False)


def _entries() -> Iterator[common_nn.TestBase]:
    for entry in (*common_nn.module_tests, *common_nn.get_new_module_tests()):
        yield common_nn.NewModuleTest(**_with_constructor(entry))
    for entry in common_nn.criterion_tests:
        yield common_nn.CriterionTest(**_with_constructor(entry))


def _with_constructor(entry: Mapping[str, Any]) -> dict[str, Any]:
    rest = dict(entry)
    name = rest.pop("module_name", None)
    return rest if name is None else {"constructor": getattr(nn, name)} | rest


def _is_of_a_loss(name: str) -> bool:
    return name.lower().startswith(tuple(loss.lower() for loss in LOSSES) + _FUNCTIONAL)


def _add(name: str) -> None:
    def test(self: TestNN) -> None:
        # A new entry, since entries keep their inputs with gradients, and the functions that they found.
        entry = next(entry for entry in _entries() if entry.get_name() == name)
        set_rng_seed()
        entry(self)

    setattr(TestNN, name, test)


for _entry in _entries():
    if _is_of_a_loss(_entry.get_name().removeprefix("test_")):
        _add(_entry.get_name())
