"""The data that a run leaves behind: one record per check, one result per trial, one description."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import MISSING, dataclass, field
from functools import lru_cache
from itertools import repeat
from types import NoneType
from typing import Any

from lossproof.records.outcome import Outcome
from lossproof.records.quantity import Quantity

# Shown to readers instead of a dtype.
NO_DTYPE = "no dtype"
# In the place of a subject: the numbers that the cases themselves state.
CERTIFIED = "certified"
# A pick of a convention other than those with a name.
ANOTHER = "another"
# The rules, other than its number, by which a check may pass.
RULES = ("overflow", "unbounded", "kink", "tie", "convention", "grade")


# What a reader needs to see of a check: the texts inputs, params, formula, steps, expected, observed, why
# (what the flags of the case look for) and snippet; elements (beyond their budget), wrong (which of the
# shown numbers are) and curve are data.
Detail = dict[str, Any]


@dataclass(frozen=True)
class Record:
    """One check and its outcome; every field is plain data, so that it travels and prints as JSON.

    Attributes:
        case, title, loss, subject, dtype, device, layout: what ran on what. Subject and dtype are None if
            ball arithmetic judges the numbers that a case states; a claim about a module has no dtype.
        reduction: none, mean, sum, batchmean, or None if the loss has none or none was passed.
        quantity: value, gradient:ARGUMENT (upstream of ones, or of the case), vjp:ARGUMENT (a seeded
            upstream), another quantity of a kind of check (see ``checks``), or the name of a mode.
        outcome: the outcome; if it is ``overflowed``, ``message`` names the step that overflows.
        error_over_budget: the largest |observed - true| / 2B over the elements; at most 1 if it agrees,
            except for second derivatives, whose excess is a grade.
        source: {document, place, claim} or None.
        finding: {kind: erratum | drifted, says, because} or None: what the case says about its document.
        flags: the names of the case's flags.
        file, line: where the case stands, with lines counted from 1.
        message: a sentence; empty if there is nothing to say.
        detail: see ``Detail``; None if nobody would read it.
        loses_digits: whether the case is known to lose digits within its budget.
        rule: the one of RULES, other than its number, by which the check passes; else empty. If it is
            overflow, the outcome is ``overflowed``: a step of the formula leaves the format's range, which
            allows the infinity or nan that came out.
        came_out: if the check is wrong, the distinct numbers that are off, the furthest first, or a word such
            as the type of an exception; at most eight.
        off: how many numbers are wrong, if they can be counted.
        ulps: of a value or a gradient in the contiguous layout, the worst and the median distance of its
            elements from the true numbers, in units in the last place; None if none is finite.
        cause: the reason of the known defect that explains it; else empty.
        picks: the observed picks for what the formula leaves open in this check, by the names of
            conventions; ANOTHER for a pick without a name.
        numbers: for ``printed`` and ``erratum``, {stated, shape, true, true_shape, dtype, by}: the stated and
            the true numbers, as texts in row-major order, the first of many; ``dtype`` is the dtype in which
            they were observed, or empty; ``by`` says where they stand: in the document, in the case, or
            nowhere (formula).
    """

    case: str
    title: str
    loss: str
    subject: str | None
    dtype: str | None
    device: str
    layout: str
    reduction: str | None
    quantity: Quantity
    outcome: Outcome
    error_over_budget: float | None
    source: dict[str, str] | None
    file: str
    line: int
    message: str = ""
    finding: dict[str, str] | None = None
    flags: list[str] = field(default_factory=list)
    detail: Detail | None = None
    loses_digits: bool = False
    rule: str = ""
    came_out: list[str] = field(default_factory=list)
    off: int = 0
    cause: str = ""
    numbers: dict[str, Any] | None = None
    picks: dict[str, str] = field(default_factory=dict)
    ulps: list[float] | None = None

    @property
    def subject_name(self) -> str:
        """The subject's name for a reader; records of the numbers that a case states are called certified."""
        return self.subject or CERTIFIED

    @property
    def dtype_name(self) -> str:
        """The dtype's name for a reader."""
        return self.dtype or NO_DTYPE

    @classmethod
    def from_data(cls, fields: Mapping[str, Any]) -> Record:
        """The record with these fields; see ``from_columns`` for what is raised."""
        (record,) = cls.from_columns({}, {name: [value] for name, value in fields.items()})
        return record

    @classmethod
    def from_columns(cls, shared: Mapping[str, Any], columns: Mapping[str, Sequence[Any]]) -> list[Record]:
        """A record for each row of the columns, all with the same shared fields.

        Raises:
            TypeError: if a field is missing, unknown or of another type.
            ValueError: if an outcome is unknown, or the columns are not equally long.
        """
        of_all = _checked({name: [value] for name, value in shared.items()})
        checked = _checked(columns)
        if missing := _REQUIRED - of_all.keys() - checked.keys():
            raise TypeError(f"no {', '.join(sorted(missing))}")
        rows = zip(*checked.values(), strict=True)
        fields = {**DEFAULTS, **{name: value for name, (value,) in of_all.items()}}
        return [cls._with(fields, zip(checked, row, strict=True)) for row in rows]

    @classmethod
    def of(cls, *parts: Mapping[str, Any] | Iterable[tuple[str, Any]]) -> Record:
        """The record with the fields of all parts, of which none may be missing, unknown or ill-typed."""
        return cls._with(DEFAULTS, *parts)

    @classmethod
    def _with(cls, *parts: Mapping[str, Any] | Iterable[tuple[str, Any]]) -> Record:
        """The record with these fields and no others.

        The constructor of a frozen class makes a call for each field; this sets them all at once.
        """
        record = object.__new__(cls)
        fields = record.__dict__
        for part in parts:
            fields.update(part)
        return record


