"""Writes the case file of the combinations: ``python -m proofs.combinations``."""

from __future__ import annotations

from pathlib import Path

from proofs.combinations.case_file import case_file

FILE = Path(__file__).parents[2] / "cases" / "losses" / "combinations.yaml"

if __name__ == "__main__":
    FILE.write_text(case_file(), encoding="utf-8")
    print(f"wrote {FILE}")
