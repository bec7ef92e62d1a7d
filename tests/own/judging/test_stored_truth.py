"""Truth from a store is the truth that was computed, and nothing that differs in what matters finds it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import fields, replace
from pathlib import Path

import pytest
from examined_cases import cases_of

from lossproof.corpus.case import Case, Term
from lossproof.corpus.numeral import parse_numeral
from lossproof.corpus.tensors import Literal
from lossproof.judging import calls, derivatives, stored_truth
from lossproof.judging.calls import CallPlanner, PlannedCall, reductions_of
from lossproof.judging.content_store import ContentStore
from lossproof.judging.derivatives import directions_of, second_derivatives
from lossproof.judging.excuses import where_it_overflows
from lossproof.judging.stored_truth import storing
from lossproof.judging.truth import CallTruth, Formula, Truth, truth_of, value_formula
from lossproof.numbers.bounded import Bounded
from lossproof.numbers.formats import FORMATS, Float64Array, Format
from lossproof.numbers.rules import Rules
from lossproof.reference.conventions import picking
from lossproof.reference.evaluation import PreparedCall

CASES = cases_of(
    """
cases:
  - {id: plain, title: plain, loss: MSELoss, args: {input: [1, 2.5], target: [0.5, 1]}}
  - {id: kink, title: on a kink, loss: L1Loss, args: {input: [0.5, 2], target: [0.5, -0.0]}}
  - id: doubt
    title: a kink within rounding
    loss: HingeEmbeddingLoss
    params: {margin: 0.3}
    args: {input: [0.3, 2], target: [-1, 1]}
    rounded: true
  - id: overflow
    title: squares beyond the range
    loss: MSELoss
    args: {input: [60000, 1], target: [-60000, 0]}
    rounded: true
  - {id: negative, title: the value is -0.0, loss: NLLLoss, args: {input: [[0, 0]], target: [0]}}
  - id: clamped
    title: the gradient is not the derivative
    loss: GaussianNLLLoss
    args: {input: [1, 2], target: [0.5, 1], var: [0, 0.5]}
  - {id: infinite, title: not finite, loss: HuberLoss, args: {input: [.inf, .nan], target: [1, 2]}}
  - id: empty
    title: nothing
    loss: L1Loss
    args: {input: {fill: 0, shape: [0, 2]}, target: {fill: 0, shape: [0, 2]}}
  - id: complex
    title: complex numbers
    loss: L1Loss
    args: {input: {complex: [[1, 2], [3, 4]]}, target: {complex: [[1, 1], [0, 4]]}}
    dtypes: [float64, float32]
  - id: whole
    title: whole numbers have no gradient
    loss: PoissonNLLLoss
    args: {input: {dtype: int64, data: [1, 2]}, target: {dtype: int64, data: [2, 2]}}
  - id: weighted
    title: a weighted mean
    loss: CrossEntropyLoss
    params: {weight: [1, 2], label_smoothing: 0.1}
    args: {input: [[1, 2], [1, 3]], target: [0, 1]}
"""
)
ARRAYS = ("value", "remainder", "bound", "overflows", "strict_bound")


@pytest.fixture
def store(tmp_path: Path) -> ContentStore:
    return ContentStore(tmp_path / "store")


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Grows with whatever is computed."""
    computed: list[object] = []

    def counted(call: PreparedCall, format: Format, upstreams: tuple[Float64Array, ...]) -> CallTruth:
        computed.append(call)
        return truth_of(call, format, upstreams)

    def counted_value(call: PreparedCall, format: Format) -> Formula:
        computed.append(call)
        return value_formula(call, format)

    class Counted(Formula):
        def truths(self) -> Mapping[str, Truth]:
            computed.append(self)
            return super().truths()

    monkeypatch.setattr(calls, "truth_of", counted)
    monkeypatch.setattr(stored_truth, "value_formula", counted_value)
    monkeypatch.setattr(derivatives, "Formula", Counted)
    return computed


def everything(case: Case, dtype: str) -> Iterator[tuple[PlannedCall, str, Truth]]:
    """Each truth of a case."""
    for reduction in reductions_of(case):
        planned = CallPlanner().plan(case, dtype, reduction)
        yield planned, "value", planned.truth.value
        for gradient in planned.truth.gradients:
            for name, truth in gradient.items():
                yield planned, name, truth
        if not planned.truth.gradients:
            continue
        format = FORMATS[dtype]
        directions = directions_of(planned.prepared, format)
        second = second_derivatives(planned.prepared, planned.truth.upstreams[1], directions, format)
        for name, truth in second.items():
            yield planned, f"second by {name}", truth


def assert_same(one: Truth, other: Truth) -> None:
    assert {field.name for field in fields(Truth)} - {*ARRAYS} == {
        "format", "freedom", "convention", "picks", "bounded_by", "under_picks", "limits", "verdicts",
    }  # fmt: skip
    for name in ARRAYS:
        first, second = getattr(one, name), getattr(other, name)
        assert (first is None) == (second is None), name
        if first is not None:
            assert (first.dtype, first.shape) == (second.dtype, second.shape), name
            assert first.tobytes() == second.tobytes(), name
            assert second.flags.aligned, name
    assert one.format is other.format
    assert (one.freedom, one.convention, one.picks) == (other.freedom, other.convention, other.picks)
    assert one.limits == other.limits
    assert one.passes_by_number == other.passes_by_number


