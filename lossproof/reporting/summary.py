"""The last lines of a run in the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from lossproof.judging.record import Record, Run, TestResult
from lossproof.reporting.comparison import Comparison
from lossproof.reporting.comparison_text import outline
from lossproof.reporting.digest import budget_share, outcome_counts, verdict
from lossproof.reporting.rules import overflowed, passed_by_rule
from lossproof.reporting.text import share, visible


def summary_lines(
    run: Run, results: Sequence[TestResult], reports: Sequence[Path], comparison: Comparison | None = None
) -> list[str]:
    """Return the lines: the verdict, the counts, each subject's largest error, problems, reports.

    A line tells what overflowed and one what passed by a rule, where anything did. Where there is a
    comparison, a line says what it comes to; the reports say the rest.
    """
    records = [record for result in results for record in result.records]
    lines = [verdict(run, records).sentence]
    if not run.complete:
        lines.append("The run was interrupted: what it reports is incomplete.")
    lines.append(", ".join(f"{number:,} {outcome}" for outcome, number in outcome_counts(records).items()))
    lines += _otherwise(records)
    lines += _largest_errors(records)
    lines += [f"problem: {problem}" for problem in run.problems]
    if comparison:
        lines.append(f"compared with the baseline: {' '.join(outline(comparison))}")
    lines += [f"report: {path}" for path in reports]
    return [visible(line.replace("\n", " ")) for line in lines]


def _otherwise(records: Sequence[Record]) -> list[str]:
    """What did not pass by its number, where there is any."""
    by_place = [f"{one['loss']} {one['dtype']} {one['count']:,}" for one in overflowed(records)]
    by_rule = [f"{one['rule']} {one['total']:,}" for one in passed_by_rule(records)]
    told = {
        "overflowed where the formula does": ", ".join(by_place),
        "passed by a rule, not by the number": ", ".join(by_rule),
    }
    return [f"{name}: {text}" for name, text in told.items() if text]


def _largest_errors(records: Sequence[Record]) -> list[str]:
    worst: dict[str, Record] = {}
    for record in records:
        # A known defect is off by what its entry says; the subject's other checks are of interest here.
        if budget_share(record) is None or record.outcome == "known defect":
            continue
        if record.subject not in worst or _share(record) > _share(worst[record.subject]):
            worst[record.subject] = record
    width = max(map(len, worst), default=0)
    return [
        f"largest error / budget of {subject:{width}}  {share(record.error_over_budget):>8}  "
        f"{record.case}, {record.dtype}, {record.quantity}"
        for subject, record in sorted(worst.items())
    ]


def _share(record: Record) -> float:
    """Return the record's share, a NaN as infinity, so that it is never passed over."""
    share = record.error_over_budget
    return float("inf") if share is None or share != share else share
