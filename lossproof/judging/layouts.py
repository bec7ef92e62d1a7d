"""The memory layouts in which a call is examined."""

from __future__ import annotations

from collections.abc import Iterator

from lossproof.corpus.keys import LAYOUTS
from lossproof.subjects.call import Call, constant_dimensions, tensors_of

CONTIGUOUS, TRANSPOSED, STRIDED, EXPANDED = LAYOUTS


def other_layouts(call: Call) -> Iterator[str]:
    """The layouts that differ from the contiguous one for at least one tensor of the call."""
    tensors = [values.numbers for values in tensors_of(call).values()]
    if any(tensor.ndim > 1 for tensor in tensors):
        yield TRANSPOSED
    if any(tensor.ndim > 0 for tensor in tensors):
        yield STRIDED
    if any(map(constant_dimensions, tensors)):
        yield EXPANDED
