"""The table of the releases on record in a folder, and its data for the page of a run."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from lossproof.corpus.case import KnownDefect
from lossproof.history.explanations import read_explanations
from lossproof.history.release import read_releases
from lossproof.history.table import Row, Table, table_of


def read_table(folder: Path, entries: Iterable[KnownDefect]) -> Table:
    """The table of the releases on record in a folder, which need not exist."""
    return table_of(read_releases(folder), entries, read_explanations(folder))


def as_data(table: Table) -> dict[str, Any] | None:
    """The data of a table for the page of a run; None if the table is empty.

    It is ``{releases, defects, conventions, changes}``. Rows are ``{name, kind, cells, changed}``. A release
    with changes has ``{release, explained}``, a list of ``{reasons, rows}`` with the change of each row.
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
                        "rows": [{"name": row.name, "change": row.change(place)} for row in rows],
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
