"""The dtype that tensors of several dtypes result in: torch's rule, by their dtypes and dimensions alone.

https://docs.pytorch.org/docs/stable/tensor_attributes.html#type-promotion-doc
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce

from lossproof.numbers.formats import FORMATS, PARTS

# The categories, each above those before it, and in each the dtypes from narrow to wide.
_CATEGORIES = (
    ("bool",),
    ("uint8", "int8", "int16", "int32", "int64"),
    tuple(sorted(FORMATS, key=lambda name: FORMATS[name].precision)),
    ("complex64", "complex128"),
)
# Neither of the two holds the other's numbers.
_DISTINCT = {frozenset({"float16", "bfloat16"}): "float32", frozenset({"uint8", "int8"}): "int16"}
# What a function with fractional values yields for whole numbers.
_DEFAULT = "float32"


def promoted(tensors: Iterable[tuple[str, int]]) -> str:
    """The dtype in which tensors meet, each given as its dtype and its number of dimensions.

    Those without dimensions count only where they are of a higher category than all others; even then, a
    complex one makes floating tensors complex and no wider.

    >>> promoted([("float32", 1), ("float64", 0)]), promoted([("float16", 1), ("bfloat16", 1)])
    ('float32', 'float32')
    """
    found = list(tensors)
    ranked = [dtype for dtype, dimensions in found if dimensions]
    unranked = [dtype for dtype, dimensions in found if not dimensions]
    if not ranked or not unranked:
        return reduce(_wider, ranked or unranked)
    first, other = reduce(_wider, ranked), reduce(_wider, unranked)
    if _category(first) == 2 and _category(other) == 3:
        return _wider(first, "complex64")
    return _wider(first, other) if _category(other) > _category(first) else first


def result_dtype(tensors: Iterable[tuple[str, int]]) -> str:
    """The dtype of a loss of such tensors, which is real and not whole.

    >>> result_dtype([("int64", 1)]), result_dtype([("complex128", 1)])
    ('float32', 'float64')
    """
    dtype = part_dtype(promoted(tensors))
    return dtype if _category(dtype) == 2 else _DEFAULT


def part_dtype(dtype: str) -> str:
    """The dtype of a complex number's parts; any other dtype as it is."""
    return PARTS.get(dtype, dtype)


def _wider(one: str, other: str) -> str:
    """The narrowest dtype that holds what both hold, the category being the higher of theirs."""
    low, high = sorted((one, other), key=lambda dtype: (_category(dtype), _width(dtype)))
    if frozenset({low, high}) in _DISTINCT:
        return _DISTINCT[frozenset({low, high})]
    if _category(high) == 3 and _category(low) == 2 and _width(low) > _width(PARTS[high]):
        return "complex128"
    return high


def _category(dtype: str) -> int:
    return next(place for place, dtypes in enumerate(_CATEGORIES) if dtype in dtypes)


def _width(dtype: str) -> int:
    return _CATEGORIES[_category(dtype)].index(dtype)