@pytest.mark.parametrize(
    ("id", "dtype"), [(id, dtype) for id, case in CASES.items() for dtype in case.dtypes]
)
def test_truth_from_a_store_is_the_truth_that_was_computed(
    store: ContentStore, asked: list[object], id: str, dtype: str
) -> None:
    computed = list(everything(CASES[id], dtype))
    with storing(store):
        list(everything(CASES[id], dtype))
        store.keep()
    with storing(ContentStore(store.folder)):
        asked.clear()
        read = list(everything(CASES[id], dtype))
        assert not asked
    for (first, name, one), (second, same, other) in zip(computed, read, strict=True):
        assert name == same
        assert_same(one, other)
        assert repr(first.call) == repr(second.call)


def both(store: ContentStore, id: str, dtype: str, reduction: str) -> tuple[PlannedCall, PlannedCall]:
    """A call that is computed, and the same one from the store."""
    with storing(store):
        first, second = (CallPlanner().plan(CASES[id], dtype, reduction) for _ in range(2))
    return first, second


def gradient(planned: PlannedCall) -> Truth:
    return planned.truth.gradients[1]["input"]


def bounded(truth: Truth, rules: Rules) -> Bounded:
    assert truth.bounded_by is not None
    return truth.bounded_by(rules)


def test_what_a_wrong_result_asks_for_is_computed_when_it_asks(
    store: ContentStore, asked: list[object]
) -> None:
    computed, read = (gradient(planned) for planned in both(store, "kink", "float32", "mean"))
    assert len(asked) == 1
    rules = Rules(sums_are_sequential=True)
    assert bounded(read, rules).bound.tolist() == bounded(computed, rules).bound.tolist()
    assert computed.under_picks is not None
    assert read.under_picks is not None
    for picks, is_free in (({"l1-at-zero": "1"}, False), ({}, True)):
        assert_same(computed.under_picks(picks, is_free), read.under_picks(picks, is_free))
    assert len(asked) == 1


def test_it_is_computed_under_the_picks_of_the_call(store: ContentStore) -> None:
    with picking({"l1-at-zero": "1"}):
        pair = both(store, "kink", "float32", "mean")
    one, other = (bounded(gradient(planned), Rules()).value.tolist() for planned in pair)
    assert one == other == gradient(pair[0]).value.tolist()


def test_the_step_that_overflows_is_the_same(store: ContentStore) -> None:
    computed, read = both(store, "overflow", "float16", "none")
    assert where_it_overflows(computed.truth.value, (0,)) == where_it_overflows(read.truth.value, (0,))
    assert where_it_overflows(gradient(computed), (1,)) == where_it_overflows(gradient(read), (1,))


def test_numbers_from_a_store_cannot_be_overwritten(store: ContentStore) -> None:
    _, read = both(store, "plain", "float32", "mean")
    with pytest.raises(ValueError, match="read-only"):
        gradient(read).value[0] = 0


def is_found(store: ContentStore, asked: list[object], case: Case, dtype: str = "float32") -> bool:
    with storing(store):
        asked.clear()
        CallPlanner().plan(case, dtype, "mean")
    return not asked


PLAIN = CASES["plain"]


def with_input(*texts: str) -> Mapping[str, Literal]:
    numbers = tuple(map(parse_numeral, texts))
    target = PLAIN.args["target"]
    assert isinstance(target, Literal)
    return {"input": Literal(numbers, (2,)), "target": target}


def test_the_wording_of_a_case_does_not_matter(store: ContentStore, asked: list[object]) -> None:
    assert not is_found(store, asked, PLAIN)
    assert is_found(store, asked, replace(PLAIN, id="other", title="another", file="x.yaml", line=9))
    assert is_found(store, asked, replace(PLAIN, args=with_input("1.0", "25e-1")))


def test_another_number_parameter_loss_or_dtype_is_computed_anew(
    store: ContentStore, asked: list[object]
) -> None:
    weighted = CASES["weighted"]
    others = [
        replace(PLAIN, args=with_input("1", "2.25")),
        replace(PLAIN, args=with_input("2.5", "1")),
        replace(
            PLAIN,
            args={name: replace(tensor, shape=(1, 2)) for name, tensor in with_input("1", "2.5").items()},
        ),
        replace(PLAIN, loss="L1Loss"),
        replace(PLAIN, loss="HuberLoss"),
        replace(PLAIN, loss="HuberLoss", params={"delta": parse_numeral("2")}),
        replace(PLAIN, args={**PLAIN.args, "weight": PLAIN.args["target"]}),
        weighted,
        replace(weighted, params={**weighted.params, "label_smoothing": parse_numeral("0.25")}),
        replace(weighted, params={**weighted.params, "weight": PLAIN.args["input"]}),
        replace(weighted, params={"weight": weighted.params["weight"]}),
    ]
    for dtype in ("float64", "float32", "float16"):
        for case in (PLAIN, *others):
            assert not is_found(store, asked, case, dtype), (case, dtype)
            assert is_found(store, asked, case, dtype)


