"""Detectors of mutants: a case of the corpus, a file of the project's own tests, a planted fault.

Detectors run in a forked child, which imports everything that depends on the mutant again. This is why the
functions import what they need: the imports at the top are the parent's, from before the mutation.
"""

from __future__ import annotations

import contextlib
import functools
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import pytest

if TYPE_CHECKING:
    from lossproof.checks.examination import Examiner
    from lossproof.corpus.reading import Corpus

ROOT = Path(__file__).resolve().parents[2]
_WRONG = ("disagree", "error")


class Detector(Protocol):
    """One thing that may notice a mutant."""

    @property
    def name(self) -> str:
        """A unique name."""

    def failure(self, corpus: Corpus) -> str:
        """What is wrong; empty if everything is right."""


@dataclass(frozen=True)
class CaseDetector:
    """A trial as the harness runs it; without a subject, the numbers that the case prints."""

    case: str
    subject: str = ""
    dtype: str = ""
    with_modes: bool = False

    @property
    def name(self) -> str:
        """The case and where it runs."""
        return " ".join(filter(None, (self.case, self.subject, self.dtype, "modes" * self.with_modes)))

    def failure(self, corpus: Corpus) -> str:
        """The first record that is wrong, or the first obsolete known defect."""
        from lossproof.checks.certification import certify
        from lossproof.judging.known_defects import excuse, relevant
        from lossproof.subjects.registry import find_subject

        [case] = [case for case in corpus.cases if case.id == self.case]
        if not self.subject:
            return "; ".join(
                f"{record.quantity}: {record.message}" for record in certify(case) if record.outcome in _WRONG
            )
        subject = find_subject(self.subject)
        if not subject.has_loss(case.loss):
            return ""
        entries = relevant(corpus.known_defects, self.subject, subject.version(), "cpu")
        for record in _examiner(self.with_modes).records(case, subject, self.dtype):
            [excused], obsolete = excuse([record], entries)
            if excused.outcome in _WRONG:
                return f"{excused.outcome} on {excused.quantity}: {excused.message}"
            if obsolete:
                return obsolete[0]
        return ""


@dataclass(frozen=True)
class FaultDetector:
    """A fault planted in torch, which a case must catch in one of its dtypes."""

    fault: str
    case: str

    @property
    def name(self) -> str:
        """The fault and the case."""
        return f"{self.fault} caught by {self.case}"

    def failure(self, corpus: Corpus) -> str:
        """A message if the case no longer catches the fault."""
        from lossproof.judging.known_defects import relevant
        from lossproof.subjects.registry import find_subject
        from proofs.faults.catalogue import FAULTS
        from proofs.faults.matrix import caught_by, dtypes_of

        [case] = [case for case in corpus.cases if case.id == self.case]
        fault = FAULTS[self.fault]
        subject = find_subject(fault.subject)
        entries = relevant(corpus.known_defects, fault.subject, subject.version(), "cpu")
        examiner = _examiner(fault.shows_in_modes)
        is_caught = any(
            caught_by(fault, case, dtype, subject, examiner, entries) for dtype in dtypes_of(case)
        )
        return "" if is_caught else "a planted fault goes unnoticed"


@dataclass(frozen=True)
class TestsDetector:
    """A file of the project's own tests, or the tests in it that an expression selects."""

    __test__ = False  # not a class of tests, despite its name

    file: str
    expression: str = ""

    @property
    def name(self) -> str:
        """The file and the expression."""
        return " -k ".join(filter(None, (self.file, self.expression)))

    def failure(self, corpus: Corpus) -> str:
        """The first test that fails; none does where the expression selects none."""
        report = _FirstFailure()
        options = ["-x", "-q", "-p", "no:cacheprovider", "-p", "no:logging", "--rootdir", str(ROOT)]
        # The harness reads its corpus at every start, which takes longer than most tests.
        options += ["--corpus", str(Path(__file__).parent / "corpus")]
        # The parent loaded shared modules before pytest could rewrite their assertions.
        options += ["-W", "ignore::pytest.PytestAssertRewriteWarning"]
        if self.expression:
            options += ["-k", self.expression]
        with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):
            [file] = (ROOT / "tests/own").rglob(self.file)
            status = pytest.main([*options, str(file)], plugins=[report])
        is_passing = status in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED)
        return "" if is_passing else report.test or f"pytest ends with {status!r}"


class _FirstFailure:
    test = ""

    def pytest_runtest_logreport(self, report: Any) -> None:
        if report.failed and not self.test:
            self.test = report.nodeid


@functools.cache
def _examiner(with_modes: bool) -> Examiner:
    from lossproof.checks.examination import Examiner

    return Examiner(with_modes=with_modes)
