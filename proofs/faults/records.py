"""``faults.json``: what the search found, for the report and for programs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from proofs.faults.findings import Findings


def faults_json(
    findings: Findings, cases: str, seconds: float, made: str, pytorch: Mapping[str, Any] | None
) -> str:
    """The text of ``faults.json``.

    Args:
        findings: what was found.
        cases: the digest of the case files.
        seconds: of processor time that the search took.
        made: when, as ISO 8601 writes it.
        pytorch: what PyTorch's own tests catch, as ``proofs.yardstick`` measured it; or None.
    """
    caught = findings.caught
    report = {
        "made": made,
        "seconds": round(seconds, 1),
        "torch": version("torch"),
        "full": findings.is_full,
        "cases": cases,
        "faults": [
            {
                "id": fault.id,
                "loss": fault.loss,
                "mistake": fault.mistake,
                "origin": fault.origin,
                "blind": fault.blind,
                "kills": {case: [kill.dtype for kill in kills] for case, kills in caught[fault.id].items()}
                if fault.id in caught
                else {},
                "not_applicable": findings.inapplicable.get(fault.id, ""),
                "pytorch": _caught_by_pytorch(fault.id, pytorch),
            }
            for fault in findings.faults
        ],
        "problems": findings.problems,
        "pytorch": pytorch and {"torch": pytorch["torch"], "seconds": pytorch["seconds"]},
    }
    return json.dumps(report, indent=1) + "\n"


def read_pytorch(path: Path) -> dict[str, Any] | None:
    """What PyTorch's own tests catch, or None where that has not been measured."""
    if not path.exists():
        return None
    measured: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return measured


def _caught_by_pytorch(fault: str, pytorch: Mapping[str, Any] | None) -> bool | None:
    """Whether PyTorch's own tests catch a fault; None where they have not been asked."""
    if pytorch is None or fault not in pytorch["faults"]:
        return None
    return bool(pytorch["faults"][fault]["caught"])
