"""The table of what is on record in a folder, and the same as plain data for the page of a run."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from lossproof.corpus.case import KnownDefect
from lossproof.history.explanations import read_explanations
from lossproof.history.release import read_releases
from lossproof.history.table import Row, Table, table_of


def read_table(folder: Path, entries: Iterable[KnownDefect]) -> Table:
    """The table of the releases on record in a folder, which need not be there.

    Raises:
        ReportError: a release's file cannot be read.
        CorpusError: the explanations cannot.
    """
    return table_of(read_releases(folder), entries, read_explanations(folder))


def as_data(table: Table) -> dict[str, Any] | None:
    """What the page of a run shows of a table; None where it is empty.

    It is ``{releases, defects, conventions, changes}``: rows ``{name, kind, cells, changed}``, and for each
    release that changed any ``{release, explained}``, each of these ``{reasons, rows}`` with what happened to
    each row.
    """
    if not table.releases:
        return None
    return {
        "releases": table.releases,
        "defects": [_row(row) for row in table.defects],
        "conventions": [_row(row) for row in table.conventions],
        "changes": [
            {
                "release": release,
                "explained": [
                    {
                        "reasons": [
                            {"what": one.what, "link": one.link, "searched": one.searched} for one in reasons
                        ],
                        "rows": [{"name": row.name, "change": row.change_text(place)} for row in rows],
                    }
                    for reasons, rows in explained.items()
                ],
            }
            for place, release in enumerate(table.releases)
            if (explained := table.explained(place))
        ],
    }


def _row(row: Row) -> dict[str, Any]:
    return {"name": row.name, "kind": row.kind, "cells": row.cells, "changed": row.changed}
