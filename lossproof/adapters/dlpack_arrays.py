"""Arrays of any library that exchanges them by DLPack."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from lossproof.adapters.numpy_arrays import NumpyArrays


class DlpackArrays(NumpyArrays):
    """A function gets arrays that have ``__dlpack__``, which are NumPy's, and returns one that has it."""

    name = "dlpack"

    def read(self, array: Any) -> tuple[npt.NDArray[Any], str]:
        return super().read(np.from_dlpack(array))
