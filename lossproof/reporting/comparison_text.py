"""A comparison in words: thousands of checks in a few dozen lines."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from lossproof.records.outcome import Outcome
from lossproof.reporting.comparison import Comparison, Difference
from lossproof.reporting.groups import grouped
from lossproof.reporting.text import count, share, visible

_MOST_LINES = 40
_MOST_NAMED = 3
_PLURALS = {
    "subject": "subjects",
    "dtype": "dtypes",
    "device": "devices",
    "layout": "layouts",
    "quantity": "quantities",
}
_FAILURES: dict[str, str] = {
    Outcome.DISAGREE: "in disagreement",
    Outcome.ERROR: "in error",
    Outcome.CHANGED_CONVENTION: "of a changed convention",
}


class Section(NamedTuple):
    """A kind of difference: its heading, and a line per group of checks."""

    heading: str
    lines: list[str]


def comparison_lines(comparison: Comparison) -> list[str]:
    """The comparison as a terminal shows it."""
    lines = [*outline(comparison), runs_line(comparison), *comparison.notes]
    for section in sections(comparison):
        lines += ["", f"{section.heading}:", *(f"  {line}" for line in section.lines)]
    return [visible(line.replace("\n", " ")) for line in lines]


def outline(comparison: Comparison) -> list[str]:
    """A sentence that says whether anything got worse, and the number of checks in each group."""
    numbers = ", ".join(f"{number:,} {kind}" for kind, number in comparison.counts.items())
    return [_verdict(comparison), f"{numbers}."]


def _verdict(comparison: Comparison) -> str:
    if not any(number for kind, number in comparison.counts.items() if kind not in ("new", "gone")):
        return "The two runs have no check in common."
    worse = len(comparison.worse) - len(comparison.gone)
    parts = [f"{count(worse, 'check')} {'fares' if worse == 1 else 'fare'} worse"] if worse else []
    if gone := len(comparison.gone):
        parts.append(f"{count(gone, 'check')} {'is' if gone == 1 else 'are'} gone")
    return f"{' and '.join(parts)}." if parts else "Nothing got worse."


def sections(comparison: Comparison) -> list[Section]:
    """All differences, grouped by case, or by loss if there would be too many lines."""
    all_sections = [
        Section("changed outcome", _group_lines(comparison.changed, lambda one: f"{one.was} -> {one.now}")),
        Section("less accurate (error / budget)", _group_lines(comparison.less_accurate, figures=_worst)),
        Section("more accurate (error / budget)", _group_lines(comparison.more_accurate, figures=_worst)),
        Section("new", _group_lines(comparison.appeared, lambda one: _FAILURES.get(str(one.now), ""))),
        Section("gone", _group_lines(comparison.gone)),
    ]
    return [section for section in all_sections if section.lines]


def runs_line(comparison: Comparison) -> str:
    """The versions that differ between the runs, and when each run started."""
    old, new = comparison.old, comparison.new
    names = [name for name in dict.fromkeys([*old, *new]) if name != "started"]
    differing = [
        f"{name} {old.get(name, 'none')} -> {new.get(name, 'none')}"
        for name in names
        if old.get(name) != new.get(name)
    ]
    started = f"old run {old['started']}, new run {new['started']}"
    return f"{', '.join(differing) or 'the same versions'} ({started})"


def _worst(group: Sequence[Difference]) -> str:
    """The shares of the first check of a group, which is the worst."""
    return f": {_share(group[0].was)} -> {_share(group[0].now)}"


def _share(value: str | float | None) -> str:
    assert isinstance(value, (int, float))
    return share(value)


def _group_lines(
    differences: Sequence[Difference],
    kind: Callable[[Difference], str] = lambda one: "",
    figures: Callable[[Sequence[Difference]], str] = lambda group: "",
) -> list[str]:
    by_case = grouped(differences, lambda one: (one.check.case, kind(one)))
    if len(by_case) <= _MOST_LINES:
        return [_line(name, what, group, figures(group)) for (name, what), group in by_case.items()]
    by_loss = grouped(differences, lambda one: (one.check.loss, kind(one)))
    lines = [
        _line(name, what, group, f" in {_cases(group)}{figures(group)}")
        for (name, what), group in by_loss.items()
    ]
    if more := lines[_MOST_LINES:]:
        lines[_MOST_LINES:] = [f"and {count(len(more), 'more group')} of checks"]
    return lines


def _line(name: str, what: str, group: Sequence[Difference], figures: str) -> str:
    places = "; ".join(
        ", ".join(values) if len(values) <= _MOST_NAMED else f"{len(values)} {plural}"
        for field, plural in _PLURALS.items()
        if (values := _distinct(group, field)) not in (["cpu"], ["contiguous"])
    )
    return f"{name}: {' '.join(filter(None, (count(len(group), 'check'), what)))}{figures} ({places})"


def _cases(group: Sequence[Difference]) -> str:
    cases = _distinct(group, "case")
    return f"{count(len(cases), 'case')}, such as {cases[0]}"


def _distinct(group: Iterable[Difference], field: str) -> list[str]:
    return list(dict.fromkeys(str(getattr(one.check, field)) for one in group))
