"""Arrays from a caller: read as they are, or refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from lossproof.reference.refusals import DtypeRefusal, ShapeRefusal

_NUMBERS = "fciub"
# Numbers of a wider format, such as longdouble, would lose digits.
_WIDEST = {"f": 8, "c": 16}


def array_of(name: str, values: npt.ArrayLike) -> npt.NDArray[Any]:
    """The numbers as a NumPy array.

    Raises:
        ShapeRefusal: where lists are ragged.
        DtypeRefusal: where they hold no numbers, or numbers beyond int64 and float64.
    """
    try:
        array = np.asarray(values)
    except ValueError as error:
        raise ShapeRefusal(f"{name} is a ragged list; give all its items the same length") from error
    except (TypeError, RuntimeError, OverflowError) as error:
        problem = f"{name} is not an array that NumPy can read ({error})"
        raise DtypeRefusal(f"{problem}; give a NumPy array") from error
    kind = array.dtype.kind
    if kind not in _NUMBERS or array.dtype.itemsize > _WIDEST.get(kind, 8):
        raise DtypeRefusal(f"{name} holds {array.dtype}; it must hold numbers of at most float64 or int64")
    return array


def holds_whole_numbers(array: npt.NDArray[Any]) -> bool:
    """Whether the dtype is one of whole numbers, or of booleans, that int64 holds."""
    return array.dtype.kind in "iub" and np.can_cast(array.dtype, np.int64)
