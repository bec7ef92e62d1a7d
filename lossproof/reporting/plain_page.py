"""The part of the page that needs no script: the verdict, the counts, and the worst cases."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from urllib.parse import quote

from lossproof.records.outcome import Outcome
from lossproof.records.record import Record, Run
from lossproof.reporting.digest import Verdict, ran_in_words, shown_counts, verdict
from lossproof.reporting.failing_cases import worst_cases
from lossproof.reporting.groups import failures_in
from lossproof.reporting.in_common import failures_by_loss, in_common
from lossproof.reporting.part import part_in_words
from lossproof.reporting.text import count, cut, share, visible

_MOST_CASES = 20
# The icon of the tab: a disc with a tick or a cross.
_ICON = (
    "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'><circle cx='8' cy='8' r='8' fill='{fill}'/>"
    "<path d='{path}' fill='none' stroke='white' stroke-width='2.4'/></svg>"
)
_TICK, _CROSS = "M4 8.5l3 3 5-6.5", "M5 5l6 6M11 5l-6 6"


def plain_parts(run: Run, records: Sequence[Record]) -> dict[str, str]:
    """The parts of the page's HTML that hold the results: ``title``, ``icon``, ``head`` and ``worst``."""
    result = verdict(run, records)
    fill, path = ("#1a6b3c", _TICK) if result.conforms else ("#b3261e", _CROSS)
    picture = _ICON.format(fill=fill, path=path)
    return {
        "title": _text(_title(run, records, result)),
        "icon": "data:image/svg+xml," + quote(picture, safe="'=:/ "),
        "head": "\n".join(_head(run, records, result)),
        "worst": "\n".join(_worst(records)),
    }


def _title(run: Run, records: Sequence[Record], result: Verdict) -> str:
    """The title of the tab: whether the run passed, and if not, how much fails."""
    if result.conforms:
        scope = " in part" if part_in_words(run.options) else ""
        return f"✓ conforms{scope} · lossproof"
    if failures := failures_in(records):
        return f"✗ {count(len(failures), 'check fails', 'checks fail')} · lossproof"
    reason = count(len(run.problems), "problem") if run.problems else "nothing checked"
    return f"✗ {'interrupted' if not run.complete else reason} · lossproof"


def _head(run: Run, records: Sequence[Record], result: Verdict) -> Iterable[str]:
    yield from (f'<p class="standing">{_text(sentence)}</p>' for sentence in run.standing)
    sign, style = ("✓", "agree") if result.conforms else ("✗", "disagree")
    yield (
        f'<h1 id="verdict"><span class="sign {style}" aria-hidden="true">{sign}</span> '
        f"<span>{_text(result.sentence)}</span></h1>"
    )
    if part := part_in_words(run.options):
        yield f'<p id="part"><strong>{_text(part)}</strong></p>'
    if not run.complete:
        yield '<p id="incomplete"><strong>The run was interrupted: this report is incomplete.</strong></p>'
    yield from _list("problems", run.problems)
    yield from _list("news", run.news)
    yield from _counts(shown_counts(records))
    yield f'<p class="quiet" id="ran">{_text(ran_in_words(records))}</p>'
    yield f'<p class="quiet" id="facts">{_text(_versions(run))}</p>'


def _list(name: str, sentences: Sequence[str]) -> Iterable[str]:
    if sentences:
        items = "".join(f"<li>{_text(sentence)}</li>" for sentence in sentences)
        yield f'<ul id="{name}">{items}</ul>'


def _counts(counts: Mapping[str, int]) -> Iterable[str]:
    yield '<ul id="counts" class="counts">'
    for outcome, number in counts.items():
        style, sign = outcome.replace(" ", "-"), Outcome(outcome).sign
        yield (
            f'<li{"" if number else " class=zero"} data-outcome="{outcome}"><b>{number:,}</b> '
            f'<span class="outcome {style}"><span class="sign" aria-hidden="true">{sign}</span> '
            f'<span class="word">{outcome}</span></span></li>'
        )
    yield "</ul>"


def _versions(run: Run) -> str:
    names = dict.fromkeys((*run.tested, *run.versions))
    versions = [f"{name} {run.versions[name]}" for name in names if name != "cases" and name in run.versions]
    return " · ".join([*versions, run.started[:16].replace("T", " ")])


def _worst(records: Sequence[Record]) -> Iterable[str]:
    """What fails, without a script: a sentence for each loss, and the worst cases."""
    losses = failures_by_loss(records)
    if not losses:
        return
    cases = sum(len({record.case for record in failing}) for _, failing, _ in losses)
    yield "<h2>What disagrees</h2><ul>"
    for loss, failing, others in losses:
        yield f"<li><b>{_text(loss)}</b>: {_text(in_common(failing, others))}</li>"
    yield f"</ul><h3>{'The worst 20 cases' if cases > _MOST_CASES else count(cases, 'case')}</h3><ol>"
    for failing in worst_cases(records, _MOST_CASES):
        yield _case(failing)
    yield "</ol>"


def _case(failing: Sequence[Record]) -> str:
    first = failing[0]
    subjects = ", ".join(dict.fromkeys(record.subject_name for record in failing))
    dtypes = ", ".join(dict.fromkeys(record.dtype_name for record in failing))
    used = share(first.error_over_budget)
    facts = [first.loss, subjects, dtypes, count(len(failing), "check"), f"{first.file}:{first.line}"]
    facts += [f"error / budget {used}"] if used else []
    what = " ".join(filter(None, (first.quantity, first.reduction)))
    message = cut(first.message) if first.message else first.outcome.value
    return (
        f"<li><p><b>{_text(first.title or first.case)}</b> <code>{_text(first.case)}</code><br>"
        f"{_text(' · '.join(facts))}<br>{first.outcome.sign} {_text(what)}: {_text(message)}</p></li>"
    )


def _text(text: str) -> str:
    return escape(visible(text))
