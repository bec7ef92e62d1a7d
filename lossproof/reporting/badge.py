"""``badge.json``: the verdict in one line, in the schema of shields.io's endpoint badge."""

from __future__ import annotations

import json
from collections.abc import Sequence
from operator import attrgetter

from lossproof.records.outcome import Outcome
from lossproof.records.record import Record, Run
from lossproof.reporting.cells import is_result
from lossproof.reporting.digest import outcome_counts, verdict
from lossproof.reporting.groups import by_outcome
from lossproof.reporting.part import part_in_words
from lossproof.reporting.text import count, visible


def badge_json(run: Run, records: Sequence[Record]) -> str:
    """Return the text of ``badge.json``."""
    message, colour = _message(run, records)
    badge = {"schemaVersion": 1, "label": "lossproof", "message": visible(message), "color": colour}
    return json.dumps(badge, indent=2) + "\n"


def _message(run: Run, records: Sequence[Record]) -> tuple[str, str]:
    counts = outcome_counts(records)
    if wrong := counts[Outcome.DISAGREE]:
        return f"{count(wrong, 'check disagrees', 'checks disagree')}", "red"
    if wrong := counts[Outcome.ERROR]:
        return f"{count(wrong, 'check ends in an error', 'checks end in an error')}", "red"
    if changed := counts[Outcome.CHANGED_CONVENTION]:
        return f"{count(changed, 'changed convention')}", "red"
    if verdict(run, records).conforms:
        agreeing = set(map(attrgetter("loss", "quantity"), by_outcome(records)[Outcome.AGREE]))
        losses = len({loss for loss, quantity in agreeing if is_result(quantity)})
        proviso = " but for known defects" if counts[Outcome.KNOWN_DEFECT] else ""
        # The part after the plus sign only says how a library was built.
        tested = ((name, run.versions[name].partition("+")[0]) for name in run.tested)
        on = "".join(f", {name} {version}" for name, version in tested)
        scope = " in part" if part_in_words(run.options) else ""
        return f"conforms{scope}{proviso}: {count(losses, 'loss', 'losses')}{on}", "brightgreen"
    if not run.complete:
        return "interrupted", "lightgrey"
    return count(len(run.problems), "problem") if run.problems else "nothing checked", "orange"
