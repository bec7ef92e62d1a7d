"""Asks a checkout which planted faults a new case catches; what plants them is not installed."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from lossproof.command_line.terminal import Mistake
from lossproof.reporting.text import count

_CHECKOUT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Kills:
    """The planted faults of a loss that a case catches, and those of them that no other case does."""

    loss: str
    faults: int
    catches: list[str]
    alone: list[str]

    def __str__(self) -> str:
        of = f"of {count(self.faults, 'planted fault')} of {self.loss}"
        if not self.catches:
            return f"It catches none {of}: nobody would miss it, unless it documents something."
        if not self.alone:
            return f"It catches {len(self.catches)} {of}; other cases catch each of them, too."
        return f"It catches {len(self.catches)} {of}, and alone {', '.join(self.alone)}."


def kills_of(text: str, id: str, corpus: Path) -> Kills | None:
    """What the case ``id`` of a file with this text catches; None where lossproof is not run in a checkout.

    Raises:
        Mistake: the search ended without an answer.
    """
    if not (_CHECKOUT / "proofs" / "kills.py").exists():
        return None
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "case.yaml"
        file.write_text(text, encoding="utf-8")
        # A process of its own: a planted fault must not outlive the search.
        command = [sys.executable, "-m", "proofs.kills", str(file), id, "--corpus", str(corpus.resolve())]
        ended = subprocess.run(command, cwd=_CHECKOUT, capture_output=True, text=True, check=False)
    if ended.returncode:
        reason = ended.stderr.strip().rpartition("\n")[2] or f"its process ended with {ended.returncode}"
        raise Mistake(f"the planted faults could not be tried: {reason}")
    return Kills(**json.loads(ended.stdout))
