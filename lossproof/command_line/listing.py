"""``list``: a line per case, loss, subject, flag, dtype or convention, for people and for pipes."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from lossproof.command_line.corpus import find_loss, matching, read_corpus
from lossproof.command_line.terminal import QUIET, Mistake, Row, say_table
from lossproof.corpus.case import Case, Flag
from lossproof.corpus.complaints import suggestion
from lossproof.numbers.formats import FORMATS
from lossproof.reference.catalogue import CONVENTIONS, LOSSES

_SINGULAR = {
    "cases": "case",
    "losses": "loss",
    "subjects": "subject",
    "flags": "flag",
    "dtypes": "dtype",
    "conventions": "convention",
}


def list_things(
    kind: str,
    pattern: str | None,
    loss: str | None,
    flag: str | None,
    document: str | None,
    corpus: Path | None,
) -> None:
    """Write a line for each thing of a kind whose name matches the pattern.

    ``loss``, ``flag`` and ``document`` select cases; losses and flags are listed if a selected case has them.
    """
    if kind not in _SINGULAR:
        raise Mistake(f"'{kind}' cannot be listed; {suggestion(kind, _SINGULAR)}")
    if kind in _WITHOUT_CASES:
        options = {"--loss": loss, "--flag": flag, "--document": document}
        misplaced = [name for name, value in options.items() if value is not None]
        if misplaced:
            raise Mistake(f"{misplaced[0]} chooses cases, losses or flags, not {kind}; leave it out")
        rows = _WITHOUT_CASES[kind]()
    else:
        cases = _select(list(read_corpus(corpus).cases), loss, flag, document)
        rows = {"cases": _cases, "losses": _losses, "flags": _flags}[kind](cases)
    names = matching([_name(row) for row in rows], pattern, _SINGULAR[kind])
    say_table([row for row in rows if _name(row) in names], cut=True)


def _select(cases: list[Case], loss: str | None, flag: str | None, document: str | None) -> list[Case]:
    if loss is not None:
        name = find_loss(loss).name
        cases = [case for case in cases if case.loss == name]
    if flag is not None:
        names = {entry.name.lower(): entry.name for case in cases for entry in case.flags}
        if flag.lower() not in names:
            raise Mistake(f"no case has the flag '{flag}'; {suggestion(flag, names.values())}")
        cases = [case for case in cases if names[flag.lower()] in [entry.name for entry in case.flags]]
    if document is not None:
        documents = {case.source.document for case in cases if case.source}
        matches = {name for name in documents if name.startswith(document)}
        if not matches:
            raise Mistake(f"no case comes from the document '{document}'; {suggestion(document, documents)}")
        cases = [case for case in cases if case.source and case.source.document in matches]
    if not cases:
        raise Mistake("no case matches all of these options; leave one out")
    return cases


def _cases(cases: list[Case]) -> list[Row]:
    return [(case.id, case.loss, (f"{case.file}:{case.line}", QUIET), case.title) for case in cases]


def _losses(cases: list[Case]) -> list[Row]:
    counts = Counter(case.loss for case in cases)
    rows: list[Row] = []
    for name, loss in sorted(LOSSES.items()):
        if counts[name]:
            takes = ", ".join((*loss.arguments, *loss.parameters))
            function = f"F.{loss.functional}" if loss.functional else "-"
            rows.append((name, function, f"{counts[name]:4} cases", (takes, QUIET)))
    return rows


def _flags(cases: list[Case]) -> list[Row]:
    counts: Counter[tuple[str, Flag]] = Counter((case.loss, flag) for case in cases for flag in case.flags)
    return [
        (flag.name, loss, flag.severity, flag.bug, f"{counts[loss, flag]:4} cases", (flag.why, QUIET))
        for loss, flag in sorted(counts, key=lambda pair: (pair[1].name, pair[0], pair[1].why))
    ]


def _subjects() -> list[Row]:
    # Here, since subjects import their libraries, such as torch.
    from lossproof.subjects.registry import find_subject, known_subjects

    rows: list[Row] = []
    for name in known_subjects():
        try:
            subject = find_subject(name)
            rows.append((name, subject.version(), ", ".join(subject.dtypes), ", ".join(subject.devices())))
        except ModuleNotFoundError as missing:
            rows.append((name, "cannot be used", f"it needs {missing.name}, which is not installed", ""))
        except Exception as error:  # whatever somebody else's code may raise
            rows.append((name, "cannot be used", f"{type(error).__name__}: {error}", ""))
    return rows


def _dtypes() -> list[Row]:
    return [
        (
            name,
            f"{format.precision} bits",
            f"largest {format.largest:.3g}",
            f"smallest normal {2.0**format.smallest_exponent:.3g}",
            f"unit roundoff {format.unit_roundoff:.3g}",
        )
        for name, format in FORMATS.items()
    ]


def _conventions() -> list[Row]:
    return [
        (name, f"usually {entry.usual}", f"of {', '.join(entry.picks)}", (entry.means, QUIET))
        for name, entry in sorted(CONVENTIONS.items())
    ]


_WITHOUT_CASES = {"subjects": _subjects, "dtypes": _dtypes, "conventions": _conventions}


def _name(row: Row) -> str:
    return row[0] if isinstance(row[0], str) else row[0][0]
