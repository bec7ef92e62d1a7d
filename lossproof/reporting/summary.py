"""The last lines of a run in the terminal."""

from __future__ import annotations

import math
import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from lossproof.records.outcome import Outcome
from lossproof.records.record import Record, Run, TestResult
from lossproof.reporting.comparison import Comparison
from lossproof.reporting.comparison_text import outline
from lossproof.reporting.digest import budget_share, shown_counts, verdict
from lossproof.reporting.distances import distances
from lossproof.reporting.failure_groups import failure_groups, failure_sentence
from lossproof.reporting.groups import Records, by_outcome
from lossproof.reporting.in_common import failures_by_loss, in_common
from lossproof.reporting.part import part_in_words
from lossproof.reporting.rules import overflowed, passed_by_rule
from lossproof.reporting.text import share, visible

# A reader sees all lines at once: none of these parts may push the others off the screen.
_MOST = {"release": 3, "news": 4, "loss": 4, "group": 4, "problem": 4, "largest error": 5, "reason": 3}
_WIDTH = 500
_SUBJECT_OPTIONS = ("subjects", "subject", "loss", "command", "arrays", "backward", "fixed", "lacks")


def summary_lines(
    run: Run,
    results: Sequence[TestResult],
    reports: Sequence[Path],
    comparison: Comparison | None = None,
    again: Sequence[str] = (),
) -> list[str]:
    """Return the lines, at most forty: the releases, the verdict, the counts, failures, problems, reports.

    Failures are grouped by what they have in common, and each group names one of its checks. Each subject has
    a line with its largest error. Overflows, checks that passed by a rule, and a comparison have a line each,
    if there are any; the reports have the details. ``again`` are options that another run needs, too.
    """
    records = Records(record for result in results for record in result.records)
    lines = [*_first("release", run.standing), verdict(run, records).sentence]
    if part := part_in_words(run.options):
        lines.append(part)
    if not run.complete:
        lines.append("The run was interrupted: what it reports is incomplete.")
    lines.append(", ".join(f"{number:,} {outcome}" for outcome, number in shown_counts(records).items()))
    lines += _first("news", [f"news: {sentence}" for sentence in run.news])
    lines += _failures(records, run.options, again)
    lines += _exceptions(records)
    lines += _first("largest error", _largest_errors(records))
    lines += _first("problem", [f"problem: {sentence}" for sentence in run.problems])
    if comparison:
        lines.append(f"compared with the baseline: {' '.join(outline(comparison))}")
    if reports:
        first, *others = reports
        beside = f"; beside it {', '.join(path.name for path in others)}" if others else ""
        lines.append(f"report: {first}{beside}")
    return [visible(_shortened(line.replace("\n", " "))) for line in lines]


def _first(kind: str, lines: Sequence[str]) -> list[str]:
    """The first lines of a kind, and how many more there are."""
    shown, more = lines[: _MOST[kind]], len(lines) - _MOST[kind]
    plural = {"news": "news", "loss": "losses"}.get(kind, f"{kind}s")
    return (
        [*shown, f"  and {more:,} more {kind if more == 1 else plural}: see the report"]
        if more > 0
        else [*shown]
    )


def _failures(records: Sequence[Record], options: Mapping[str, str], again: Sequence[str]) -> list[str]:
    """A line for each loss, two for each of the largest groups of failures, and how to see more of them."""
    groups = failure_groups(records)
    if not groups:
        return []
    headings = [f"alike: {group.heading}\n    {failure_sentence(group.records[0])}" for group in groups]
    first = groups[0].records[0]
    shared = [f"fails: {loss}, {in_common(*parts)}" for loss, *parts in failures_by_loss(records)]
    dtypes = ["--dtypes", first.dtype] if first.dtype else []
    command = [
        "lossproof",
        "verify",
        *_subject_options(options),
        "--cases",
        first.case,
        *dtypes,
        *again,
        "-v",
    ]
    corpus = again[again.index("--corpus") :][:2] if "--corpus" in again else ()
    case = ["lossproof", "show", first.case, *corpus]
    return [
        *_first("loss", shared),
        *(line for pair in _first("group", headings) for line in pair.split("\n", 1)),
        f"  all failures: the report; the first one in full: {shlex.join(command)}; "
        f"its case: {shlex.join(case)}",
    ]


def _subject_options(options: Mapping[str, str]) -> list[str]:
    """The options that name a subject, as on the command line."""
    names = {"loss": "as"}
    present = [name for name in _SUBJECT_OPTIONS if options.get(name)]
    return [part for name in present for part in (f"--{names.get(name, name)}", options[name])]


def _exceptions(records: Sequence[Record]) -> list[str]:
    """Lines about checks that did not pass by their number."""
    by_place = [f"{one['loss']} {one['dtype']} {one['count']:,}" for one in overflowed(records)]
    by_rule = [f"{one['rule']} {one['total']:,}" for one in passed_by_rule(records)]
    unsupported = Counter(record.message for record in by_outcome(records).get(Outcome.UNSUPPORTED, ()))
    reasons = [f"{reason} {number:,}" for reason, number in unsupported.most_common(_MOST["reason"])]
    more = len(unsupported) - len(reasons)
    sentences = {
        "unsupported": ", ".join([*reasons, *([f"and {more:,} more reasons"] if more > 0 else [])]),
        "overflowed where the formula does": ", ".join(by_place),
        "passed by a rule, not by the number": ", ".join(by_rule),
    }
    return [f"{name}: {text}" for name, text in sentences.items() if text]


def _largest_errors(records: Sequence[Record]) -> list[str]:
    worst: dict[str, Record] = {}
    largest: dict[str, float] = {}
    for record in records:
        subject, used = record.subject_name, _share(record)
        if used <= largest.get(subject, -1.0):
            continue
        # The entry of a known defect states its error; here the other checks matter.
        if budget_share(record) is not None and record.outcome != Outcome.KNOWN_DEFECT:
            worst[subject], largest[subject] = record, used
    width = max(map(len, worst), default=0)
    distance = {name: f"; in ULP {found}" for name, found in distances(records).items()}
    return [
        f"largest error / budget of {subject:{width}}  {share(record.error_over_budget):>8}  "
        f"{record.case}, {record.dtype_name}, {record.quantity}{distance.get(subject, '')}"
        for subject, record in sorted(worst.items())
    ]


def _share(record: Record) -> float:
    """Return the record's share, with a NaN as infinity so that it counts as the largest, and none as -1."""
    share = record.error_over_budget
    return -1.0 if share is None else math.inf if math.isnan(share) else share


def _shortened(line: str) -> str:
    return line if len(line) <= _WIDTH or line.startswith("report: ") else f"{line[: _WIDTH - 1]}…"
