"""What the tests have in common."""

from __future__ import annotations

from typing import Any

from torch.testing._internal.common_device_type import instantiate_device_type_tests
from torch.testing._internal.common_utils import TestCase


class Counted(TestCase):
    """Counts the comparisons of values."""

    comparisons = 0

    def assertEqual(self, *args: Any, **options: Any) -> None:  # noqa: N802 # unittest's name
        """Compare as PyTorch does, and count."""
        Counted.comparisons += 1
        super().assertEqual(*args, **options)  # noqa: PT009 # a test of PyTorch's


def instantiated(*generic_classes: type[TestCase]) -> tuple[type[TestCase], ...]:
    """TestModuleCPU for TestModule and so on: with a method for each loss, dtype and mode."""
    scope = {cls.__name__: cls for cls in generic_classes}
    for cls in generic_classes:
        instantiate_device_type_tests(cls, scope, only_for="cpu")  # type: ignore[no-untyped-call] # PyTorch's
    return tuple(scope.values())
