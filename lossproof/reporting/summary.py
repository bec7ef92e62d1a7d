"""The last lines of a run in the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from lossproof.records.outcome import Outcome
from lossproof.records.record import Record, Run, TestResult
from lossproof.reporting.comparison import Comparison
from lossproof.reporting.comparison_text import outline
from lossproof.reporting.digest import budget_share, failing_cases, outcome_counts, verdict
from lossproof.reporting.rules import overflowed, passed_by_rule
from lossproof.reporting.text import count, share, visible

_MOST_SENTENCES = 10  # lines of one kind
_WIDTH = 200


def summary_lines(
    run: Run, results: Sequence[TestResult], reports: Sequence[Path], comparison: Comparison | None = None
) -> list[str]:
    """Return the lines: the state of the releases, the verdict, the counts, failures, problems, reports.

    Each subject has a line with its largest error. Overflows, checks that passed by a rule, and a comparison
    have a line each, if there are any; the reports have the details.
    """
    records = [record for result in results for record in result.records]
    lines = [*run.standing, verdict(run, records).sentence]
    if not run.complete:
        lines.append("The run was interrupted: what it reports is incomplete.")
    lines.append(", ".join(f"{number:,} {outcome}" for outcome, number in outcome_counts(records).items()))
    page = next((f": see {path}" for path in reports if path.name == "report.html"), "")
    lines += _first_sentences("news", run.news, "news", page)
    lines += _first_sentences("fails", _failures(records), "cases", page)
    lines += _exceptions(records)
    lines += _largest_errors(records)
    lines += _first_sentences("problem", run.problems, "problems", page)
    if comparison:
        lines.append(f"compared with the baseline: {' '.join(outline(comparison))}")
    lines += [f"report: {path}" for path in reports]
    return [visible(line.replace("\n", " ")) for line in lines]


def _first_sentences(name: str, sentences: Sequence[str], plural: str, page: str) -> list[str]:
    more = len(sentences) - _MOST_SENTENCES
    rest = [f"and {more:,} more {plural}{page}"] if more > 0 else []
    return [f"{name}: {sentence}" for sentence in sentences[:_MOST_SENTENCES]] + rest


def _failures(records: Sequence[Record]) -> list[str]:
    """A sentence per case that fails, about its first failing check."""

    def sentence(case: str, failing: Sequence[Record]) -> str:
        subjects = ", ".join(dict.fromkeys(one.subject_name for one in failing))
        dtypes = ", ".join(dict.fromkeys(one.dtype_name for one in failing))
        where = f"{count(len(failing), 'check')} of {subjects} in {dtypes}"
        first = failing[0]
        message = first.message if len(first.message) <= _WIDTH else f"{first.message[:_WIDTH]}…"
        return f"{case}, {where}: {first.quantity}: {message or first.outcome}"

    return [sentence(case, failing) for case, failing in failing_cases(records).items()]


def _exceptions(records: Sequence[Record]) -> list[str]:
    """Lines about checks that did not pass by their number."""
    by_place = [f"{one['loss']} {one['dtype']} {one['count']:,}" for one in overflowed(records)]
    by_rule = [f"{one['rule']} {one['total']:,}" for one in passed_by_rule(records)]
    sentences = {
        "overflowed where the formula does": ", ".join(by_place),
        "passed by a rule, not by the number": ", ".join(by_rule),
    }
    return [f"{name}: {text}" for name, text in sentences.items() if text]


def _largest_errors(records: Sequence[Record]) -> list[str]:
    worst: dict[str, Record] = {}
    for record in records:
        # The entry of a known defect states its error; here the other checks matter.
        if budget_share(record) is None or record.outcome == Outcome.KNOWN_DEFECT:
            continue
        subject = record.subject_name
        if subject not in worst or _share(record) > _share(worst[subject]):
            worst[subject] = record
    width = max(map(len, worst), default=0)
    return [
        f"largest error / budget of {subject:{width}}  {share(record.error_over_budget):>8}  "
        f"{record.case}, {record.dtype_name}, {record.quantity}"
        for subject, record in sorted(worst.items())
    ]


def _share(record: Record) -> float:
    """Return the record's share, with a NaN as infinity so that it counts as the largest."""
    share = record.error_over_budget
    return float("inf") if share is None or share != share else share
