"""Complex numbers as pairs of other numbers, from a case to a subject."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from examined_cases import cases_of
from hypothesis import given
from hypothesis import strategies as st

from lossproof.corpus.complaints import CorpusError
from lossproof.corpus.values import exact_balls, rounded
from lossproof.numbers.ball import Ball
from lossproof.numbers.base import Array
from lossproof.numbers.bounded import Bounded
from lossproof.numbers.complex_pair import ComplexPair, as_real
from lossproof.numbers.formats import FORMATS
from lossproof.reference.catalogue import LOSSES
from lossproof.reference.evaluation import Lift, prepare
from lossproof.reference.refusals import Refusal

KINDS: dict[str, Lift] = {
    "float64": np.asarray,
    "ball": Ball.exact,
    "bounded": partial(Bounded.exact, format=FORMATS["float64"]),
}
COMPLEX = st.complex_numbers(min_magnitude=1e-3, max_magnitude=1e3)


def lift(kind: str, values: npt.ArrayLike) -> ComplexPair:
    numbers = np.asarray(values)
    return ComplexPair(KINDS[kind](numbers.real), KINDS[kind](numbers.imag))


def plain(values: Array) -> npt.NDArray[Any]:
    parts = as_real(values)
    parts = getattr(parts, "value", parts)
    if isinstance(parts, Ball):
        parts = parts.midpoints()[0]
    return parts[..., 0] + 1j * parts[..., 1] if isinstance(values, ComplexPair) else np.asarray(parts)


@pytest.mark.parametrize("kind", list(KINDS))
@given(first=COMPLEX, second=COMPLEX)
def test_arithmetic_is_that_of_complex_numbers(kind: str, first: complex, second: complex) -> None:
    x: Array = lift(kind, [first, second])
    y: Array = lift(kind, [second, first])
    expected = np.array([first, second]), np.array([second, first])
    assert np.allclose(plain(x + y), expected[0] + expected[1])
    assert np.allclose(plain(x - y), expected[0] - expected[1], atol=1e-10)
    assert np.allclose(plain(x * y), expected[0] * expected[1])
    assert np.allclose(plain(-x), -expected[0])
    assert np.allclose(plain(2.0 * x), 2 * expected[0])
    assert np.allclose(plain(np.abs(x)), np.abs(expected[0]))
    assert np.allclose(plain(np.sign(x)), expected[0] / np.abs(expected[0]))
    assert np.allclose(plain(np.sum(x)), np.sum(expected[0]))


@pytest.mark.parametrize("kind", list(KINDS))
def test_the_other_numbers_give_way(kind: str) -> None:
    """Whichever side they stand on: a real number is a complex one."""
    real, pair = KINDS[kind](np.array([2.0])), lift(kind, [1 + 1j])
    for product in (real * pair, pair * real):
        assert isinstance(product, ComplexPair)
        assert plain(product).tolist() == [2 + 2j]


def test_the_sign_of_zero_is_zero() -> None:
    assert plain(np.sign(lift("ball", [0j]))).tolist() == [0]


def test_equality_is_defined_and_order_is_not() -> None:
    first, second = lift("float64", [1 + 1j, 2]), lift("float64", [1 + 1j, 2 + 1j])
    assert (first == second).tolist() == [True, False]
    assert (first != second).tolist() == [False, True]
    with pytest.raises(TypeError, match=r"complex numbers do not define numpy\.less"):
        _ = first < second


def argument(input: str, dtypes: str = "[float64, float32]") -> Any:
    """The input of a case that writes it so."""
    cases = cases_of(
        "loss: L1Loss\ncases:\n  - id: one\n    title: t\n"
        f"    dtypes: {dtypes}\n    args: {{input: {input}, target: [0, 0]}}\n"
    )
    return cases["one"].args["input"]


def test_a_case_writes_both_parts() -> None:
    tensor = argument("{complex: [[1, 2], [0.5, -1]]}")
    assert rounded(tensor, FORMATS["float32"]).tolist() == [1 + 0.5j, 2 - 1j]
    assert plain(exact_balls(tensor)).tolist() == [1 + 0.5j, 2 - 1j]


@pytest.mark.parametrize(
    ("input", "dtypes", "words"),
    [
        ("{complex: [[1, 2]]}", "[float64]", "not a pair of tensors of one shape"),
        ("{complex: [[1, 2], [1]]}", "[float64]", "not a pair of tensors of one shape"),
        ("{complex: [[1, 2], [0, 0.1]]}", "[float32]", "cannot hold exactly"),
        ("{complex: [[1, 2], [0, 0]]}", "[float16]", "is complex"),
    ],
)
def test_what_is_no_complex_tensor_is_refused(input: str, dtypes: str, words: str) -> None:
    with pytest.raises(CorpusError) as caught:
        argument(input, dtypes)
    assert words in str(caught.value)


@pytest.mark.parametrize("loss", ["L1Loss", "PairwiseDistance"])
def test_the_gradient_by_a_real_tensor_beside_a_complex_one_is_real(loss: str) -> None:
    names = LOSSES[loss].arguments
    args = {names[0]: np.array([1 + 1j, 2.0, 3 - 2j]), names[1]: np.array([1.0, 2.5, -3.0])}
    call = prepare(loss, {}, args)
    gradients = call.gradient(np.ones(call.value().shape))
    tensors = [torch.from_numpy(args[name]).requires_grad_() for name in names]
    function = getattr(torch.nn.functional, str(LOSSES[loss].functional))
    function(*tensors).sum().backward()
    assert tensors[1].grad is not None
    np.testing.assert_allclose(gradients[names[1]], tensors[1].grad.numpy(), atol=1e-12)


@pytest.mark.parametrize("loss", [name for name, loss in LOSSES.items() if not loss.takes_complex])
def test_complex_numbers_are_refused_where_a_loss_has_none(loss: str) -> None:
    args = {name: np.array([[1 + 1j, 2.0]]) for name in LOSSES[loss].arguments}
    with pytest.raises(Refusal):
        prepare(loss, {}, args)
