"""``report.html``: one page that holds its style, its script and its data."""

from __future__ import annotations

import base64
import hashlib
import json
import math
import re
from collections.abc import Sequence
from dataclasses import asdict
from importlib.resources import files
from typing import Any

from lossproof.judging.record import Record, Run
from lossproof.reporting.claims import documents
from lossproof.reporting.columns import columns
from lossproof.reporting.digest import failures, lost_digits, matrix, outcome_counts, verdict
from lossproof.reporting.text import visible

_SHOWN_FAILURES = 200
_CHECKS_A_FAILURE = 6
_DETAIL_LENGTH = 4000
_SCRIPTS = ("dom.js", "rows.js", "plot.js", "faults.js", "page.js")


def report_html(run: Run, records: Sequence[Record], faults: dict[str, Any] | None = None) -> str:
    """Return the text of ``report.html``.

    Args:
        run: the run.
        records: its records, in the order in which the page lists them.
        faults: what ``faults.json`` says; None where no faults have been tried.
    """
    assets = files("lossproof.reporting") / "assets"
    style = assets.joinpath("page.css").read_text(encoding="utf-8")
    script = "".join(assets.joinpath(name).read_text(encoding="utf-8") for name in _SCRIPTS)
    parts = {
        "style": style,
        "style_hash": _hash(style),
        "script": script,
        "script_hash": _hash(script),
        "data": _embedded(_page_data(run, records) | {"faults": faults}),
    }
    template = assets.joinpath("page.html").read_text(encoding="utf-8")
    # In one pass, so that a part which looks like a mark is left alone.
    return re.sub("@@([a-z_]+)@@", lambda mark: parts[mark[1]], template)


def _page_data(run: Run, records: Sequence[Record]) -> dict[str, Any]:
    groups = failures(records)
    shown = [(group[:_CHECKS_A_FAILURE], len(group)) for group in groups[:_SHOWN_FAILURES]]
    return {
        "verdict": asdict(verdict(run, records)),
        "run": asdict(run),
        "counts": outcome_counts(records),
        "matrix": matrix(records),
        "failures": {
            "shown": [{"rows": places, "checks": checks} for places, checks in shown],
            "groups": len(groups),
            "checks": sum(map(len, groups)),
        },
        "details": {place: _detail(records[place]) for places, _ in shown for place in places},
        "documents": documents(records),
        "lost_digits": lost_digits(records),
        "columns": columns(records),
    }


def _detail(record: Record) -> dict[str, str]:
    return {name: _cut(text) for name, text in (record.detail or {}).items()}


def _cut(text: str) -> str:
    over = len(text) - _DETAIL_LENGTH
    return text if over <= 0 else f"{text[:_DETAIL_LENGTH]}\n[{over:,} more characters in results.jsonl]"


def _embedded(data: dict[str, Any]) -> str:
    """Return the data as JSON that cannot end its script element."""
    text = json.dumps(_shown(data), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c")


def _shown(value: Any) -> Any:
    """Return the value with its unseen characters and its non-finite numbers made readable."""
    if isinstance(value, str):
        return visible(value)
    if isinstance(value, dict):
        return {visible(str(key)): _shown(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_shown(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value


def _hash(text: str) -> str:
    """Return the text's hash as a content security policy names it: nothing else inline may run."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