def _checked(columns: Mapping[str, Sequence[Any]]) -> dict[str, Sequence[Any]]:
    """The columns of fields, as a record has them.

    Raises:
        TypeError: if one is unknown, or holds a value of another type.
        ValueError: if an outcome is unknown.
    """
    for name, values in columns.items():
        types = _TYPES.get(name)
        if types is None:
            raise TypeError(f"a field {name}")
        if not all(map(isinstance, values, repeat(types))):
            wrong = next(value for value in values if not isinstance(value, types))
            raise TypeError(f"{name} of type {type(wrong).__name__}")
    made = {name: list(map(make, columns[name])) for name, make in _MADE.items() if name in columns}
    return {**columns, **made}


# What JSON has for the fields of a record.
_TEXT, _TEXT_OR_NONE, _MAPPING_OR_NONE = (str,), (str, NoneType), (dict, NoneType)
_TYPES: Mapping[str, tuple[type, ...]] = {
    **dict.fromkeys(("case", "title", "loss", "device", "layout", "quantity", "outcome", "file"), _TEXT),
    **dict.fromkeys(("message", "rule", "cause"), _TEXT),
    **dict.fromkeys(("subject", "dtype", "reduction"), _TEXT_OR_NONE),
    **dict.fromkeys(("source", "finding", "detail", "numbers"), _MAPPING_OR_NONE),
    "error_over_budget": (float, int, NoneType),
    "line": (int,),
    "flags": (list,),
    "loses_digits": (bool,),
    "came_out": (list,),
    "off": (int,),
    "picks": (dict,),
    "ulps": (list, NoneType),
}
# Of each, a run has a few that it repeats in every record.
_MADE: Mapping[str, Callable[[str], Any]] = {
    "quantity": lru_cache(1024)(Quantity),
    "outcome": lru_cache(Outcome),
}
DEFAULTS: Mapping[str, Any] = {
    field.name: field.default if field.default_factory is MISSING else field.default_factory()
    for field in dataclasses.fields(Record)
    if field.default is not MISSING or field.default_factory is not MISSING
}
_REQUIRED = {field.name for field in dataclasses.fields(Record)} - DEFAULTS.keys()


@dataclass(frozen=True)
class TestResult:
    """One trial (a case, a subject, a dtype) as a test of the harness, with its records.

    Attributes:
        seconds: how long it took.
        lines: the records as ``records.lines`` writes them; empty if nobody has written them yet.
    """

    __test__ = False  # pytest would collect the class because of its name

    id: str
    case: str
    file: str
    line: int
    seconds: float
    records: tuple[Record, ...]
    lines: str = field(default="", repr=False)


@dataclass(frozen=True)
class Run:
    """What ran where, written as the first line of ``results.jsonl``.

    Attributes:
        versions: package -> version, of python, lossproof, torch, numpy, ...
        tested: the packages among these that the subjects consist of.
        machine: platform, processor, cpu count.
        options: subjects, dtypes, cases, device, workers as requested.
        complete: False if the run was interrupted.
        problems: sentences on what makes the run fail beyond its records: a known defect that has
            gone, an entry that matches nothing, no check at all.
        known_defects: the entries selected by this run: KnownDefect's fields, and a snippet.
        documents: the documents that the cases cite, by name: {title, about}.
        stand_ins: for each loss that a library lacks, the expression that was judged instead.
        implementations: what the subjects say of themselves, by name: {language, tracker}, if anything.
        standing: a sentence for each release: whether it is on record, and what has changed if not.
        news: sentences on what has changed in a release that is not on record; no failures.
        started: ISO 8601 time; seconds: the length of the run.
    """

    versions: dict[str, str]
    machine: dict[str, Any]
    options: dict[str, Any]
    complete: bool
    problems: list[str]
    known_defects: list[dict[str, Any]]
    started: str
    seconds: float
    documents: dict[str, dict[str, str]] = field(default_factory=dict)
    tested: list[str] = field(default_factory=list)
    stand_ins: dict[str, str] = field(default_factory=dict)
    implementations: dict[str, dict[str, str]] = field(default_factory=dict)
    standing: list[str] = field(default_factory=list)
    news: list[str] = field(default_factory=list)
