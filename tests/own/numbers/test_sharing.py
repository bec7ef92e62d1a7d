"""What formulas share is what each of them would have computed alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lossproof.corpus.case import Case
from lossproof.corpus.reading import load_corpus
from lossproof.judging import calls, truth
from lossproof.judging.calls import CallPlanner, reductions_of
from lossproof.judging.stored_truth import _encoded
from lossproof.numbers.ball import Ball
from lossproof.numbers.bounded import Bounded
from lossproof.numbers.formats import FORMATS
from lossproof.numbers.rules import Rules, following
from lossproof.numbers.sharing import once, shared, sharing

FLOAT32 = FORMATS["float32"]
OWNER = object()
CASES = Path(__file__).parents[3] / "cases"


@pytest.fixture(scope="module")
def cases() -> list[Case]:
    return [case for case in load_corpus(CASES).cases if not (case.module or case.raises)]


def encoded(case: Case, dtype: str) -> list[bytes]:
    """The truth of a case in each reduction, as it is stored."""
    planner, contents = CallPlanner(), []
    for reduction in reductions_of(case):
        planned = planner.plan(case, dtype, reduction).truth
        truths = [{"value": planned.value}, *planned.gradients]
        contents.append(_encoded(truths, [list(names) for names in truths]))
    return contents


def test_truth_is_the_same_without_sharing(cases: list[Case], monkeypatch: pytest.MonkeyPatch) -> None:
    sample = [(case, dtype) for case in cases[::23] for dtype in case.dtypes]
    assert len({case.loss for case, _ in sample}) > 25
    with_sharing = [encoded(case, dtype) for case, dtype in sample]

    @contextmanager
    def alone(owner: object, setting: object) -> Iterator[None]:
        yield

    monkeypatch.setattr(truth, "sharing", alone)
    monkeypatch.setattr(calls, "sharing", alone)
    assert [encoded(case, dtype) for case, dtype in sample] == with_sharing


def bounded(*numbers: float) -> Any:  # NumPy's stubs do not know what its functions dispatch on
    return Bounded(np.array(numbers), np.full(len(numbers), 1e-3), FLOAT32)


def test_the_same_operation_on_the_same_operands_is_carried_out_once() -> None:
    x, y = bounded(1.0, 2.0), bounded(3.0, 4.0)
    with sharing(OWNER, "setting"):
        total = x + y
        assert (x + y) is total
        assert x[0] is x[0]
        assert np.sum(x) is np.sum(x)
        assert (x + bounded(3.0, 4.0)) is not total  # equal numbers, but maybe not by the same way
        assert (y + x) is not total
    with sharing(OWNER, "setting"):
        assert (x + y) is total
    with sharing(OWNER, "another setting"):
        assert (x + y) is not total
    with sharing(object(), "setting"):
        assert (x + y) is not total
    with sharing(OWNER, "setting"):
        assert (x + y) is not total  # forgotten: only the latest owner's are kept
    assert (x + y) is not (x + y)


def test_plain_operands_are_known_by_their_contents() -> None:
    x, factors = bounded(1.0, 2.0), np.array([1.0, 2.0])
    with sharing(OWNER, "contents"):
        product = x * factors
        assert (x * factors.copy()) is product
        factors[0] = 5.0
        assert (x * factors).value.tolist() == [5.0, 4.0]
        assert np.signbit((bounded(1.0) * 0.0).value).tolist() == [False]
        one = bounded(1.0)
        assert np.signbit((one * 0.0).value).tolist() == [False]
        assert np.signbit((one * -0.0).value).tolist() == [True]
        assert np.signbit((one * np.float64(-0.0)).value).tolist() == [True]
        assert (x[0:1].shape, x[0:2].shape, x[None].shape) == ((1,), (2,), (1, 2))


def broadcast(number: Any, shape: tuple[int, ...]) -> Any:
    return np.broadcast_to(number, shape)


def test_what_formulas_start_from_is_known_by_its_contents() -> None:
    with sharing(OWNER, "starts"):
        ones = once(Bounded, np.ones(2), lambda: Bounded.exact(np.ones(2), FLOAT32), is_start=True)
        one, zero = Bounded.exact(1.0, FLOAT32), Bounded.exact(0.0, FLOAT32)
        assert broadcast(one, (2,)) is ones
        assert broadcast(Bounded.exact([1.0], FLOAT32), (2,)) is ones
        assert broadcast(one, (1, 2)) is not ones
        assert broadcast(bounded(1.0), (2,)) is not ones  # it has a bound
        assert broadcast(-zero, (2,)) is not broadcast(zero, (2,))
        marked = Bounded(np.ones(1), np.zeros(1), FLOAT32, np.ones(1, int))
        assert broadcast(marked, (2,)) is not ones
        assert broadcast(Ball.exact(1.0), (2,)) is not broadcast(Ball.exact(1.0), (2,))


def test_a_freedom_is_noted_by_each_formula_that_uses_it() -> None:
    x = Bounded(np.array([1e-9]), np.array([1e-6]), FLOAT32)  # on either side of 0
    for _ in range(2):
        rules = Rules()
        with following(rules), sharing(OWNER, "freedoms"):
            assert x[0].bound == 1e-6
            assert not rules.freedoms
            np.sign(x)
        assert rules.freedoms == {"kink"}


def test_a_shared_array_cannot_be_changed() -> None:
    x = bounded(1.0, 2.0)
    with sharing(OWNER, "arrays"):
        is_large = x > 1.5
        with pytest.raises(ValueError, match="read-only"):
            is_large[:] = True
        assert (x > 1.5).tolist() == [False, True]


def counting(asked: list[object]) -> Callable[..., Any]:
    @shared
    def double(values: Any, *, times: object = 1) -> Any:
        asked.append(times)
        return values + values

    return double


def test_a_shared_function_runs_once_for_the_same_operands() -> None:
    asked: list[object] = []
    double, x = counting(asked), bounded(1.0)
    with sharing(OWNER, "functions"):
        assert double(x) is double(x)
        double(x, times=2)
        double(x, times=2.0)
    double(x)
    assert asked == [1, 2, 2.0, 1]


def test_what_cannot_be_told_from_others_is_not_shared() -> None:
    asked: list[object] = []
    double, x = counting(asked), bounded(1.0)
    with sharing(OWNER, "objects"):
        for _ in range(2):
            double(x, times={"a": 1})
            double(x, times=np.array([object()]))
    assert len(asked) == 4


def test_an_operation_that_fails_fails_again() -> None:
    def fail() -> object:
        raise ArithmeticError

    with sharing(OWNER, "failures"):
        for _ in range(2):
            with pytest.raises(ArithmeticError):
                once("failing", (), fail)
