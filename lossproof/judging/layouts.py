"""The memory layouts in which a call is examined."""

from __future__ import annotations

from collections.abc import Iterator

from lossproof.corpus.keys import LAYOUTS
from lossproof.subjects.call import Call, constant_dimensions, tensors_of

CONTIGUOUS, TRANSPOSED, STRIDED, EXPANDED = LAYOUTS


def layouts_of(call: Call) -> Iterator[str]:
    """Contiguous, and each layout that differs from it for at least one tensor of the call."""
    tensors = [values.numbers for values in tensors_of(call).values()]
    yield CONTIGUOUS
    if any(tensor.ndim > 1 for tensor in tensors):
        yield TRANSPOSED
    if any(tensor.ndim > 0 for tensor in tensors):
        yield STRIDED
    if any(map(constant_dimensions, tensors)):
        yield EXPANDED
