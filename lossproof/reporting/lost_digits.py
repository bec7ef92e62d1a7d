"""How many digits are lost by cases that are known to lose some within their budget."""

from __future__ import annotations

import math
from collections.abc import Iterable
from operator import attrgetter
from typing import Any

from lossproof.numbers.formats import FORMATS
from lossproof.records.outcome import Outcome
from lossproof.records.record import Record
from lossproof.reporting.digest import largest_share
from lossproof.reporting.groups import grouped

_PLACE = attrgetter("subject_name", "dtype_name")


def lost_digits(records: Iterable[Record]) -> list[dict[str, Any]]:
    """Return ``{case, title, loss, uses}`` of the cases that are known to lose digits, and agree.

    ``uses`` holds for each subject and dtype the largest share of the budget, the decimal digits ``lost`` by
    the worst number, and how many the dtype has (``of``); both are None if no distance was measured.
    """
    agreeing = (record for record in records if record.loses_digits and record.outcome == Outcome.AGREE)
    measured = (record for record in agreeing if record.error_over_budget is not None)
    return [
        {
            "case": case,
            "title": group[0].title,
            "loss": group[0].loss,
            "uses": [
                {"subject": subject, "dtype": dtype, "share": largest_share(used)} | _digits(dtype, used)
                for (subject, dtype), used in sorted(grouped(group, _PLACE).items())
            ],
        }
        for case, group in grouped(measured, attrgetter("case")).items()
    ]


def _digits(dtype: str, records: Iterable[Record]) -> dict[str, float | None]:
    worst = max((record.ulps[0] for record in records if record.ulps is not None), default=None)
    if worst is None or dtype not in FORMATS:
        return {"lost": None, "of": None}
    of = FORMATS[dtype].precision * math.log10(2)
    # A correctly rounded number is off by half a unit in the last place, and loses nothing.
    lost = min(of, max(0.0, math.log10(2 * worst))) if worst else 0.0
    return {"lost": round(lost, 1), "of": round(of, 1)}
