"""``lossproof.conforms``: the cases of a loss as tests of somebody's own project, in its own pytest."""

from __future__ import annotations

import inspect
import shlex
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

from lossproof.adapters.arrays import LIBRARIES
from lossproof.adapters.features import ALL_FEATURES
from lossproof.adapters.tested import TestedSubject
from lossproof.checks.examination import Examiner
from lossproof.corpus.case import Case, KnownDefect
from lossproof.corpus.complaints import CorpusError, suggestion
from lossproof.corpus.files import default_corpus
from lossproof.corpus.project_file import read_project, text_of
from lossproof.corpus.reading import ids_in, load_corpus
from lossproof.judging.choices import reclassify_conventions
from lossproof.judging.known_defects import by_case, excuse
from lossproof.numbers.formats import FORMATS
from lossproof.records.outcome import Outcome
from lossproof.records.record import Record
from lossproof.reference.catalogue import LOSSES, loss_name
from lossproof.reporting.failure_groups import failure_sentence
from lossproof.reporting.shown_program import shown_program

_CALL = "call"
_TRIAL = "lossproof_trial"
_Test = Callable[..., Any]


def conforms(
    loss: str,
    *,
    dtypes: Sequence[str] = (),
    as_: str = "torch",
    lacks: Sequence[str] = (),
    fixed: Mapping[str, Any] | None = None,
    device: str = "cpu",
    strict: bool = False,
    corpus: Path | None = None,
    project: str = "",
) -> Callable[[_Test], _Test]:
    """Make a test function one test for each case of a loss, and each dtype.

    The function takes a ``call``, besides any fixtures, and returns what its implementation returned.
    ``call.input`` and so on are its arguments and parameters; see ``adapters.arguments.Arguments``. Whatever
    is wrong fails the test, with the numbers and a program that shows it. A case that needs a parameter that
    the function does not read is skipped.

    Args:
        loss: by torch's name: that of the class, or of the function.
        dtypes: by torch's names; empty means all that the arrays have.
        as_: whose arrays the call holds: torch, numpy, jax, mlx or dlpack. Gradients are those of the
            library's automatic differentiation, if it has any.
        lacks: features that the implementation does not have: broadcast, integers, ignore_index, empty, ...
        fixed: the values of parameters that it does not read, where they are not torch's defaults.
        device: a torch device type.
        strict: whether an error beyond its budget fails the test even if it is within twice the budget.
        corpus: the folder of case files; by default, the suite's own.
        project: the path of a ``lossproof.toml`` whose differences and defects are about this implementation,
            relative to the folder of the test's file. Its options are those of ``lossproof verify``, and are
            not read here.

    Raises:
        ValueError: if there is no such loss, dtype, library or feature.
        ModuleNotFoundError: if the library is not installed.
    """
    if not isinstance(loss, str):
        raise ValueError("conforms needs a loss: write @lossproof.conforms('CrossEntropyLoss')")
    name = loss_name(loss)
    if name is None:
        raise ValueError(f"there is no loss '{loss}'; {suggestion(loss, LOSSES)}")
    for kind, given, known in (
        ("dtype", dtypes, FORMATS),
        ("array library", [as_], LIBRARIES),
        ("feature", lacks, ALL_FEATURES),
    ):
        if unknown := [one for one in given if one not in known]:
            raise ValueError(f"there is no {kind} '{unknown[0]}'; {suggestion(unknown[0], known)}")

    def decorate(test: _Test) -> _Test:
        signature = inspect.signature(test)
        if _CALL not in signature.parameters:
            raise ValueError(f"{test.__name__} takes no '{_CALL}'; let it take one, and return its result")
        beside = Path(inspect.getfile(test)).parent / project if project else None
        subject = TestedSubject(test, name, as_, dtypes, fixed or {}, lacks)
        examiner = Examiner(subject.dtypes[0], is_strict=strict, isolates_refusals=True)
        trials = _Trials(corpus or default_corpus(Path()), name, subject.dtypes, beside, subject.name)

        def run(**fixtures: Any) -> None:
            case, dtype = fixtures.pop(_TRIAL)
            subject.fixtures = fixtures
            known = trials.known.get(case.id, [])
            records = examiner.records(case, subject, dtype, device, known)
            # Nothing is on record for the subject, as in a run: any pick is as right as another.
            show = shlex.join(["lossproof", "show", case.id, *folder])
            _judge(*excuse(reclassify_conventions(records, {}), known), show, verify(case.id, dtype))

        folder = ["--corpus", str(corpus)] if corpus else []

        def verify(case: str, dtype: str) -> str:
            """A run of ``verify`` on one case and what the test calls, whose name nobody knows here."""
            values = ",".join(f"{name}={value}" for name, value in (fixed or {}).items())
            options = {"--as": name, "--cases": case, "--dtypes": dtype, "--lacks": ",".join(lacks)}
            options |= {"--fixed": values, "--arrays": "" if as_ == "torch" else as_}
            given = [word for option, text in options.items() if text for word in (option, text)]
            return shlex.join(["lossproof", "verify", "--subject", "FILE.py:NAME", *given, *folder])

        parameters = [one for one in signature.parameters.values() if one.name != _CALL]
        by_keyword = inspect.Parameter.KEYWORD_ONLY
        own = inspect.Parameter(_TRIAL, by_keyword)
        run.__signature__ = inspect.Signature(  # type: ignore[attr-defined]  # pytest reads the fixtures here
            [*(one.replace(kind=by_keyword) for one in parameters), own]
        )
        run.__name__, run.__qualname__, run.__doc__ = test.__name__, test.__qualname__, test.__doc__
        run.__module__ = test.__module__
        run.implementation, run.subject = test, subject  # type: ignore[attr-defined]  # for programs, and for other processes
        parametrized: _Test = pytest.mark.parametrize(_TRIAL, trials)(run)
        return parametrized

    return decorate


