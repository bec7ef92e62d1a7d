"""What the tests have in common."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch.testing._internal.common_device_type import instantiate_device_type_tests
from torch.testing._internal.common_utils import TestCase

from proofs.faults.fault import Fault, Function

# The parameters of the functions that are not written in Python; two are required.
_BUILT_IN = {
    "pairwise_distance": ("x1", "x2", "p", "eps", "keepdim"),
    "cosine_similarity": ("x1", "x2", "dim", "eps"),
}
# ctc_loss takes them as tuples too.
_LENGTHS = ("input_lengths", "target_lengths")


class CountingTestCase(TestCase):
    """A test case that counts the comparisons of values."""

    comparisons = 0

    def assertEqual(self, *args: Any, **options: Any) -> None:  # noqa: N802 # unittest's name
        """Compare as PyTorch does, and count."""
        CountingTestCase.comparisons += 1
        super().assertEqual(*args, **options)  # noqa: PT009 # a PyTorch test


def instantiate(*generic_classes: type[TestCase]) -> tuple[type[TestCase], ...]:
    """TestModuleCPU for TestModule and so on: with a method for each loss, dtype and mode."""
    scope = {cls.__name__: cls for cls in generic_classes}
    for cls in generic_classes:
        instantiate_device_type_tests(cls, scope, only_for="cpu")  # type: ignore[no-untyped-call] # PyTorch's
    return tuple(scope.values())


def with_plain_calls(fault: Fault) -> Fault:
    """The fault, called as by lossproof: required arguments by position, others by name, lengths as tensors.

    A fault is written for such calls, and PyTorch's tests should not judge how a patch is written.
    """

    def plainly(original: Function, *args: Any, **options: Any) -> Any:
        names, required = _parameters(original)
        if len(args) > len(names):
            return fault.replacement(original, *args, **options)
        arguments = dict(zip(names, args, strict=False)) | options
        arguments |= {name: torch.as_tensor(arguments[name]) for name in _LENGTHS if name in arguments}
        if not arguments.keys() >= set(required):
            return fault.replacement(original, *args, **options)
        return fault.replacement(original, *(arguments.pop(name) for name in required), **arguments)

    return dataclasses.replace(fault, replacement=plainly)


def _parameters(function: Callable[..., Any]) -> tuple[Sequence[str], Sequence[str]]:
    """The names of a function's positional parameters, and of those that are required."""
    if function.__name__ in _BUILT_IN:
        names = _BUILT_IN[function.__name__]
        return names, names[:2]
    parameters = [
        parameter
        for parameter in inspect.signature(function).parameters.values()
        if parameter.kind is parameter.POSITIONAL_OR_KEYWORD
    ]
    required = [parameter.name for parameter in parameters if parameter.default is parameter.empty]
    return [parameter.name for parameter in parameters], required
