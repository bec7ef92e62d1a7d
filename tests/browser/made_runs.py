"""Runs to look at: of torch as it is, of torch with faults planted in it, and one of 100,000 checks."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from lossproof.corpus.reading import load_corpus
from lossproof.judging.known_defects import as_data
from lossproof.records.lines import records_in
from lossproof.records.outcome import Outcome
from lossproof.records.quantity import Quantity
from lossproof.records.record import Record, Run
from lossproof.reporting.comparison import compare
from lossproof.running.selection import select
from lossproof.running.session import ConformanceSession
from lossproof.subjects.torch.expressions import EXPRESSIONS, expression_of
from proofs.faults.catalogue import FAULTS

ROOT = Path(__file__).parents[2]

CASES = "ce-weight-[a-m]*,ce-refuses-smoothing*,mse-[bh]*,d00[124]*,d000-3*"
PLANTED = ("ce-weighted-mean-over-rows", "ce-never-refuses", "mse-weight-squared", "mse-summed-in-half")

HOSTILE = "</script><img src=x onerror=alert(1)> <b>& \u202egnp.exe '" + '"'

# What faults.json says of two faults, one of them not caught.
TRIED = {
    "made": "2026-01-02T03:04:05+00:00",
    "torch": torch.__version__,
    "seconds": 12.0,
    "cases": "another state of the case files",
    "full": True,
    "problems": ["No case catches ce-not-caught."],
    "faults": [
        {
            "id": name,
            "loss": "CrossEntropyLoss",
            "mistake": "The mean divides by the number of rows.",
            "origin": "https://github.com/pytorch/pytorch/issues/1",
            "blind": True,
            "kills": {case: ["float32", "float64"] for case in kills},
            "pytorch": bool(kills),
        }
        for name, kills in (("ce-caught", ["ce-weight-all-zero"]), ("ce-not-caught", []))
    ],
}

STANDING = "torch 2.16.0 is not on record; the newest that is, is 2.15.0."
NEWS = "gone in torch 2.16.0: the kernel divides by <b>zero</b>"


def on_record(cause: str) -> dict[str, Any]:
    """What is on record of three releases: a cause that came and went, another that stays, a convention."""
    link = {
        "what": "A bound is checked.",
        "link": "https://github.com/pytorch/pytorch/pull/1",
        "searched": "",
    }
    none = {"what": "The other side is taken.", "link": "", "searched": "clamp bound; 2026-11-29"}
    return {
        "releases": ["2.6", "2.12", "2.13"],
        "defects": [
            {"name": cause, "kind": "undefined", "cells": [0, 12, 0], "changed": [1, 2]},
            {"name": "eps is 0 in float16", "kind": "defect", "cells": [None, 1, 1], "changed": []},
        ],
        "conventions": [{"name": "on the bound", "kind": "", "cells": ["1", "1", "0"], "changed": [2]}],
        "changes": [
            {"release": "2.12", "explained": [{"reasons": [], "rows": [{"name": cause, "change": "came"}]}]},
            {
                "release": "2.13",
                "explained": [
                    {"reasons": [link], "rows": [{"name": cause, "change": "went"}]},
                    {"reasons": [none], "rows": [{"name": "on the bound", "change": "0, was 1"}]},
                ],
            },
        ],
    }


HISTORIES = {"faulty": on_record("the bound is not checked"), "hostile": on_record(HOSTILE)}

Page = tuple[Run, list[Record], dict[str, Any] | None]


def pages() -> Iterator[tuple[str, Page]]:
    """Each page to test, by its name: clean, with faults, with all states of a check, of 100,000 checks."""
    clean, records = examined()
    yield "clean", (clean, records, None)
    faulty, wrong = examined(PLANTED)
    yield "faulty", (faulty, wrong, compare(clean, records, faulty, wrong).data())
    yield "states", (_untried(clean), [_in_another_state(record) for record in records], None)
    yield "contested", (_run([]), [_contested(record) for record in wrong], None)
    yield "large", many_checks(wrong, 100_000)
    yield (
        "hostile",
        (_run([]), [_hostile(record) for record in wrong if record.outcome == "disagree"][:9], None),
    )


def many_checks(records: Sequence[Record], number: int) -> Page:
    """A page of so many checks."""
    return _run([]), _multiplied(records, number), None


@contextmanager
def faults_planted(faults: Sequence[str]) -> Iterator[None]:
    """Let faults of the catalogue stand in torch for a while."""
    with ExitStack() as stack:
        for fault in faults:
            stack.enter_context(FAULTS[fault].planted())
        yield


def _untried(run: Run) -> Run:
    """A run as it is on a release that is not on record."""
    entries = [entry | {"since": "2.6", "until": "2.20"} for entry in run.known_defects]
    return replace(run, standing=[STANDING], news=[NEWS, "met by no check"], known_defects=entries)


def _multiplied(records: Sequence[Record], number: int) -> list[Record]:
    """These records over and over, as if of other cases, with shares of their own."""
    copies = -(-number // len(records))
    return [_copied(record, copy) for copy in range(copies) for record in records][:number]


def _copied(record: Record, copy: int) -> Record:
    share = record.error_over_budget
    if record.outcome == "agree" and share is not None and share <= 1:
        share = share * (1 + copy) / (2 + copy)
    if not copy:
        return record
    # A document's claims are few, however many cases there are.
    name = f"{record.case}-{copy}"
    return replace(record, case=name, error_over_budget=share, source=None, loses_digits=False)


def _contested(record: Record) -> Record:
    """A record as it is where the reference is wrong, which no printed digits are then."""
    return replace(record, outcome=Outcome.DISAGREE) if record.subject is None else record


def _in_another_state(record: Record) -> Record:
    """A record of float16 as of something that overflows, of bfloat16 as of what has no kernel."""
    is_value = record.quantity == "value" and record.outcome == "agree"
    if record.dtype == "float16" and record.loss == "MSELoss" and is_value:
        told = "the square of the difference overflows float16"
        return replace(
            record, outcome=Outcome.OVERFLOWED, rule="overflow", error_over_budget=None, message=told
        )
    if record.dtype == "bfloat16" and record.subject == "torch.nn" and record.quantity != "raises":
        return replace(record, outcome=Outcome.UNSUPPORTED, error_over_budget=None, message="no kernel")
    if record.dtype == "float32" and record.quantity.startswith("gradient") and record.outcome == "agree":
        return replace(record, rule="kink")
    return record


def _hostile(record: Record) -> Record:
    detail = {
        name: text if name in ("elements", "wrong", "curve") else HOSTILE
        for name, text in (record.detail or {}).items()
    }
    return replace(
        record,
        case=HOSTILE,
        title=HOSTILE,
        loss=HOSTILE,
        subject=HOSTILE,
        dtype=HOSTILE,
        message=HOSTILE,
        file=HOSTILE,
        flags=[HOSTILE],
        quantity=Quantity(HOSTILE),
        detail=detail,
        source={"document": HOSTILE, "place": HOSTILE, "claim": HOSTILE},
    )


def examined(faults: Sequence[str] = ()) -> tuple[Run, list[Record]]:
    """A run of a part of the corpus, with these faults planted in torch."""
    corpus = load_corpus(ROOT / "cases")
    selection = select(corpus, "", "", CASES, "cpu")
    session = ConformanceSession(corpus, selection)
    records: list[Record] = []
    with faults_planted(faults), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the cases judge those that matter
        for check in selection.trials:
            records += records_in(session.examine(check).lines)
    names = {check.case.id for check in selection.trials}
    entries = [as_data(entry) for entry in corpus.known_defects if entry.case in names]
    return _run(entries), records


def _run(known_defects: list[dict[str, Any]]) -> Run:
    return Run(
        versions={"python": "3.11", "lossproof": "0.1.0", "torch": torch.__version__},
        tested=["torch"],
        stand_ins={loss: expression_of(loss) for loss in EXPRESSIONS},
        machine={"platform": "Linux", "processor": "x86_64", "cpus": 2},
        options={"subjects": "", "dtypes": "", "cases": "", "device": "cpu", "workers": "0"},
        complete=True,
        problems=[],
        known_defects=known_defects,
        started="2026-01-02T03:04:05+00:00",
        seconds=61.5,
        documents={
            "001_113b8fc9ac6c9825": {"title": "One cross entropy, step by step", "about": "By hand, too."}
        },
    )
