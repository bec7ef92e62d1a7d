"""PyTorch's tests of the loss modules: the entries of module_db, run as in test_modules."""

# The tests are unittest's, as PyTorch's are, and PyTorch's testing code is untyped in large parts.
# ruff: noqa: PT009, PT027
# mypy: allow-untyped-calls, allow-untyped-decorators

from __future__ import annotations

import io
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.testing._internal.common_modules import ModuleErrorEnum, module_db, modules
from torch.testing._internal.common_utils import freeze_rng_state, gradcheck, gradgradcheck
from torch.utils._pytree import tree_flatten, tree_map, tree_unflatten

from lossproof.reference.catalogue import LOSSES
from proofs.yardstick.pytorch_tests.shared import CountingTestCase, instantiate

MODULES = [info for info in module_db if info.name.removeprefix("nn.") in LOSSES]


class TestModule(CountingTestCase):
    """The loops of test_modules."""

    # The tolerances of test_modules, which are lower limits for all dtypes.
    precision = 1e-5
    rel_tol = 1e-5

    @modules(MODULES)
    def test_forward(self, device: str, dtype: torch.dtype, module_info: Any, training: bool) -> None:
        """Each module against its reference, where it has one."""
        for sample in _samples(module_info, device, dtype, training):
            with freeze_rng_state():
                module = _build(sample, module_info).to(dtype)
                forward = sample.forward_input
                outputs = module(*forward.args, **forward.kwargs)
                if sample.reference_fn is not None:
                    expected = sample.reference_fn(module, *forward.args, **forward.kwargs)
                    self.assertEqual(outputs, expected)

    @modules([info for info in MODULES if info.module_error_inputs_func is not None])
    def test_errors(self, device: str, dtype: torch.dtype, module_info: Any, training: bool) -> None:
        """Each wrong constructor or call is refused, in the expected words."""
        wrong = module_info.module_error_inputs_func(
            module_info, device=device, dtype=dtype, requires_grad=False, training=training
        )
        for error in wrong:
            sample = error.module_error_input
            if error.error_on == ModuleErrorEnum.CONSTRUCTION_ERROR:
                with self.assertRaisesRegex(error.error_type, error.error_regex):
                    _build(sample, module_info)
            else:
                module, forward = _build(sample, module_info), sample.forward_input
                with self.assertRaisesRegex(error.error_type, error.error_regex):
                    module(*forward.args, **forward.kwargs)

    @modules(MODULES)
    def test_repr(self, device: str, dtype: torch.dtype, module_info: Any, training: bool) -> None:
        """Each module prints itself."""
        for sample in _samples(module_info, device, dtype, training):
            str(_build(sample, module_info).to(dtype))

    @modules(MODULES)
    def test_save_load(self, device: str, dtype: torch.dtype, module_info: Any, training: bool) -> None:
        """Modules that were saved, whole or by their state, give the same results as the first one."""
        for sample in _samples(module_info, device, dtype, training):
            with freeze_rng_state():
                module, again = (_build(sample, module_info).to(dtype) for _ in range(2))
                forward = sample.forward_input
                outputs = module(*forward.args, **forward.kwargs)
                state = module.state_dict()
                loaded = _round_trip(state)
                self.assertEqual(loaded, state)
                again.load_state_dict(loaded)
                for other in (again, _round_trip(module)):
                    self.assertEqual(other(*forward.args, **forward.kwargs), outputs)

    @modules(MODULES)
    def test_non_contiguous_tensors(
        self, device: str, dtype: torch.dtype, module_info: Any, training: bool
    ) -> None:
        """Strided inputs give the values and gradients of dense ones."""
        for sample in _samples(module_info, device, dtype, training, requires_grad=True):
            module = _build(sample, module_info).to(dtype)
            dense = (sample.forward_input.args, sample.forward_input.kwargs)
            grad_output: Tensor | None = None
            expected: Any = None
            for inputs in (dense, tree_map(_strided, dense)):
                tensors = [
                    leaf
                    for leaf in [*tree_flatten(inputs)[0], *module.parameters()]
                    if isinstance(leaf, Tensor) and leaf.requires_grad
                ]
                output = module(*inputs[0], **inputs[1])
                if grad_output is None:
                    grad_output = torch.randn_like(output)
                grads = torch.autograd.grad(output, tensors, grad_output, allow_unused=True)
                if expected is None:
                    expected = output, grads
                self.assertEqual(output, expected[0])
                self.assertEqual(grads, expected[1], atol=1e-4, rtol=0)

    @modules(MODULES, allowed_dtypes=[torch.double])
    def test_grad(self, device: str, dtype: torch.dtype, module_info: Any, training: bool) -> None:
        """Gradients against differences of values."""
        self._check(gradcheck, device, dtype, module_info, training)

    @modules([info for info in MODULES if info.supports_gradgrad], allowed_dtypes=[torch.double])
    def test_gradgrad(self, device: str, dtype: torch.dtype, module_info: Any, training: bool) -> None:
        """Second derivatives against differences of gradients."""
        self._check(gradgradcheck, device, dtype, module_info, training)

    def _check(
        self, check: Callable[..., bool], device: str, dtype: torch.dtype, module_info: Any, training: bool
    ) -> None:
        for sample in _samples(module_info, device, dtype, training, requires_grad=True):
            module = _build(sample, module_info).to(dtype)
            forward = sample.forward_input
            flat, structure = tree_flatten((forward.args, forward.kwargs))

            def call(*leaves: Any, module: nn.Module = module, structure: Any = structure) -> Any:
                args, options = tree_unflatten(leaves[: structure.num_leaves], structure)
                with freeze_rng_state():
                    return module(*args, **options)

            self.assertTrue(check(call, (*flat, *module.parameters())))


def _samples(
    module_info: Any, device: str, dtype: torch.dtype, training: bool, *, requires_grad: bool = False
) -> Iterable[Any]:
    samples = module_info.module_inputs_func(
        module_info, device=device, dtype=dtype, requires_grad=requires_grad, training=training
    )
    return [sample for sample in samples if sample.forward_input is not None]


def _build(sample: Any, module_info: Any) -> nn.Module:
    """The module of a sample; its class is looked up now, since a fault may have replaced it."""
    constructor = sample.constructor_input
    cls = getattr(nn, module_info.module_cls.__name__)
    module: nn.Module = cls(*constructor.args, **constructor.kwargs)
    return module


def _round_trip(content: Any) -> Any:
    file = io.BytesIO()
    torch.save(content, file)
    file.seek(0)
    return torch.load(file, weights_only=False)


def _strided(leaf: Any) -> Any:
    """Every second element of a tensor that holds each twice."""
    if not isinstance(leaf, Tensor) or leaf.dim() == 0:
        return leaf
    return leaf.detach().repeat_interleave(2, dim=-1)[..., ::2].requires_grad_(leaf.requires_grad)


MODULE_TESTS = instantiate(TestModule)
