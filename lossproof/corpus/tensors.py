"""The ways in which a case writes a tensor."""

from __future__ import annotations

from dataclasses import dataclass

from lossproof.corpus.numeral import Numeral

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Literal:
    """Nested lists of numbers. ``dtype`` is None where the loss's own default is meant."""

    values: tuple[Numeral, ...]
    shape: Shape
    dtype: str | None = None


@dataclass(frozen=True)
class Fill:
    """One number everywhere: ``{fill: 0, shape: [0, 3]}``."""

    value: Numeral
    shape: Shape
    dtype: str | None = None


@dataclass(frozen=True)
class Uniform:
    """Seeded numbers on the dtype's own grid: ``{uniform: [-4, 4], shape: [64, 100], seed: 7}``."""

    low: Numeral
    high: Numeral
    shape: Shape
    seed: int


@dataclass(frozen=True)
class Index:
    """Seeded class indices in [0, classes): ``{index: 100, shape: [64], seed: 8}``."""

    classes: int
    shape: Shape
    seed: int


@dataclass(frozen=True)
class Derived:
    """sigmoid, softmax, log_softmax or log of another tensor, correctly rounded.

    ``dim`` is that of softmax and log_softmax, else None.
    """

    function: str
    of: Tensor
    dim: int | None


@dataclass(frozen=True)
class Concatenate:
    """Tensors joined along ``dim``."""

    parts: tuple[Tensor, ...]
    dim: int


@dataclass(frozen=True)
class Reshape:
    """Another tensor in another shape, row-major."""

    of: Tensor
    shape: Shape


@dataclass(frozen=True)
class Permute:
    """Another tensor with its dimensions in another order."""

    of: Tensor
    dims: tuple[int, ...]


@dataclass(frozen=True)
class Complex:
    """Complex numbers: ``{complex: [REAL, IMAGINARY]}``."""

    real: Tensor
    imaginary: Tensor


Tensor = Literal | Fill | Uniform | Index | Derived | Concatenate | Reshape | Permute | Complex
