"""Writes ``lossproof.toml`` from the records of a run."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from lossproof.corpus.project_file import FLAGS, LISTS
from lossproof.records.outcome import Outcome
from lossproof.records.record import Record

# The options of a run that the file keeps, under the file's names.
_KEPT = {
    "subjects": "subjects",
    "subject": "subject",
    "loss": "as",
    "command": "command",
    "arrays": "arrays",
    "backward": "backward",
    "dtypes": "dtypes",
    "losses": "losses",
    "cases": "cases",
    "flags": "flags",
    "quantities": "quantities",
    "lacks": "lacks",
}
_KEYS = ("dtypes", "reductions", "quantities", "layouts")
_HEAD = """\
# What `lossproof verify` tests here, and what is known of it. An entry that no longer holds fails the run.
#
# A difference by design, for all cases that match a pattern:
# [[differs]]
# cases = "bce-*"
# quantities = ["gradient:*"]
# reason = "probabilities are clipped at 1e-7"
"""
_DEFECTS = """\

# The failures of the first run, to be worked off: mend them, remove their entries, and run again.
"""

# A place of a check: its dtype, reduction, quantity and layout.
_Place = tuple[str, str, str, str]


@dataclass(frozen=True)
class _Result:
    """What came out of a check, and how many numbers were off."""

    case: str
    came_out: tuple[str, ...]
    off: int
    message: str


def project_text(options: Mapping[str, str], records: Sequence[Record]) -> str:
    """The text of the file: the options of the run, and an entry for each failure."""
    lines = [_HEAD]
    for name, key in _KEPT.items():
        if text := options.get(name):
            lines.append(f"{key} = {_array(text.split(',')) if key in LISTS else _string(text)}")
    lines += [f"{name} = true" for name in FLAGS if options.get(name)]
    if text := options.get("fixed"):
        pairs = (part.partition("=") for part in text.split(","))
        lines.append(f"fixed = {{{', '.join(f'{name} = {_string(value)}' for name, _, value in pairs)}}}")
    entries = list(_entries(records))
    return "\n".join([*lines, *([_DEFECTS] if entries else []), *entries]) + "\n"


def _entries(records: Sequence[Record]) -> Iterator[str]:
    failing: dict[_Result, list[_Place]] = {}
    others: dict[str, set[_Place]] = {}
    for record in records:
        if record.outcome.is_failing:
            message = "" if record.came_out else record.message
            result = _Result(record.case, tuple(record.came_out), record.off, message)
            failing.setdefault(result, []).append(_place(record))
        elif record.outcome != Outcome.UNSUPPORTED:
            others.setdefault(record.case, set()).add(_place(record))
    reasons = {(record.case, _place(record)): record.message for record in records}
    for result, places in failing.items():
        for block in _blocks(places, others.get(result.case, set())):
            yield _entry(result, block, reasons[result.case, places[0]])


def _place(record: Record) -> _Place:
    return record.dtype_name, record.reduction or "none", str(record.quantity), record.layout


def _blocks(places: Sequence[_Place], others: set[_Place]) -> list[list[list[str]]]:
    """Few blocks, each a list of values for each key, that cover these places and none of the others."""
    block = [list(dict.fromkeys(values)) for values in zip(*places, strict=True)]
    if not any(all(value in values for value, values in zip(other, block, strict=True)) for other in others):
        return [block]
    # Split along the first key that has several values; a single place is a block by itself.
    key = next(place for place, values in enumerate(block) if len(values) > 1)
    parts = ([one for one in places if one[key] == value] for value in block[key])
    return [found for part in parts for found in _blocks(part, others)]


def _entry(result: _Result, block: Sequence[Iterable[str]], why: str) -> str:
    lines = ["[[defects]]", f"case = {_string(result.case)}"]
    lines += [f"{key} = {_array(values)}" for key, values in zip(_KEYS, block, strict=True)]
    observed = [_observed(text) for text in result.came_out] or ['"varies"']
    lines.append(f"observed = [{', '.join(observed)}]")
    if result.off:
        lines.append(f"elements = {result.off}")
    return "\n".join([*lines, f"why = {_string(why)}", ""])


def _observed(text: str) -> str:
    """A number as it is, so that its digits are compared; any other text in quotes."""
    try:
        float(text)
    except ValueError:
        return _string(text)
    return text


def _array(values: Iterable[str]) -> str:
    return f"[{', '.join(map(_string, values))}]"


def _string(text: str) -> str:
    # What JSON writes in quotes, TOML reads.
    return json.dumps(text, ensure_ascii=False)
