"""Writes the combinations of all losses as a case file."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator

from proofs.case_text import block, slug, wrapped
from proofs.combinations.catalogue import TABLES
from proofs.combinations.covering import covering_array
from proofs.combinations.table import SILENT, Call, Choice, Row, Table

_HEAD = """\
# Every two circumstances of a loss meet in a case: a dtype and a size, a shape and an option, a weight and 0.
# Made from the tables by `python -m proofs.combinations`, which makes it anew; do not edit.
cases:
"""
# Digits of an id; it is that of the contents, so that it cannot come to mean others.
_DIGITS = 6


def case_file(tables: Iterable[Table] = TABLES) -> str:
    """The text of the file."""
    return _HEAD + "".join(case for table in tables for case in cases_of(table))


def cases_of(table: Table) -> Iterator[str]:
    """The text of each case of a loss."""
    for row in covering_array(table):
        yield _case(table, row)


def _case(table: Table, row: Row) -> str:
    choice = Choice(table.name, row)
    body = "\n".join(_body(choice, table.build(choice)))
    digest = hashlib.sha256(body.encode()).hexdigest()[:_DIGITS]
    lines = [
        f"  - id: {'-'.join(filter(None, (slug(table.loss), table.variant, 'combination', digest)))}",
        *wrapped("title", title(row), 4),
        f"    loss: {table.loss}",
        body,
    ]
    return "\n".join(lines) + "\n"


def title(row: Row) -> str:
    """The levels of a row, but for those that go without saying.

    >>> title({"dtype": "float32", "size": "-few", "special": "nan"})
    'float32, nan'
    """
    return ", ".join(level.strip() for level in row.values() if not level.startswith(SILENT))


def _body(choice: Choice, call: Call) -> Iterator[str]:
    yield f"    dtypes: [{choice['dtype']}]"
    if "reduction" in choice.row:
        yield f"    reductions: [{choice.reduction}]"
    if call.warns is not None:
        yield f"    warns: {call.warns}"
    yield from block("params", {name: text for name, text in call.params.items() if text is not None})
    yield from block("args", call.args)
    if call.upstream is not None:
        yield from wrapped("upstream", call.upstream, 4)
