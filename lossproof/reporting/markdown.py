"""``summary.md``: the run, for the step summary of a CI system."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from lossproof.records.outcome import Outcome
from lossproof.records.record import Record, Run
from lossproof.reporting.causes import causes, kinds_in_words, report_of
from lossproof.reporting.cells import CONFORMS, NOTHING, PARTLY, Cell, cells_of, join
from lossproof.reporting.comparison import Comparison
from lossproof.reporting.comparison_text import outline, runs_line, sections
from lossproof.reporting.digest import COUNTED, failing_cases, outcome_counts, verdict
from lossproof.reporting.part import part_in_words
from lossproof.reporting.rules import overflowed, passed_by_rule
from lossproof.reporting.text import count, escaped, share

# GitHub takes at most 1024 KiB per step; the rest is left for other commands of the step.
_MOST_BYTES = 900_000
_MOST_CASES = 20
_CHECKS_A_CASE = 3
_SIGNS = {CONFORMS: "✓", PARTLY: "◐", NOTHING: "\N{EN DASH}"}
_SIGNS |= {outcome.value: outcome.sign for outcome in Outcome}
_MOST_SENTENCES = 20
_PLURALS = {"problem": "problems", "news": "news"}
_ADDRESS = re.compile(r"https://[A-Za-z0-9./#_-]+")  # without any markup


def summary_markdown(run: Run, records: Sequence[Record], comparison: Comparison | None) -> str:
    """Return the text of ``summary.md``, which is always below GitHub's limit."""
    lines = [*_verdict(run, records), *_failures(records), *_comparison(comparison), *_table(records)]
    lines += [*_implementations(run), *_stand_ins(run), *_known_defects(run), *_exceptions(records)]
    return _fit(lines)


def _verdict(run: Run, records: Sequence[Record]) -> Iterable[str]:
    for sentence in run.standing:
        yield from (escaped(sentence), "")
    result = verdict(run, records)
    yield f"## {'✓' if result.conforms else '✗'} {escaped(result.sentence)}"
    yield ""
    if not run.complete:
        yield from ("**The run was interrupted: what it reports is incomplete.**", "")
    if part := part_in_words(run.options):
        yield from (f"**{escaped(part)}**", "")
    yield from _list_of("problem", run.problems)
    yield from _list_of("news", run.news)
    counts = ", ".join(f"{number:,} {outcome}" for outcome, number in outcome_counts(records).items())
    versions = ", ".join(f"{package} {version}" for package, version in run.versions.items())
    yield from ("", f"{counts}; {escaped(versions)}", "")


def _list_of(name: str, sentences: Sequence[str]) -> Iterable[str]:
    yield from (f"- {name}: {escaped(sentence)}" for sentence in sentences[:_MOST_SENTENCES])
    if (more := len(sentences) - _MOST_SENTENCES) > 0:
        yield f"- and {count(more, f'more {name}', f'more {_PLURALS[name]}')}"


def _failures(records: Sequence[Record]) -> Iterable[str]:
    if not (cases := failing_cases(records)):
        return
    yield from ("### What disagrees", "")
    for failing in list(cases.values())[:_MOST_CASES]:
        case = failing[0]
        yield f"- **{escaped(case.case)}**, {_code(f'{case.file}:{case.line}')}: {escaped(case.title)}"
        yield from (f"  <br>{_failure(record)}" for record in failing[:_CHECKS_A_CASE])
        if (more := len(failing) - _CHECKS_A_CASE) > 0:
            yield f"  <br>and {count(more, 'more check', 'more checks')} of this case"
    if (more := len(cases) - _MOST_CASES) > 0:
        yield from ("", f"and {count(more, 'more case')}: see report.html")
    yield ""


def _failure(record: Record) -> str:
    facts = (record.subject_name, record.dtype, record.layout, record.reduction, record.quantity)
    where = ", ".join(escaped(fact) for fact in facts if fact and fact != "contiguous")
    return f"{_SIGNS[record.outcome]} {where}: {_code(record.message or record.outcome)}"


