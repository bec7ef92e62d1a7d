"""PyTorch's tests of the loss functions: the entries of op_db and python_ref_db, run as in test_ops."""

# The tests are unittest's, as PyTorch's are, and PyTorch's testing code is untyped in large parts.
# ruff: noqa: PT009, PT027
# mypy: allow-untyped-calls, allow-untyped-decorators

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.testing._internal.common_device_type import OpDTypes, ops
from torch.testing._internal.common_dtype import all_types_and_complex_and
from torch.testing._internal.common_methods_invocations import op_db, python_ref_db
from torch.testing._internal.common_utils import TestGradients, noncontiguous_like, set_default_dtype

from lossproof.reference.catalogue import LOSSES
from proofs.yardstick.pytorch_tests.shared import CountingTestCase, instantiate

_FUNCTIONS = frozenset(loss.functional for loss in LOSSES.values() if loss.functional)


def _look_up_late(name: str) -> Callable[..., Any]:
    """A function that looks up torch's when it is called: an OpInfo holds what it found at import."""

    def call(*args: Any, **options: Any) -> Any:
        return getattr(nn.functional, name)(*args, **options)

    call.__name__ = name
    return call


def _of_losses(database: Iterable[Any]) -> list[Any]:
    return [info for info in database if info.name.rpartition(".")[2] in _FUNCTIONS and _is_public(info.name)]


def _is_public(name: str) -> bool:
    """Whether the function is in torch.nn.functional or torch, and not in torch.masked or torch.special."""
    return name.rpartition(".")[0].removeprefix("_refs").strip(".") in ("", "nn.functional")


OPS = _of_losses(op_db)
REFERENCES = _of_losses(python_ref_db)
for _info in OPS:
    _info.op = _look_up_late(_info.name.rpartition(".")[2])


class TestCommon(CountingTestCase):
    """The loops of test_ops that look at values, errors and dtypes."""

    @ops(
        [info for info in OPS if info.ref is not None],
        allowed_dtypes=(torch.float64, torch.long, torch.complex128),
    )
    def test_numpy_ref(self, device: str, dtype: torch.dtype, op: Any) -> None:
        """Each function against its NumPy formula, where it has one."""
        with set_default_dtype(torch.double):
            for sample in op.reference_inputs(device, dtype):
                self.compare_with_reference(op, op.ref, sample, exact_dtype=dtype is not torch.long)

    @ops(REFERENCES)
    def test_python_ref_torch_fallback(self, device: str, dtype: torch.dtype, op: Any) -> None:
        """Each function against torch._refs, without allowance for a reference that is more accurate."""
        for sample in op.reference_inputs(device, dtype, requires_grad=False):
            expected = op(sample.input, *sample.args, **sample.kwargs)
            actual = op.torch_opinfo(sample.input, *sample.args, **sample.kwargs)
            self.assertEqual(expected, actual, exact_stride=False, exact_device=True, exact_layout=True)

    @ops([info for info in OPS if info.error_inputs_func is not None], dtypes=OpDTypes.none)
    def test_errors(self, device: str, op: Any) -> None:
        """Each wrong call is refused, in the expected words."""
        for error in op.error_inputs(device):
            sample = error.sample_input
            with self.assertRaisesRegex(error.error_type, error.error_regex):
                op(sample.input, *sample.args, **sample.kwargs)

    @ops(OPS, dtypes=OpDTypes.none)
    def test_dtypes(self, device: str, op: Any) -> None:
        """The dtypes that work, forward and backward, are those of the entry."""
        for dtype in all_types_and_complex_and(torch.half, torch.bfloat16, torch.bool):
            self.assertEqual(_works(op, device, dtype), op.supports_dtype(dtype, "cpu"))
            if dtype.is_floating_point or dtype.is_complex:
                is_differentiable = dtype in op.supported_backward_dtypes("cpu")
                self.assertEqual(_works(op, device, dtype, backward=True), is_differentiable)

    @ops(OPS, allowed_dtypes=(torch.float32, torch.long, torch.complex64))
    def test_noncontiguous_samples(self, device: str, dtype: torch.dtype, op: Any) -> None:
        """Strided inputs give the values and gradients of dense ones."""
        is_differentiable = dtype in op.supported_backward_dtypes("cpu")
        for sample in op.sample_inputs(device, dtype, requires_grad=is_differentiable):
            strided = sample.noncontiguous()
            expected = op(sample.input, *sample.args, **sample.kwargs)
            actual = op(strided.input, *strided.args, **strided.kwargs)
            self.assertEqual(actual, expected)
            if is_differentiable:
                grad_output = torch.randn_like(expected)
                self.assertEqual(
                    _grads(actual, strided, noncontiguous_like(grad_output)),
                    _grads(expected, sample, grad_output),
                )


