"""A subject that is wrong and tampers with the process that judges it is not called right."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from suite_runs import FIRST_AND_LAST
from tampering_subjects import MARK, TAMPERINGS, Tampering

from lossproof.corpus.reading import Corpus, load_corpus
from lossproof.records.lines import records_in
from lossproof.running import supervision
from lossproof.running.selection import Selection, select
from lossproof.running.session import ConformanceSession
from lossproof.running.supervision import Supervisor

SAID: Mapping[str, str] = {
    "patches-a-module": "the subject changed lossproof.checks.question.compare",
    "patches-a-class": "the subject changed lossproof.checks.examination.Examiner.examine",
    "patches-a-builtin": "the subject changed builtins.abs",
    "pickles-an-answer": "the subject wrote into the connection of the harness",
    "pickles-code": "the subject wrote into the connection of the harness",
    "forges-an-answer": "the subject answered in place of the harness",
    "writes-text": "the subject wrote into the connection of the harness, or closed it",
    "announces-a-message-that-never-ends": "the process was ended by SIGKILL",
    "closes-the-connection-and-hangs": "the subject wrote into the connection of the harness, or closed it",
    "exits-with-0": "the process ended with status 0",
}


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    folder = tmp_path_factory.mktemp("cases")
    (folder / "losses.yaml").write_text(FIRST_AND_LAST)
    return load_corpus(folder)


def test_every_way_to_tamper_is_expected_to_be_named() -> None:
    assert set(SAID) == set(TAMPERINGS)


@pytest.mark.parametrize("way", SAID)
def test_whoever_tampers_is_in_error_and_the_next_trial_is_judged(
    corpus: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    monkeypatch.setenv(MARK, str(tmp_path / "executed"))
    monkeypatch.setattr(supervision, "_ENDING_SECONDS", 1.0)
    trials = tuple(
        replace(trial, subject="tampering")
        for trial in select(corpus, "reference", "float64", "", "cpu").trials
    )
    selection = Selection(trials, {"tampering": Tampering(TAMPERINGS[way])}, ("float64",), "cpu")
    # In a run, such a subject gets a process that imports everything anew, which takes seconds.
    supervisor = Supervisor(ConformanceSession(corpus, selection), 3, method="fork")
    try:
        first, last = map(supervisor.examine, trials)
    finally:
        supervisor.close()
    [record] = records_in(first.lines)
    assert (record.case, record.outcome) == ("nll-first", "error")
    assert SAID[way] in record.message
    assert not last.complaints
    assert not (tmp_path / "executed").exists()