def _comparison(comparison: Comparison | None) -> Iterable[str]:
    if comparison is None:
        return
    sentence, numbers = outline(comparison)
    yield from ("### Compared with the baseline", "", f"**{escaped(sentence)}**", "")
    yield from (f"- {escaped(fact)}" for fact in (numbers, runs_line(comparison), *comparison.notes))
    for section in sections(comparison):
        yield from ("", f"**{escaped(section.heading)}**", "")
        yield from (f"- {escaped(line)}" for line in section.lines)
    yield ""


def _table(records: Sequence[Record]) -> Iterable[str]:
    if not records:
        return
    cells = {place: join(by_dtype) for place, by_dtype in cells_of(records).items()}
    subjects = sorted({subject for _, subject in cells})
    yield from ("### Losses and subjects", "")
    yield f"| loss | {' | '.join(map(escaped, subjects))} |"
    yield "|---" * (len(subjects) + 1) + "|"
    for loss in sorted({loss for loss, _ in cells}):
        row = [_cell(cells.get((loss, subject))) for subject in subjects]
        yield f"| {' | '.join([escaped(loss), *row])} |"
    signs = ", ".join(f"{sign} {state}" for state, sign in _SIGNS.items())
    yield ""
    yield (
        f"{signs}. The number is the largest share of the error budget that was used, in any dtype and but "
        "for known defects; in brackets stand counts of checks, and of calls that gave a value."
    )


def _implementations(run: Run) -> Iterable[str]:
    for name, said in run.implementations.items():
        tracker = f"defects are reported at {_code(said['tracker'])}" if said["tracker"] else ""
        yield from ("", f"{escaped(name)}: {', '.join(filter(None, (escaped(said['language']), tracker)))}")


def _stand_ins(run: Run) -> Iterable[str]:
    if not run.stand_ins:
        return
    yield from ("", "torch has no loss of these names; judged is an expression of its operations:", "")
    yield from (f"- {escaped(loss)}: {_code(text)}" for loss, text in run.stand_ins.items())


def _cell(cell: Cell | None) -> str:
    if cell is None:
        return ""
    counts = [f"{_SIGNS[outcome]} {cell.counts[outcome]:,}" for outcome in COUNTED if outcome in cell.counts]
    if cell.state == PARTLY or (cell.ran < cell.calls and cell.state != NOTHING):
        counts.append(f"{cell.ran:,} of {cell.calls:,} calls")
    parts = [_SIGNS[cell.state], share(cell.share), f"({', '.join(counts)})" if counts else ""]
    return " ".join(filter(None, parts))


def _known_defects(run: Run) -> Iterable[str]:
    """The causes of known defects, each once."""
    if not (known_causes := causes(run.known_defects)):
        return
    yield from ("", "### Known defects by cause", "")
    yield from (f"<details><summary>{kinds_in_words(known_causes)}</summary>", "")
    for cause in known_causes:
        yield f"- {escaped(cause['kind'])}: {escaped(cause['why'])}: {_report(cause)}"
    yield from ("", "</details>")


def _report(cause: dict[str, Any]) -> str:
    links = cause["links"]
    return ", ".join(links) if links and all(map(_ADDRESS.fullmatch, links)) else escaped(report_of(cause))


def _exceptions(records: Sequence[Record]) -> Iterable[str]:
    """The checks that did not pass by their number: they overflowed, or passed by a rule."""
    if overflows := overflowed(records):
        yield from ("", "### Overflowed where the formula does", "", f"{_counts_in_words(overflows)}.")
    if rules := passed_by_rule(records):
        yield from ("", "### Passed by a rule, not by the number", "")
        yield from (
            f"- **{escaped(one['rule'])}**, {count(one['total'], 'check')}: {one['means']}" for one in rules
        )


def _counts_in_words(counts: Iterable[dict[str, Any]]) -> str:
    return ", ".join(f"{escaped(one['loss'])} {escaped(one['dtype'])} {one['count']:,}" for one in counts)


def _code(text: str) -> str:
    """The text as code, in which GitHub finds no mentions and no emoji."""
    return f"<code>{escaped(text)}</code>"


def _fit(lines: Iterable[str]) -> str:
    """As many of the lines as the limit allows."""
    kept: list[str] = []
    size = 0
    for line in lines:
        size += len(line.encode("utf-8")) + 1
        if size > _MOST_BYTES:
            kept += ["", "(cut here: see report.html)"]
            break
        kept.append(line)
    return "\n".join(kept) + "\n"
