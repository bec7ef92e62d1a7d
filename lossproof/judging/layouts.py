"""In which layouts of memory a call is tried."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from lossproof.corpus.keys import LAYOUTS
from lossproof.subjects.call import Call, Values

CONTIGUOUS, TRANSPOSED, STRIDED, EXPANDED = LAYOUTS


def layouts_of(call: Call) -> Iterator[str]:
    """Contiguous, and each layout that makes a difference to one of a call's tensors."""
    tensors = [
        value.numbers for value in (*call.args.values(), *call.params.values()) if isinstance(value, Values)
    ]
    yield CONTIGUOUS
    if any(tensor.ndim > 1 for tensor in tensors):
        yield TRANSPOSED
    if any(tensor.ndim > 0 for tensor in tensors):
        yield STRIDED
    if any(_is_constant_along_a_dimension(tensor) for tensor in tensors):
        yield EXPANDED


def _is_constant_along_a_dimension(numbers: npt.NDArray[np.float64]) -> bool:
    return any(
        size > 1 and bool(np.all(numbers == numbers.take([0], axis=axis)))
        for axis, size in enumerate(numbers.shape)
    )
