"""Selects the trials of a run from its options."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from packaging.version import Version

from lossproof.adapters.statements import TableError
from lossproof.corpus.case import Case
from lossproof.corpus.complaints import suggestion
from lossproof.corpus.reading import Corpus
from lossproof.numbers.formats import FORMATS
from lossproof.records.record import CERTIFIED
from lossproof.reference.catalogue import LOSSES, loss_name
from lossproof.running.mistakes import SelectionError
from lossproof.running.quick import quick_cases
from lossproof.running.sharding import (
    ShardError,
    cases_in,
    parse_shard,
    seconds_of_cases,
    seconds_of_trials,
)
from lossproof.running.targets import command_subject, quietly, split, target_subject
from lossproof.subjects.registry import default_subjects, find_subject, known_subjects
from lossproof.subjects.subject import Subject

# The options of a run that select its trials.
SELECTING = (
    *("subjects", "dtypes", "cases", "losses", "flags", "quantities", "no_refusals", "quick"),
    *("device", "shard", "shard_times"),
    *("subject", "loss", "arrays", "backward", "fixed", "lacks"),
    *("command", "check_messages"),
)


@dataclass(frozen=True)
class PlannedTrial:
    """A trial: what one test of the harness examines.

    Attributes:
        case: the case.
        subject: the subject; None if the numbers that the case states are judged.
        dtype: the dtype; None without a subject, and for a claim about a module.
    """

    case: Case
    subject: str | None
    dtype: str | None

    @property
    def id(self) -> str:
        """The id of the test: unique in the corpus, and stable, since CI systems track tests by it."""
        return "-".join(filter(None, (self.case.id, self.subject or CERTIFIED, self.dtype)))


@dataclass(frozen=True)
class Selection:
    """The trials of a run, in the order of the case files, and their subjects.

    Attributes:
        trials, subjects, dtypes, device: what runs on what.
        quantities: shell patterns of the quantities that count; none if all do.
    """

    trials: tuple[PlannedTrial, ...]
    subjects: dict[str, Subject]
    dtypes: tuple[str, ...]
    device: str
    quantities: tuple[str, ...] = ()

    def device_of(self, subject: str) -> str:
        """The run's device if the subject can use it, else ``cpu``."""
        return self.device if self.device in self.subjects[subject].devices() else "cpu"


def select(
    corpus: Corpus,
    subjects: str,
    dtypes: str,
    cases: str,
    device: str,
    losses: str = "",
    flags: str = "",
    quantities: str = "",
    no_refusals: str = "",
    quick: str = "",
    shard: str = "",
    shard_times: str = "",
    command: str = "",
    check_messages: str = "",
    **target: str,
) -> Selection:
    """Select the trials of a run.

    Args:
        corpus: all cases.
        subjects, dtypes: comma-separated names; empty means the default ones.
        cases: comma-separated shell patterns of case ids; empty means all.
        device: a torch device type.
        losses: comma-separated losses, by torch's names or those of its functions; empty means all.
        flags: comma-separated names of mistakes; only cases that look for one of them run; empty means all.
        quantities: comma-separated shell patterns of quantities; empty means all.
        no_refusals: not empty if cases of calls that must be refused are left out.
        quick: not empty if only the few cases of each loss that catch most faults are wanted.
        shard: such as ``3/8``; empty means everything.
        shard_times: a ``junit.xml`` by whose times the shards are balanced, or its folder; or empty.
        command, check_messages: the options of ``command_subject``.
        target: the options of ``target_subject``. If there is one, or a command, it is tested on the cases of
            its losses, and other subjects are tested only if they are named.

    Raises:
        SelectionError: a name does not exist, and the message lists those that do; or an option about shards
            is wrong.
    """
    own = target_subject(**target)
    if own and command:
        raise SelectionError("--subject and --command name two subjects; name one")
    own = own or command_subject(command, check_messages)
    subject_names = _names("subject", subjects, () if own else default_subjects(), known_subjects())
    dtype_names = _names("dtype", dtypes, tuple(FORMATS), tuple(FORMATS))
    selected_cases = of_losses(cases_matching(corpus, cases), losses)
    selected_cases = _with_flags(corpus, selected_cases, flags)
    if no_refusals:
        selected_cases = [case for case in selected_cases if case.raises is None]
    subjects_by_name = {name: _make_subject(name) for name in subject_names}
    if own:
        subjects_by_name[own.name] = own
        selected_cases = [case for case in selected_cases if own.has_loss(case.loss)]
    if quick:
        may_accept = all(subject.is_foreign for subject in subjects_by_name.values())
        selected_cases = quick_cases(selected_cases, may_accept)
    devices = sorted({name for subject in subjects_by_name.values() for name in subject.devices()})
    if device not in devices:
        raise SelectionError(f"there is no device '{device}' here; choose from {', '.join(devices)}")
    trials = tuple(
        trial
        for case in selected_cases
        for trial in _trials(case, subjects_by_name, dtype_names)
        if trial.subject or not own
    )
    in_shard = _in_shard(trials, shard, shard_times)
    return Selection(in_shard, subjects_by_name, dtype_names, device, tuple(split(quantities)))


