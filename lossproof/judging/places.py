"""Places in an array."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt


def place_of(numbers: npt.NDArray[Any]) -> tuple[int, ...]:
    """The index of the largest number, or of the first true boolean; the first if there are several."""
    return tuple(int(index) for index in np.unravel_index(int(np.argmax(numbers)), numbers.shape))
