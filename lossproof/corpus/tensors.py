"""The forms in which a case writes a tensor; each knows its shape, its dtype and its parts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from lossproof.corpus.numeral import Numeral

Shape = tuple[int, ...]


class _Form:
    """The defaults that most forms share."""

    @property
    def words(self) -> Mapping[str, Any]:
        """The keys and values that a case file writes for this form."""
        raise NotImplementedError

    @property
    def dtype(self) -> str | None:
        """The dtype that the tensor states; None for the loss's own default."""
        return None

    @property
    def parts(self) -> tuple[Tensor, ...]:
        """The tensors inside this one."""
        return ()

    @property
    def is_drawn(self) -> bool:
        """Whether any of its numbers are drawn on a dtype's grid."""
        return any(part.is_drawn for part in self.parts)


@dataclass(frozen=True)
class Literal(_Form):
    """Nested lists of numbers."""

    values: tuple[Numeral, ...]
    shape: Shape
    dtype: str | None = None

    @property
    def words(self) -> Mapping[str, Any]:
        """The keys and values; without a dtype, a case file holds the lists alone."""
        return {"dtype": self.dtype, "data": Literal(self.values, self.shape)}


@dataclass(frozen=True)
class Fill(_Form):
    """One number everywhere: ``{fill: 0, shape: [0, 3]}``."""

    value: Numeral
    shape: Shape
    dtype: str | None = None

    @property
    def values(self) -> tuple[Numeral, ...]:
        """The number, in the same attribute as the numbers of a literal."""
        return (self.value,)

    @property
    def words(self) -> Mapping[str, Any]:
        return {"fill": self.value, "shape": self.shape} | ({"dtype": self.dtype} if self.dtype else {})


@dataclass(frozen=True)
class Uniform(_Form):
    """Seeded numbers on the dtype's own grid: ``{uniform: [-4, 4], shape: [64, 100], seed: 7}``."""

    low: Numeral
    high: Numeral
    shape: Shape
    seed: int

    @property
    def is_drawn(self) -> bool:
        return True

    @property
    def words(self) -> Mapping[str, Any]:
        return {"uniform": (self.low, self.high), "shape": self.shape, "seed": self.seed}


@dataclass(frozen=True)
class Index(_Form):
    """Seeded class indices in [0, classes): ``{index: 100, shape: [64], seed: 8}``."""

    classes: int
    shape: Shape
    seed: int

    @property
    def dtype(self) -> str | None:
        return "int64"

    @property
    def words(self) -> Mapping[str, Any]:
        return {"index": self.classes, "shape": self.shape, "seed": self.seed}


class _Wrapper(_Form):
    """A form made of one other tensor."""

    inner: Tensor

    @property
    def parts(self) -> tuple[Tensor, ...]:
        return (self.inner,)


@dataclass(frozen=True)
class Derived(_Wrapper):
    """sigmoid, softmax, log_softmax or log of another tensor, correctly rounded.

    ``dim`` is None for sigmoid and log.
    """

    function: str
    inner: Tensor
    dim: int | None

    @property
    def shape(self) -> Shape:
        return self.inner.shape

    @property
    def words(self) -> Mapping[str, Any]:
        return {self.function: self.inner} | ({} if self.dim is None else {"dim": self.dim})


@dataclass(frozen=True)
class Complex(_Form):
    """Complex numbers: ``{complex: [REAL, IMAGINARY]}``."""

    real: Tensor
    imaginary: Tensor

    @property
    def shape(self) -> Shape:
        return self.real.shape

    @property
    def parts(self) -> tuple[Tensor, ...]:
        return (self.real, self.imaginary)

    @property
    def words(self) -> Mapping[str, Any]:
        return {"complex": self.parts}


class _Arrangement(_Form):
    """Numbers of other tensors, rearranged but unchanged."""

    @property
    def dtype(self) -> str | None:
        """The dtype of the parts, which all state the same."""
        return self.parts[0].dtype


@dataclass(frozen=True)
class Concatenate(_Arrangement):
    """Tensors joined along ``dim``."""

    tensors: tuple[Tensor, ...]
    dim: int

    @property
    def shape(self) -> Shape:
        """The shape of the first part, with the sizes along ``dim`` added up."""
        joined = list(self.tensors[0].shape)
        joined[self.dim] = sum(part.shape[self.dim] for part in self.tensors)
        return tuple(joined)

    @property
    def parts(self) -> tuple[Tensor, ...]:
        return self.tensors

    @property
    def words(self) -> Mapping[str, Any]:
        return {"concatenate": self.tensors, "dim": self.dim}

    def arranged(self, parts: Sequence[npt.NDArray[Any]]) -> npt.NDArray[Any]:
        """The numbers of the parts, joined."""
        return np.concatenate(parts, axis=self.dim)


@dataclass(frozen=True)
class Reshape(_Wrapper, _Arrangement):
    """Another tensor in another shape, row-major."""

    inner: Tensor
    shape: Shape

    @property
    def words(self) -> Mapping[str, Any]:
        return {"reshape": self.inner, "shape": self.shape}

    def arranged(self, parts: Sequence[npt.NDArray[Any]]) -> npt.NDArray[Any]:
        return parts[0].reshape(self.shape)


@dataclass(frozen=True)
class Permute(_Wrapper, _Arrangement):
    """Another tensor with its dimensions in another order."""

    inner: Tensor
    dims: tuple[int, ...]

    @property
    def shape(self) -> Shape:
        return tuple(self.inner.shape[dim] for dim in self.dims)

    @property
    def words(self) -> Mapping[str, Any]:
        return {"permute": self.inner, "dims": self.dims}

    def arranged(self, parts: Sequence[npt.NDArray[Any]]) -> npt.NDArray[Any]:
        return np.transpose(parts[0], self.dims)


@dataclass(frozen=True)
class Patch(_Wrapper, _Arrangement):
    """Another tensor with a few numbers replaced: ``{patch: T, at: [[0, 1], [2, -1]], numbers: [40, 7]}``.

    ``at`` holds the indices of each, counted from the end if they are negative.
    """

    inner: Tensor
    at: tuple[tuple[int, ...], ...]
    numbers: Literal

    @property
    def shape(self) -> Shape:
        return self.inner.shape

    @property
    def parts(self) -> tuple[Tensor, ...]:
        return (self.inner, self.numbers)

    @property
    def words(self) -> Mapping[str, Any]:
        return {"patch": self.inner, "at": self.at, "numbers": self.numbers}

    def arranged(self, parts: Sequence[npt.NDArray[Any]]) -> npt.NDArray[Any]:
        """The numbers of the first part, but for those of the second."""
        patched = parts[0].copy()
        for place, number in zip(self.at, parts[1], strict=True):
            patched[place] = number
        return patched


Tensor = Literal | Fill | Uniform | Index | Derived | Concatenate | Reshape | Permute | Patch | Complex
