"""``report.html``: one page with its style, its script and its data."""

from __future__ import annotations

import base64
import hashlib
import json
import math
import re
import zlib
from collections.abc import Sequence
from dataclasses import asdict
from importlib.resources import files
from typing import Any

from lossproof.records.outcome import outcome_table
from lossproof.records.quantity import NUMERIC
from lossproof.records.record import Record, Run
from lossproof.reference.catalogue import LOSSES
from lossproof.reference.symbols import symbols_of
from lossproof.reporting.causes import causes
from lossproof.reporting.cells import matrix
from lossproof.reporting.claims import documents
from lossproof.reporting.columns import columns
from lossproof.reporting.digest import ran_in_words, shown_counts, verdict
from lossproof.reporting.explanations import explanations, shown_defects
from lossproof.reporting.failing_cases import failing_cases_data
from lossproof.reporting.lost_digits import lost_digits
from lossproof.reporting.off_by import elements_of, errors
from lossproof.reporting.plain_page import plain_parts
from lossproof.reporting.rules import overflowed, passed_by_rule
from lossproof.reporting.text import LONGEST, cut, visible

_STYLES = (
    *("theme", "page", "navigation", "outcomes", "matrix", "content", "history"),
    *("plots", "checks", "narrow", "print"),
)
_TOOLS = ("dom", "digits", "address", "query", "rows")
_CHECKS = ("matrix", "authority", "check", "failures", "distribution", "rules", "curve")
_SECTIONS = ("documents", "corrections", "defects", "history", "comparison", "faults", "case")
_SCRIPTS = (*_TOOLS, *_CHECKS, *_SECTIONS, "page")


def report_html(
    run: Run,
    records: Sequence[Record],
    faults: dict[str, Any] | None = None,
    comparison: dict[str, Any] | None = None,
    history: dict[str, Any] | None = None,
) -> str:
    """Return the text of ``report.html``.

    Args:
        run: the run.
        records: its records, in the order in which the page lists them.
        faults: the data of ``faults.json``; None if no faults have been tried.
        comparison: the changes since a baseline, if there is one.
        history: the table of releases, from ``history.on_record``; None if no release is on record.
    """
    style, script = _asset(*(f"{name}.css" for name in _STYLES)), _asset(*(f"{name}.js" for name in _SCRIPTS))
    parts = {
        "style": style,
        "style_hash": _hash(style),
        "script": script,
        "script_hash": _hash(script),
        "data": _json(_page_data(run, records) | {"comparison": comparison}).replace("<", "\\u003c"),
        **plain_parts(run, records),
        "packed": _pack(_bulk(records) | {"faults": faults, "history": history}),
    }
    # In one pass, so that a mark inside a part is left alone.
    return re.sub("@@([a-z_]+)@@", lambda mark: parts[mark[1]], _asset("page.html"))


def _asset(*names: str) -> str:
    folder = files("lossproof.reporting") / "assets"
    return "".join(folder.joinpath(name).read_text(encoding="utf-8") for name in names)


def _page_data(run: Run, records: Sequence[Record]) -> dict[str, Any]:
    return {
        "verdict": asdict(verdict(run, records)),
        "run": asdict(run) | {"known_defects": [_defect(entry) for entry in run.known_defects]},
        "outcomes": outcome_table(),
        "numeric": NUMERIC,
        "counts": shown_counts(records),
        "ran": ran_in_words(records),
        "matrix": matrix(records),
        "causes": causes(run.known_defects),
        "rules": passed_by_rule(records),
        "overflowed": overflowed(records),
        "documents": documents(records, run.documents),
        "lost_digits": lost_digits(records),
        "symbols": _symbols(records),
    }


def _symbols(records: Sequence[Record]) -> dict[str, list[tuple[str, str]]]:
    """The symbols of the formula of each loss, in order, with their meanings."""
    losses = dict.fromkeys(record.loss for record in records)
    return {name: [*symbols_of(LOSSES[name]).items()] for name in losses if name in LOSSES}


def _defect(entry: dict[str, Any]) -> dict[str, Any]:
    # The program of a large tensor is long, and results.jsonl holds it anyway.
    return entry | {"snippet": ""} if len(entry.get("snippet", "")) > LONGEST else entry


def _bulk(records: Sequence[Record]) -> dict[str, Any]:
    """The data whose size grows with the number of records."""
    failing = failing_cases_data(records)
    drawn = (
        (place, loss["error"])
        for loss in failing["losses"]
        for case in loss["shown"]
        for row in case["rows"]
        for place in row
    )
    return {
        "failures": failing,
        "details": {place: _detail(records[place], error) for place, error in drawn}
        | {place: _detail(records[place]) for place in shown_defects(records)},
        "explained": explanations(records),
        "columns": columns(records),
    }


def _detail(record: Record, shared: str = "") -> dict[str, Any]:
    """The detail of a failure, with its errors, and without its curve, which is drawn with the case."""
    told = errors(elements_of(record), shared)
    return ({"errors": told} if told else {}) | {
        name: cut(value) if isinstance(value, str) else value
        for name, value in (record.detail or {}).items()
        if name != "curve"
    }


def _pack(data: dict[str, Any]) -> str:
    """Return the data as compressed JSON in base64, which cannot contain markup.

    Columns repeat themselves: 242,000 records take a quarter of a megabyte instead of seven.
    """
    return base64.b64encode(zlib.compress(_json(data).encode(), 6)).decode()


def _json(data: dict[str, Any]) -> str:
    return json.dumps(_readable(data), ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def _readable(value: Any) -> Any:
    """Return the value with invisible characters escaped and non-finite numbers as strings."""
    if isinstance(value, str):
        return visible(value)
    if isinstance(value, dict):
        return {visible(str(key)): _readable(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        # Of millions of items, nearly all are places in a table.
        return [item if type(item) is int else _readable(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value


def _hash(text: str) -> str:
    """Return the hash by which a content security policy admits an inline text, and no other."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
