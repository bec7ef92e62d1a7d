"""``faults.json``: the findings of the search, for the report and for programs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from proofs.faults.findings import Findings


def faults_json(
    findings: Findings, cases: str, seconds: float, timestamp: str, pytorch: Mapping[str, Any] | None
) -> str:
    """The text of ``faults.json``.

    Args:
        findings: the findings.
        cases: the digest of the case files.
        seconds: of processor time that the search took.
        timestamp: when they were made, in ISO 8601.
        pytorch: what PyTorch's own tests catch, as measured by ``proofs.yardstick``, or None.
    """
    caught = findings.caught
    report = {
        "made": timestamp,
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
    """What PyTorch's own tests catch, or None if that has not been measured."""
    if not path.exists():
        return None
    results: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return results


def _caught_by_pytorch(fault: str, pytorch: Mapping[str, Any] | None) -> bool | None:
    """Whether PyTorch's own tests catch a fault; None if that has not been measured."""
    if pytorch is None or fault not in pytorch["faults"]:
        return None
    return bool(pytorch["faults"][fault]["caught"])