class _Trials(Collection[Any]):
    """The parameters of a test, read only when pytest asks: another process only wants the function."""

    def __init__(
        self, corpus: Path, loss: str, dtypes: Sequence[str], project: Path | None, subject: str
    ) -> None:
        self._corpus, self._loss, self._dtypes = corpus, loss, dtypes
        self._project, self._subject = project, subject

    @cached_property
    def _cases(self) -> Sequence[Case]:
        return load_corpus(self._corpus, [self._loss]).cases

    @cached_property
    def known(self) -> Mapping[str, Sequence[KnownDefect]]:
        """What the project says of the implementation, by the ids of cases."""
        if self._project is None:
            return {}
        # The file may speak of other losses, too, whose cases are not read here.
        ids = ids_in(sorted(self._corpus.rglob("*.yaml")))
        entries = read_project(text_of(self._project), ids).entries
        return by_case(replace(entry, subject=self._subject) for entry in entries)

    @cached_property
    def _all(self) -> list[Any]:
        try:
            self.known  # noqa: B018  # a mistake in the file is one of the whole test, not of each case
        except CorpusError as mistake:
            raise pytest.Collector.CollectError(str(mistake)) from None
        return [
            pytest.param((case, dtype), id=f"{case.id}-{dtype}")
            for case in self._cases
            if case.loss == self._loss and case.module is None
            for dtype in case.dtypes
            if dtype in self._dtypes
        ]

    def __iter__(self) -> Iterator[Any]:
        return iter(self._all)

    def __len__(self) -> int:
        return len(self._all)

    def __contains__(self, trial: object) -> bool:
        return trial in self._all


def _judge(records: Sequence[Record], gone: Sequence[str], show: str, verify: str) -> None:
    """Fail the test if a record does, or if a known defect is gone; skip it if there is nothing to judge.

    ``show`` and ``verify`` are commands: one shows the case, the other writes a report with the program.
    """
    failures = [record for record in records if record.outcome.is_failing]
    if failures or gone:
        where = f"a report holds it if you name what this test calls: {verify}"
        told = [*map(failure_sentence, failures), *gone, f"The case: {show}", shown_program(failures, where)]
        pytest.fail("\n".join(filter(None, told)), pytrace=False)
    if all(record.outcome == Outcome.UNSUPPORTED for record in records):
        pytest.skip("; ".join(sorted({record.message for record in records})))
