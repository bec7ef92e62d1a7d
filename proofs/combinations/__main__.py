"""Writes the case file of the combinations: ``python -m proofs.combinations``."""

from __future__ import annotations

from proofs.combinations import FILE
from proofs.combinations.case_file import case_file

if __name__ == "__main__":
    FILE.write_text(case_file(), encoding="utf-8")
    print(f"wrote {FILE}")