def test_another_reduction_term_or_pick_is_computed_anew(store: ContentStore, asked: list[object]) -> None:
    kink = CASES["kink"]
    with storing(store):
        for reduction in ("mean", "sum", "none"):
            CallPlanner().plan(kink, "float32", reduction)
        assert len(asked) == 3
        CallPlanner().plan(kink, "float32", "mean", "same_as 0", Term(loss="MSELoss"))
        assert len(asked) == 4
        CallPlanner().plan(kink, "float32", "mean", "same_as 0", Term(reduction="sum"))
        assert len(asked) == 5  # of a term only the value, which is asked for by itself
        CallPlanner().plan(kink, "float32", "mean", "same_as 1", Term(reduction="sum"))
        assert len(asked) == 5
        for picks in ({"l1-at-zero": "1"}, {"l1-at-zero": "-1"}):
            with picking(picks):
                slope = gradient(CallPlanner().plan(kink, "float32", "sum"))
            assert slope.picks == picks
        assert len(asked) == 7
        with picking({}, is_free=True):
            CallPlanner().plan(kink, "float32", "sum")
        assert len(asked) == 8


def test_a_second_derivative_depends_on_its_directions_and_its_format(
    store: ContentStore, asked: list[object]
) -> None:
    format = FORMATS["float32"]
    with storing(store):
        planned = CallPlanner().plan(PLAIN, "float32", "mean")
        directions, upstream = directions_of(planned.prepared, format), planned.truth.upstreams[1]
        results = [
            second_derivatives(planned.prepared, upstream, scaled, format)["input"].value.tolist()
            for scaled in (directions, {name: 2 * one for name, one in directions.items()}, directions)
        ]
        assert len(asked) == 3
        assert results[0] == results[2] == [number / 2 for number in results[1]]
        wide = second_derivatives(planned.prepared, upstream, directions, FORMATS["float64"])
        assert wide["input"].format is FORMATS["float64"]
        assert len(asked) == 4


NO_TEXT = [b"1", b"{}", b"[1]", b"[[]]", b"[[1], [1]]", b"null", b"[" * 100_000, b"\xff\xfe"]
NO_DESCRIPTION = [
    1,
    [],
    [[2], "xxxx-", "", "", {}],
    [[2], "0", "", "", {}],
    [[-3], "0000-", "", "", {}],
    [["2"], "xx0x0", "", "", {}],
    [[1.5], "xxxx-", "", "", {}],
    [[10**30], "00000", "", "", {}],
    [[], 5, "", "", {}],
]
NOTHING = [[2], "0000-", "", "", {}]
NO_TRUTHS = [
    *([[one], [one] * 2, [one] * 2] for one in [*NO_DESCRIPTION, [[2], "0000-0", "", "", {}]]),
    [[NOTHING], [NOTHING] * 2],
    [[NOTHING], [NOTHING] * 2, [NOTHING] * 2, [NOTHING] * 2],
    [[NOTHING], [NOTHING], [NOTHING]],
    [[NOTHING], [NOTHING] * 3, [NOTHING] * 3],
]
TEXTS = NO_TEXT + [json.dumps(truths).encode() for truths in NO_TRUTHS]
NO_TRUTH = [b"", b"\xff" * 8, b"\xff" * 64, *(len(text).to_bytes(8, "little") + text for text in TEXTS)]


@pytest.mark.parametrize("content", NO_TRUTH)
def test_what_is_no_truth_is_computed_anew_and_replaced(
    store: ContentStore, asked: list[object], monkeypatch: pytest.MonkeyPatch, content: bytes
) -> None:
    with monkeypatch.context() as forged:
        forged.setattr(stored_truth, "_encoded", lambda *truths: content)
        assert not is_found(store, asked, PLAIN)
    assert not is_found(store, asked, PLAIN)
    assert is_found(store, asked, PLAIN)


def steps(reduction: str = "mean") -> str:
    return CallPlanner().plan(PLAIN, "float32", reduction).steps


def test_the_worked_steps_of_a_call_are_kept(store: ContentStore, monkeypatch: pytest.MonkeyPatch) -> None:
    with storing(store):
        worked = steps()
        monkeypatch.setattr(calls, "worked_steps", lambda call: "worked anew")
        assert steps() == worked != "worked anew"
        assert steps("sum") == "worked anew"
    assert steps() == "worked anew"


def test_steps_that_are_no_text_are_worked_anew(store: ContentStore, monkeypatch: pytest.MonkeyPatch) -> None:
    worked = steps()
    monkeypatch.setattr(store, "find", lambda key: b"\xff")
    with storing(store):
        assert steps() == worked