def _in_shard(trials: tuple[PlannedTrial, ...], shard: str, times: str) -> tuple[PlannedTrial, ...]:
    if not shard:
        return trials
    cases = list(dict.fromkeys(trial.case.id for trial in trials))
    try:
        seconds = seconds_of_trials(Path(times)) if times else {}
        of_cases = seconds_of_cases(((trial.id, trial.case.id) for trial in trials), seconds)
        selected = cases_in(parse_shard(shard), cases, of_cases)
    except ShardError as mistake:
        raise SelectionError(str(mistake)) from mistake
    return tuple(trial for trial in trials if trial.case.id in selected)


def _make_subject(name: str) -> Subject:
    """Make a subject, and check that it states its version, devices and dtypes."""
    try:
        with quietly():
            subject = find_subject(name)
        Version(subject.version())
        subject.devices(), tuple(subject.dtypes)
    except TableError as mistake:
        raise SelectionError(f"the subject '{name}' is not right: {mistake}") from None
    except Exception as error:  # whatever somebody else's code may raise
        if isinstance(error, ModuleNotFoundError) and error.name:
            raise SelectionError(
                f"the subject '{name}' needs {error.name}, which is not installed; "
                "install it, or name other subjects with --subjects"
            ) from error
        reason = f"{type(error).__name__}: {error}".rstrip(": ")
        raise SelectionError(
            f"the subject '{name}' cannot be used ({reason}); mend it or leave it out"
        ) from error
    return subject


def _trials(case: Case, available: dict[str, Subject], dtypes: Sequence[str]) -> Iterator[PlannedTrial]:
    subjects = {name: subject for name, subject in available.items() if subject.has_loss(case.loss)}
    if case.expect or case.gradient or (case.erratum and case.erratum.says):
        yield PlannedTrial(case, None, None)
    if case.module is not None:
        # Only torch and what stands for it have torch's modules.
        yield from (PlannedTrial(case, name, None) for name, one in subjects.items() if not one.is_foreign)
        return
    # Subjects vary fastest: they share the truth of a dtype, which is cached for a few calls only.
    for dtype in case.dtypes:
        for name, subject in subjects.items():
            if dtype in dtypes and dtype in subject.dtypes:
                yield PlannedTrial(case, name, dtype)


def cases_matching(corpus: Corpus, patterns: str) -> list[Case]:
    """The cases of which any of these comma-separated shell patterns matches the id; all without any.

    Raises:
        SelectionError: if a pattern matches none.
    """
    parts = split(patterns) or ["*"]
    ids = [case.id for case in corpus.cases]
    for pattern in parts:
        if not any(fnmatch(id, pattern) for id in ids):
            near = difflib.get_close_matches(pattern, ids, n=5, cutoff=0.5) or sorted(ids)[:5]
            raise SelectionError(
                f"no case matches '{pattern}'; there are {len(ids)}, such as {', '.join(near)}"
            )
    return [case for case in corpus.cases if any(fnmatch(case.id, pattern) for pattern in parts)]


def of_losses(cases: list[Case], losses: str) -> list[Case]:
    """Those of some cases that are of these comma-separated losses; all without any.

    Raises:
        SelectionError: if there is no such loss.
    """
    named = {name: loss_name(name) for name in split(losses)}
    for name, found in named.items():
        if found is None:
            raise SelectionError(f"there is no loss '{name}'; {suggestion(name, LOSSES)}")
    return [case for case in cases if not named or case.loss in named.values()]


def _with_flags(corpus: Corpus, cases: list[Case], flags: str) -> list[Case]:
    known = sorted({flag.name for case in corpus.cases for flag in case.flags})
    named = split(flags)
    for name in named:
        if name not in known:
            raise SelectionError(f"no case looks for a flag '{name}'; {suggestion(name, known)}")
    return [case for case in cases if not named or any(flag.name in named for flag in case.flags)]


def _names(kind: str, text: str, usual: tuple[str, ...], known: tuple[str, ...]) -> tuple[str, ...]:
    names = split(text)
    for name in names:
        if name == CERTIFIED:
            raise SelectionError(
                f"'{CERTIFIED}' is no {kind}: every run judges the numbers that its cases state; "
                "--quantities 'printed,erratum' judges nothing else"
            )
        if name not in known:
            raise SelectionError(f"there is no {kind} '{name}'; choose from {', '.join(known)}")
    return tuple(dict.fromkeys(names)) or usual
