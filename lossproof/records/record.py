"""What a run leaves behind: one record a check, one result a test, one description a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lossproof.records.outcome import Outcome
from lossproof.records.quantity import Quantity

# What readers are told where there is no dtype.
NO_DTYPE = "no dtype"
# The pick of a convention that is none of those with a name.
ANOTHER = "another"
# What a check may pass by in the place of its number.
RULES = ("overflow", "unbounded", "kink", "tie", "convention", "grade")


# What a reader needs to see of a check: texts named inputs, params, formula, steps, expected, observed, why
# (what the flags of the case look for), snippet; elements (beyond their budget) and curve are data.
Detail = dict[str, Any]


@dataclass(frozen=True)
class Record:
    """One check and its outcome; every field is plain data, so that it travels and prints as JSON.

    Attributes:
        case, title, loss, subject, dtype, device, layout: what ran on what. Where the numbers that a case
            states are judged, by ball arithmetic, subject and dtype are None; a claim about a module has no
            dtype either.
        reduction: none, mean, sum, batchmean, or None where the loss has none or none was passed.
        quantity: value, gradient:ARGUMENT (upstream of ones), vjp:ARGUMENT (a seeded upstream), or what else
            a kind of check looks at (see ``checks``), or a mode, by its name.
        outcome: what becomes of the check; where it overflowed, ``message`` names the step that does.
        error_over_budget: the largest |observed - true| / 2B over the elements; at most 1 where it agrees,
            but for second derivatives, whose excess is a grade.
        source: {document, place, claim} or None.
        finding: {kind: erratum | drifted, says, because} or None: what the case says about its document.
        flags: names of the case's flags.
        file, line: where the case stands, the line counted from 1.
        message: a sentence; empty when there is nothing to say.
        detail: see ``Detail``; None where nobody would read it.
        loses_digits: whether the case is known to lose digits within its budget.
        rule: one of RULES, where the check passes by that in the place of its number; else empty. By overflow
            it is ``overflowed``: a step of the formula leaves the format's range, and an infinity or nan came
            out as it then may.
        came_out: of what is wrong, the different numbers that are off, the furthest first, or a word such as
            the type of an exception; at most eight.
        off: how many numbers are wrong, where that can be counted.
        cause: why the known defect holds that explains it; else empty.
        picks: of what the formula leaves open in this check, by the names of conventions, the picks that came
            out; ANOTHER for one that has no name.
        numbers: of ``printed`` and ``erratum``, {stated, shape, true, true_shape, dtype, by}: what was judged
            and what is true, as texts in row-major order, the first of many; ``dtype`` is what it was seen
            in, or empty; ``by`` says where it stands: in the document, in the case, or nowhere (formula), as
            it follows from what the document says.
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

    @property
    def subject_name(self) -> str:
        """The subject for a reader; what judges the numbers that a case states is called certified."""
        return self.subject or "certified"

    @property
    def dtype_name(self) -> str:
        """The dtype for a reader."""
        return self.dtype or NO_DTYPE

    @classmethod
    def from_data(cls, fields: Mapping[str, Any]) -> Record:
        """The record of some fields.

        Raises:
            TypeError: a field is missing, or is none.
            ValueError: the outcome is none.
        """
        return cls(
            **{
                **fields,
                "quantity": Quantity(fields.get("quantity", "")),
                "outcome": Outcome(fields.get("outcome", "")),
            }
        )


@dataclass(frozen=True)
class TestResult:
    """One test of the harness (a case, a subject, a dtype) with its records."""

    __test__ = False  # pytest would take the class for a test by its name

    id: str
    case: str
    file: str
    line: int
    seconds: float
    records: tuple[Record, ...]


@dataclass(frozen=True)
class Run:
    """What ran where, written as the first line of ``results.jsonl``.

    Attributes:
        versions: package -> version, of python, lossproof, torch, numpy, ...
        tested: the packages among these that the subjects are made of.
        machine: platform, processor, cpu count.
        options: subjects, dtypes, cases, device, workers as asked for.
        complete: False when the run was interrupted.
        problems: sentences on what makes the run fail beyond its records: a known defect that has
            gone, an entry that matches nothing, no check at all.
        known_defects: the entries selected by this run: KnownDefect's fields, and a snippet.
        documents: those that the cases cite, by name: {title, about}.
        stand_ins: of the losses that a library lacks, the expression that was judged in the place of each.
        standing: a sentence for each release: whether it is on record, and what has changed if not.
        news: sentences on what no longer is as it is known, in a release that is not on record: no failure.
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
    standing: list[str] = field(default_factory=list)
    news: list[str] = field(default_factory=list)
