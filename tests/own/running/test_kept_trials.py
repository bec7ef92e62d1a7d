"""A later run makes every call again, but judges only what is answered differently."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from lossproof.checks.examination import Examiner
from lossproof.corpus.reading import Corpus, load_corpus
from lossproof.judging.content_store import ContentStore
from lossproof.running.answer import Answer
from lossproof.running.selection import Selection, select
from lossproof.running.session import ConformanceSession
from lossproof.running.states import States
from lossproof.running.stores import Stores
from lossproof.running.supervision import Supervisor
from lossproof.subjects.call import Call, Observation, Values
from lossproof.subjects.guarded import GuardedSubject
from lossproof.subjects.transcript import Directions, Transcript, repeat

CASES = """\
cases:
  - {id: squares, title: squares, loss: MSELoss, args: {input: [1, 2.5], target: [0.5, 1]}}
  - {id: wrong, title: wrong on purpose, loss: MSELoss, args: {input: [1, 2], target: [0, 1]},
     expect: {sum: 3}}
  - {id: kink, title: on a kink, loss: L1Loss, args: {input: [0.5, 2], target: [0.5, 1]}}
  - {id: refused, title: refused, loss: NLLLoss, args: {input: [[0, -1]], target: [2]},
     raises: {kind: index, when: call, torch: {type: IndexError, match: out of bounds}}}
  - {id: same, title: two calls, loss: CrossEntropyLoss, args: {input: [[1, 2], [0, 3]], target: [0, 1]},
     same_as: {params: {label_smoothing: 0}, why: it is the default}}
  - {id: often, title: several times, loss: L1Loss, args: {input: [0.5, 2], target: [3, 1]}, repeats: 2}
  - {id: alone, title: in a process, loss: L1Loss, args: {input: [2, 2], target: [3, 1]}, own_process: true}
"""
SUBJECTS = "torch.nn.functional,reference"
DEFECT = """
defects:
  - {case: squares, subject: torch.nn.functional, quantities: [value], observed: 7, expected: "8",
     why: nobody knows, kind: defect}
