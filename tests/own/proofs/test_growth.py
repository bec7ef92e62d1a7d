"""The corpora that show the cost of a check are made of cases that the suite reads."""

from __future__ import annotations

from pathlib import Path

from lossproof.corpus.reading import load_corpus
from proofs.growth import write_corpus


def test_a_corpus_has_the_wanted_size_and_no_two_cases_with_the_same_numbers(tmp_path: Path) -> None:
    write_corpus(tmp_path, 101)
    cases = load_corpus(tmp_path).cases
    assert len(cases) == len({repr(case.args) for case in cases}) == 101
    assert len(list(tmp_path.iterdir())) == 2
