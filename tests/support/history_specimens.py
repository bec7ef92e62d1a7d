"""What the tests of the history share: a small corpus, and runs of it that are made up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from report_specimens import AGREES, RUN, result_of
from suite_runs import CASES

from lossproof.records.outcome import Outcome
from lossproof.records.quantity import Quantity
from lossproof.records.record import Record, Run
from lossproof.reporting.jsonl import results_jsonl
from proofs.releases.__main__ import main

WHY = "the mean divides by the rows"
OTHER = "a refusal is missing: nothing is raised"

DEFECTS = f"""\
defects:
  - {{case: weighted-mean, subject: torch.*, dtypes: [float32], quantities: [value], observed: 7,
     expected: "8", why: {WHY}, kind: defect}}
  - {{case: out-of-range, subject: torch.*, quantities: [raises], observed: accepted,
     expected: "an IndexError", why: "{OTHER}", kind: convention}}
"""

VALUE = replace(AGREES, case="weighted-mean")
RAISES = replace(VALUE, case="out-of-range", quantity=Quantity("raises"))
DISAGREES = replace(VALUE, outcome=Outcome.DISAGREE, message="off by 1")
ERRS = replace(VALUE, outcome=Outcome.ERROR, message="RuntimeError")


def showing(record: Record, why: str) -> Record:
    """A record as a known defect leaves it."""
    return replace(
        record, outcome=Outcome.KNOWN_DEFECT, message=f"off by 1 (in part) (known: {why})", cause=why
    )


def without_kernel(record: Record, reason: str = "no such loss") -> Record:
    return replace(record, outcome=Outcome.UNSUPPORTED, message=reason)


def corpus(folder: Path) -> Path:
    """A folder of case files with known defects."""
    cases = folder / "cases"
    cases.mkdir()
    (cases / "losses.yaml").write_text(CASES)
    (cases / "known-defects.yaml").write_text(DEFECTS)
    return cases


def run_of(torch: str, **changes: Any) -> Run:
    """A whole run on a release."""
    versions = {"python": "3.11.7", "torch": torch, "cases": "0123456789ab"}
    return replace(RUN, versions=versions, options={"subjects": "", "dtypes": "", "cases": ""}, **changes)


def reports(
    folder: Path, run: Run, records: Sequence[Record], picks: Sequence[Mapping[str, str]] = ()
) -> Path:
    """The reports of a run, as far as the history reads them, with the picks of its first records."""
    folder.mkdir(parents=True, exist_ok=True)
    picked = [replace(record, picks=dict(pick)) for record, pick in zip(records, picks, strict=False)]
    results = [result_of(*picked, *records[len(picked) :])]
    (folder / "results.jsonl").write_text(results_jsonl(run, results))
    return folder


def put(
    cases: Path, torch: str, *records: Any, picks: Any = (), status: int | None = 0, **changes: Any
) -> Path:
    """Put a made-up run on record; returns its file."""
    folder = reports(cases.parent / f"run-{torch}", run_of(torch, **changes), records, picks)
    ended = main(["--from", str(folder), "--corpus", str(cases)])
    assert status is None or ended == status
    return cases / "history" / f"torch-{torch.partition('+')[0]}.json"


def explain(cases: Path, text: str) -> None:
    (cases / "history" / "changes.yaml").write_text(text)
