"""The numbers of a tensor that is derived from another are kept with the truth: they take long to certify."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from lossproof.corpus.numeral import parse_numeral
from lossproof.corpus.tensors import Derived, Tensor, Uniform
from lossproof.corpus.values import rounded
from lossproof.judging import stored_truth
from lossproof.judging.content_store import ContentStore
from lossproof.judging.stored_truth import recalled_numbers, storing
from lossproof.numbers.formats import FORMATS, Float64Array, Format


def softmax_of(seed: int) -> Derived:
    low, high = parse_numeral("-2"), parse_numeral("2")
    return Derived("softmax", Uniform(low, high, (2, 3), seed), 1)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Tensor, str]]:
    calls: list[tuple[Tensor, str]] = []

    def noting(tensor: Tensor, format: Format) -> Float64Array:
        calls.append((tensor, format.name))
        return rounded(tensor, format)

    monkeypatch.setattr(stored_truth, "rounded", noting)
    return calls


def test_derived_numbers_are_computed_once(tmp_path: Path, asked: list[tuple[Tensor, str]]) -> None:
    tensor, format = softmax_of(1), FORMATS["float32"]
    first = ContentStore(tmp_path)
    with storing(first):
        recalled_numbers(tensor, format)
    first.keep()
    with storing(ContentStore(tmp_path)):
        again = recalled_numbers(tensor, format)
    assert len(asked) == 1
    assert np.array_equal(again, rounded(tensor, format))


def test_another_tensor_or_format_is_computed_anew(tmp_path: Path, asked: list[tuple[Tensor, str]]) -> None:
    pairs = (softmax_of(1), "float32"), (softmax_of(2), "float32"), (softmax_of(1), "float16")
    with storing(ContentStore(tmp_path)):
        for tensor, dtype in pairs:
            numbers = recalled_numbers(tensor, FORMATS[dtype])
            assert np.array_equal(numbers, rounded(tensor, FORMATS[dtype]))
    assert len(asked) == 3
