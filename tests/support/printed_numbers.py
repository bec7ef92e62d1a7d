"""Numbers as a document prints them, and cases that they are held against."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lossproof.corpus.case import Case, Printed
from lossproof.corpus.numeral import parse_numeral
from lossproof.corpus.tensors import Tensor


def printed(*texts: str, shape: tuple[int, ...] | None = None, dtype: str | None = None) -> Printed:
    values = tuple(parse_numeral(text) for text in texts)
    return Printed(values, (len(texts),) if shape is None else shape, dtype)


def one(text: str, dtype: str | None = None) -> Printed:
    return printed(text, shape=(), dtype=dtype)


def case(loss: str, params: Mapping[str, Any] | None = None, **changes: Any) -> Case:
    args: dict[str, Tensor] = {
        name: changes.pop(name) for name in ("input", "target", "p") if name in changes
    }
    return Case("one", "a case", loss, "cases/x.yaml", 3, params=params or {}, args=args, **changes)