"""
Answers = dict[str, Answer]


class Runs:
    """Sessions that share what they keep."""

    def __init__(self, folder: Path) -> None:
        self.cases, self.cache = folder / "cases", folder / "cache"
        self.cases.mkdir()
        self.file = self.cases / "losses.yaml"
        self.file.write_text(CASES)
        self.examined: list[str] = []

    def session(
        self, *, keeps: bool = True, dtypes: str = "float32,float64", quantities: str = "", **options: Any
    ) -> ConformanceSession:
        corpus = load_corpus(self.cases)
        selection = select(corpus, SUBJECTS, dtypes, "", "cpu", quantities=quantities)
        return ConformanceSession(
            corpus, selection, self.stores(corpus, selection) if keeps else None, **options
        )

    def stores(self, corpus: Corpus, selection: Selection) -> Stores:
        folders = ContentStore(self.cache / "truth"), ContentStore(self.cache / "trials")
        return Stores(*folders, States(corpus, selection))

    def run(self, **options: Any) -> Answers:
        """The answers to all trials; ``examined`` then holds the cases that were judged."""
        self.examined.clear()
        session = self.session(**options)
        with noting(self.examined):
            answers = {trial.id: session.examine(trial) for trial in session.selection.trials}
        session.keep()
        return answers


@contextmanager
def noting(examined: list[str]) -> Iterator[None]:
    """Note the case of each trial that is judged."""
    right = Examiner.examine

    def examine(self: Examiner, case: Any, *rest: Any) -> Any:
        examined.append(case.id)
        return right(self, case, *rest)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Examiner, "examine", examine)
        yield


@pytest.fixture
def runs(tmp_path: Path) -> Runs:
    return Runs(tmp_path)


def test_equal_answers_are_judged_once(runs: Runs) -> None:
    first = runs.run()
    assert set(runs.examined) == {"squares", "wrong", "kink", "refused", "same", "often", "alone"}
    assert any(answer.complaints for answer in first.values())
    assert runs.run() == first
    assert runs.examined == []
    assert runs.run(keeps=False) == first


def test_every_call_is_made_again(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, str, str | None, str]] = []
    for name in ("_run_guarded", "_run_mode"):
        monkeypatch.setattr(GuardedSubject, name, counted(getattr(GuardedSubject, name), asked))
    runs.run()
    first = asked.copy()
    assert {mode for mode, *_ in first} > {"", "jvp"}
    asked.clear()
    runs.run()
    assert asked == first


def counted(right: Callable[..., Any], asked: list[tuple[str, str, str | None, str]]) -> Callable[..., Any]:
    def ask(self: GuardedSubject, *given: Any) -> Any:
        mode, call = (given[0], given[1]) if isinstance(given[0], str) else ("", given[0])
        asked.append((mode, call.loss, call.reduction, call.layout))
        return right(self, *given)

    return ask


def test_another_answer_is_judged(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    runs.run()
    right = torch.nn.functional.mse_loss
    monkeypatch.setattr(torch.nn.functional, "mse_loss", lambda *args, **rest: right(*args, **rest) * 1.001)
    answers = runs.run()
    assert set(runs.examined) == {"squares", "wrong"}
    assert answers == runs.run(keeps=False)
    assert answers["squares-torch.nn.functional-float32"].complaints


def test_another_exception_is_another_answer(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    runs.run()

    def refuse(*args: Any, **rest: Any) -> None:
        raise IndexError("Target 2 is somewhere else.")

    monkeypatch.setattr(torch.nn.functional, "nll_loss", refuse)
    answers = runs.run()
    assert set(runs.examined) == {"refused"}
    assert answers["refused-torch.nn.functional-float32"].complaints


@pytest.mark.parametrize(
    ("before", "after", "changed"),
    [
        ("title: squares", "title: in other words", {"squares"}),
        ("[1, 2.5]", "[1, 2.25]", {"squares"}),
        ("why: it is the default", "why: so it is", {"same"}),
        ("  - {id: kink", "\n  - {id: kink", {"kink", "refused", "same", "often", "alone"}),  # lines move
    ],
)
def test_a_changed_case_is_judged_anew(runs: Runs, before: str, after: str, changed: set[str]) -> None:
    runs.run()
    runs.file.write_text(CASES.replace(before, after))
    answers = runs.run()
    assert set(runs.examined) == changed
    assert answers == runs.run(keeps=False)


def test_a_new_known_defect_is_judged_anew(runs: Runs) -> None:
    runs.run()
    defects = runs.cases / "known-defects.yaml"
    defects.write_text(DEFECT)
    answers = runs.run()
    assert set(runs.examined) == {"squares"}
    assert answers == runs.run(keeps=False)
    defects.write_text("\n" + DEFECT)
    runs.run()
    assert set(runs.examined) == {"squares"}  # its line stands in the answer


@pytest.mark.parametrize(
    "options", [{"is_strict": True}, {"quantities": "value"}, {"dtypes": "float64"}], ids=str
)
def test_other_options_are_judged_anew(runs: Runs, options: dict[str, Any]) -> None:
    runs.run()
    answers = runs.run(**options)
    assert runs.examined
    assert answers == runs.run(keeps=False, **options)


def test_other_code_is_judged_anew(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    first = runs.run()
    monkeypatch.setattr("lossproof.running.states.code_digest", lambda rooms: "another")
    assert runs.run() == first
    assert runs.examined


def test_another_release_is_judged_anew(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    runs.run()
    monkeypatch.setattr("lossproof.subjects.reference.subject.ReferenceSubject.version", lambda self: "0.0.1")
    runs.run()
    assert len(runs.examined) == 7  # the reference computes in float64 alone


def test_another_library_is_judged_anew(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lossproof.subjects.torch.subject.TorchSubject.is_foreign", True)
    first = runs.run()
    assert runs.run() == first
    assert len(runs.examined) == 7 * 2


def test_what_is_damaged_is_judged_anew(runs: Runs) -> None:
    first = runs.run()
    [path] = (runs.cache / "trials").iterdir()
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    assert runs.run() == first
    assert runs.examined


@pytest.mark.parametrize(
    "content",
    [b"", b"{}", b"[]", b"\xff", b'{"calls": 1}', b"[" * 100_000, b'{"calls": {"arrays": [["", 1, 2]]}}'],
)
def test_a_content_that_is_not_ours_is_judged_anew(
    runs: Runs, monkeypatch: pytest.MonkeyPatch, content: bytes
) -> None:
    first = runs.run()
    right = ContentStore.find

    def find(self: ContentStore, key: bytes) -> bytes | None:
        found = right(self, key)
        return content if found and self.folder.name == "trials" and found.startswith(b"{") else found

    monkeypatch.setattr(ContentStore, "find", find)
    assert runs.run() == first
    assert runs.examined


def test_arrays_that_are_gone_or_large_are_asked_for_anew(
    runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lossproof.running.kept_trials._MOST_BYTES", 7)
    first = runs.run()
    assert runs.run() == first
    assert set(runs.examined) == {"squares", "wrong", "kink", "refused", "same", "often", "alone"}


def test_a_session_that_keeps_trials_can_be_started_anew(runs: Runs) -> None:
    first = runs.run()
    for method in multiprocessing.get_all_start_methods():
        session = runs.session()
        supervisor = Supervisor(session, 120, method=method)
        try:
            assert {trial.id: supervisor.examine(trial) for trial in session.selection.trials} == first
        finally:
            supervisor.close()


def call_of(**changes: Any) -> Call:
    numbers = Values(np.array([[1.0, -0.0], [np.nan, np.inf]]), "float32")
    params = {"weight": numbers, "p": 2.0, "margin": -0.0, "full": True, "blank": 3, "how": "x", "eps": None}
    upstreams = (np.ones(()), np.array([0.5]))
    call = Call("L1Loss", params, {"input": numbers}, "mean", "float32", upstreams=upstreams, wrt=("input",))
    return replace(call, **changes)


def written(
    call: Call, mode: str = "", directions: Directions | None = None
) -> list[tuple[str, Call, Directions]]:
    """The calls that come out where this one was noted."""
    transcript = Transcript()
    transcript.note(mode, call, directions or {}, Observation(np.ones(2), "float32"))
    data = transcript.as_data()
    assert data is not None
    made: list[tuple[str, Call, Directions]] = []
    repeat(data[0], lambda *asked: made.append(asked), data[1].get)
    return made


def parts(call: Call) -> list[object]:
    """All of a call but ``drawn``, with arrays as their bits."""

    def bits(value: object) -> object:
        if isinstance(value, Values):
            return bits(value.numbers), value.dtype
        if isinstance(value, np.ndarray):
            return value.dtype.str, value.shape, value.tobytes()
        return type(value), repr(value)

    fields = [call.loss, call.reduction, call.dtype, call.device, call.layout, call.wrt]
    given = [(name, bits(value)) for name, value in (*call.params.items(), *call.args.items())]
    return [*fields, given, [bits(upstream) for upstream in call.upstreams]]


@pytest.mark.parametrize(
    "changes", [{}, {"reduction": None, "layout": "strided", "upstreams": (), "wrt": ()}, {"device": "meta"}]
)
def test_a_call_is_the_same_when_it_is_made_again(changes: dict[str, Any]) -> None:
    call = call_of(**changes)
    [(mode, same, directions)] = written(call, "jvp", {"input": np.array([0.25])})
    assert (mode, parts(same)) == ("jvp", parts(call))
    assert {name: array.tolist() for name, array in directions.items()} == {"input": [0.25]}


def test_a_call_that_json_cannot_hold_is_not_kept() -> None:
    transcript = Transcript()
    transcript.note("", call_of(params={"distance": object()}), {}, Observation(np.ones(2), "float32"))
    assert transcript.as_data() is None


def digest(answer: Any) -> str:
    transcript = Transcript()
    transcript.note("", call_of(), {}, answer)
    return transcript.answers


def test_all_that_an_answer_consists_of_counts() -> None:
    answer = Observation(
        np.array([0.0]), "float32", ({"input": np.array([1.0])},), (), (), None, {"input": "x"}
    )
    others = [
        answer,
        replace(answer, value=np.array([-0.0])),
        replace(answer, value=np.array([[0.0]])),
        replace(answer, value=np.array([0], np.int64)),
        replace(answer, dtype="float64"),
        replace(answer, gradients=({"input": np.array([2.0])},)),
        replace(answer, gradients=({"other": np.array([1.0])},)),
        replace(answer, gradients=({"input": np.array([1.0])}, {})),
        replace(answer, changes=("input",)),
        replace(answer, gradient_dtypes={"input": "y"}),
    ]
    assert len({digest(one) for one in others}) == len(others)
    assert digest(replace(answer)) == digest(answer)
