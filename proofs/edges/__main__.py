"""Writes the case file of the edges: ``python -m proofs.edges``."""

from __future__ import annotations

from pathlib import Path

from proofs.edges.case_file import case_file

FILE = Path(__file__).parents[2] / "cases" / "losses" / "edges.yaml"

if __name__ == "__main__":
    FILE.write_text(case_file(), encoding="utf-8")
    print(f"wrote {FILE}")