class TestBwdGradients(TestGradients):
    """The loops of test_ops_gradients."""

    @ops(OPS, allowed_dtypes=(torch.double, torch.cdouble))
    def test_fn_grad(self, device: str, dtype: torch.dtype, op: Any) -> None:
        """Gradients against differences of values."""
        self._skip_helper(op, device, dtype)
        self._grad_test_helper(device, dtype, op, op.get_op())

    @ops([info for info in OPS if info.supports_gradgrad], allowed_dtypes=(torch.double, torch.cdouble))
    def test_fn_gradgrad(self, device: str, dtype: torch.dtype, op: Any) -> None:
        """Second derivatives against differences of gradients."""
        self._skip_helper(op, device, dtype)
        self._check_helper(device, dtype, op, op.get_op(), "bwgrad_bwgrad")


class TestFwdGradients(TestGradients):
    """The loops of test_ops_fwd_gradients."""

    @ops([info for info in OPS if info.supports_forward_ad], allowed_dtypes=(torch.double, torch.cdouble))
    def test_forward_mode_AD(self, device: str, dtype: torch.dtype, op: Any) -> None:  # noqa: N802
        """Forward-mode derivatives against differences of values."""
        self._skip_helper(op, device, dtype)
        self._grad_test_helper(
            device,
            dtype,
            op,
            op.get_op(),
            check_forward_ad=True,
            check_backward_ad=False,
            check_batched_grad=False,
            check_batched_forward_grad=op.check_batched_forward_grad,
        )

    @ops([info for info in OPS if info.supports_fwgrad_bwgrad], allowed_dtypes=(torch.double, torch.cdouble))
    def test_fn_fwgrad_bwgrad(self, device: str, dtype: torch.dtype, op: Any) -> None:
        """Second derivatives, forward over reverse."""
        self._skip_helper(op, device, dtype)
        self._check_helper(device, dtype, op, op.get_op(), "fwgrad_bwgrad")


def _grads(output: Tensor, sample: Any, grad_output: Tensor) -> Sequence[Tensor | None]:
    tensors = [
        leaf for leaf in (sample.input, *sample.args) if isinstance(leaf, Tensor) and leaf.requires_grad
    ]
    output = sample.output_process_fn_grad(output)
    return torch.autograd.grad(output, tensors, grad_output, allow_unused=True)


def _works(op: Any, device: str, dtype: torch.dtype, *, backward: bool = False) -> bool:
    """Whether an operator accepts its samples in a dtype, and runs backward if ``backward`` is set."""
    requires_grad = dtype.is_floating_point or dtype.is_complex
    try:
        for sample in op.sample_inputs(device, dtype, requires_grad=requires_grad):
            output = op(sample.input, *sample.args, **sample.kwargs)
            if backward:
                _grads(output, sample, torch.randn_like(output))
    except Exception:  # any exception means that it does not accept them
        return False
    return True


VALUE_TESTS = instantiate(TestCommon)
GRADIENT_TESTS = instantiate(TestBwdGradients, TestFwdGradients)
