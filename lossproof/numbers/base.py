"""What all number types share: the protocols of NumPy.

A loss is written once in NumPy. What it yields depends on the arrays that it is given: plain float64
arrays, or one of the classes of this package, which NumPy's own functions dispatch to. This base maps
the operations that only move elements (where, reshape, take_along_axis, ...) over the components of an
array; a number type adds the arithmetic. An operation outside the tables is a TypeError that names it,
never a silent conversion to bare objects.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin
from typing_extensions import Self

from lossproof.numbers.sharing import once

# A float64 array or any number type below: NumPy's stubs have no name for "whatever NumPy dispatches on".
Array = Any

_MOVES_ELEMENTS = {
    np.reshape,
    np.take_along_axis,
    np.expand_dims,
    np.squeeze,
    np.broadcast_to,
    np.moveaxis,
    np.transpose,
    np.ravel,
}

COMPARISONS = {
    np.less,
    np.less_equal,
    np.greater,
    np.greater_equal,
    np.equal,
    np.not_equal,
    np.isnan,
    np.isinf,
    np.isfinite,
}


class NumberArray(NDArrayOperatorsMixin):
    """An array of numbers that are more than a float: components of one shape, side by side.

    A number type defines ``components``, ``with_components``, ``lift`` and ``compare``, a method for each
    ufunc named in ``arithmetic`` (but for those below), and ``total`` and ``largest`` for sum and max.
    """

    arithmetic: ClassVar[dict[np.ufunc, str]] = {
        np.add: "plus",
        np.subtract: "minus",
        np.multiply: "times",
        np.true_divide: "over",
        np.negative: "negated",
        np.absolute: "magnitude",
        np.exp: "exponential",
        np.log: "logarithm",
        np.log1p: "logarithm_of_one_plus",
        np.sqrt: "square_root",
        np.power: "to_the_power",
        np.arctan: "arc_tangent",
        np.maximum: "greater_of",
        np.minimum: "lesser_of",
        np.sign: "signum",
        np.heaviside: "unit_step",
    }

    @property
    def components(self) -> tuple[Array, ...]:
        """The arrays that make up this one, all of its shape."""
        raise NotImplementedError

    def with_components(self, *components: Array) -> Self:
        """An array of this type, in this context, made of other components."""
        raise NotImplementedError

    def lift(self, value: Array) -> Self:
        """A plain array or scalar as an exact array of this type."""
        raise NotImplementedError

    def alike(self, values: Sequence[Any]) -> list[Self]:
        """Values of any kind as arrays of this type whose components can be mixed."""
        return [value if isinstance(value, type(self)) else self.lift(value) for value in values]

    def compare(self, ufunc: np.ufunc, *operands: Self) -> Array:
        """The boolean array of a comparison or classification."""
        raise NotImplementedError

    def total(self, axis: int | tuple[int, ...] | None, keepdims: bool) -> Self:
        """The sum along ``axis``."""
        raise NotImplementedError

    def largest(self, axis: int | None, keepdims: bool) -> Self:
        """The maximum along ``axis``."""
        raise NotImplementedError

    def log_sum_exp(self, axis: int) -> Self | None:
        """The log-sum-exp, where this type has a form of its own; None for the usual one."""
        return None

    def lesser_of(self, other: Self) -> Self:
        """The lesser of two."""
        least: Self = -np.maximum(-self, -other)
        return least

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self.components[0].shape)

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        return math.prod(self.shape)

    def __getitem__(self, index: Any) -> Self:
        return once("[]", (self, index), lambda: self._item(index))

    def _item(self, index: Any) -> Self:
        return self.with_components(*(component[index] for component in self.components))

    # Of two number types in one operation, the one of higher rank holds numbers of the other.
    rank: ClassVar[int] = 0

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if method != "__call__" or kwargs:
            call = f"numpy.{ufunc.__name__}.{method} with {kwargs}"
            raise TypeError(f"{type(self).__name__} does not define {call}")
        for value in inputs:
            if isinstance(value, NumberArray) and value.rank > self.rank:
                return NotImplemented
        return once(ufunc, inputs, lambda: self._operate(ufunc, inputs))

    def _operate(self, ufunc: np.ufunc, inputs: Sequence[Any]) -> Any:
        # A plain array on the left must not lift its partner down: the richest type present decides.
        operands = [value if isinstance(value, type(self)) else self.lift(value) for value in inputs]
        if ufunc in COMPARISONS:
            return self.compare(ufunc, *operands)
        if ufunc not in self.arithmetic:
            raise TypeError(f"{type(self).__name__} does not define numpy.{ufunc.__name__}")
        return getattr(operands[0], self.arithmetic[ufunc])(*operands[1:])

    def __array_function__(
        self, function: Callable[..., Any], types: Sequence[type], args: Any, kwargs: dict[str, Any]
    ) -> Any:
        operands = args, tuple(kwargs.items())
        is_start = function is np.broadcast_to
        return once(function, operands, lambda: self._call(function, args, kwargs), is_start=is_start)

    def _call(self, function: Callable[..., Any], args: Any, kwargs: dict[str, Any]) -> Any:
        if function in _MOVES_ELEMENTS:
            moved = (function(component, *args[1:], **kwargs) for component in self.components)
            return self.with_components(*moved)
        if function is np.sum:
            return self._reduce("total", *args, **kwargs)
        if function is np.max:
            return self._reduce("largest", *args, **kwargs)
        if function is np.where:
            return self._where(*args)
        if function in (np.zeros_like, np.ones_like):
            return self.lift(function(np.empty(self.shape)))
        if function in (np.concatenate, np.stack):
            return self._join(function, *args, **kwargs)
        if function is np.shape:
            return self.shape
        raise TypeError(f"{type(self).__name__} does not define numpy.{function.__name__}")

    def _reduce(self, method: str, array: Self, axis: Any = None, keepdims: bool = False) -> Self:
        result: Self = getattr(array, method)(axis, keepdims)
        return result

    def _join(self, join: Callable[..., Any], arrays: Sequence[Any], axis: int = 0) -> Self:
        parts = zip(*(array.components for array in self.alike(arrays)), strict=True)
        return self.with_components(*(join(part, axis=axis) for part in parts))

    def _where(self, condition: Any, first: Any, second: Any) -> Self:
        one, other = self.alike([first, second])
        chosen = zip(one.components, other.components, strict=True)
        return self.with_components(*(np.where(condition, *pair) for pair in chosen))
