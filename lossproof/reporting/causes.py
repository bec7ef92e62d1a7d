"""Groups known defects by cause: one mistake may show in many checks and need many entries."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from lossproof.reporting.text import count

# Kind -> singular and plural; only the first kind says that the subject is wrong.
_NAMES = {
    "defect": ("defect", "defects"),
    "undefined": ("undefined result", "undefined results"),
    "convention": ("convention", "conventions"),
}


def causes(entries: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return each cause once: ``{kind, why, link, searched, subjects, entries}``.

    Entries with the same ``why`` and kind share a cause; ``entries`` are their places in the list. The
    gravest kind comes first.
    """
    by_reason: dict[tuple[str, str], dict[str, Any]] = {}
    for place, entry in enumerate(entries):
        kind, why = entry.get("kind") or "defect", entry.get("why") or "a known defect"
        cause = by_reason.setdefault(
            (kind, why),
            {"kind": kind, "why": why, "links": [], "searched": "", "subjects": [], "entries": []},
        )
        for key, value in (("links", entry.get("link")), ("subjects", entry.get("subject"))):
            if value and value not in cause[key]:
                cause[key].append(value)
        cause["searched"] = cause["searched"] or entry.get("searched") or ""
        cause["entries"].append(place)
    return sorted(by_reason.values(), key=lambda cause: [*_NAMES, cause["kind"]].index(cause["kind"]))


def kinds_in_words(known_causes: Sequence[Mapping[str, Any]]) -> str:
    """Return how many causes there are of each kind, such as ``105 defects, 4 conventions``."""
    kinds = [str(cause["kind"]) for cause in known_causes]
    return ", ".join(
        count(kinds.count(kind), *_NAMES.get(kind, (kind, kind)))
        for kind in [*_NAMES, *sorted(set(kinds) - set(_NAMES))]
        if kind in kinds
    )


def report_of(cause: Mapping[str, Any]) -> str:
    """Return the links to reports of a cause, or a sentence that says why there are none."""
    if cause["links"]:
        return ", ".join(cause["links"])
    searched = cause["searched"]
    return f"no report found (searched: {searched})" if searched else "nobody has looked for a report yet"
