"""Where the repository lies, and its corpus, which is read once for all tests."""

from __future__ import annotations

import functools
from pathlib import Path

from lossproof.corpus.case import Case
from lossproof.corpus.reading import Corpus, load_corpus

ROOT = Path(__file__).parents[2]


@functools.cache
def whole_corpus() -> Corpus:
    return load_corpus(ROOT / "cases")


@functools.cache
def whole_cases() -> dict[str, Case]:
    """The cases of the whole corpus, by their ids."""
    return {case.id: case for case in whole_corpus().cases}
