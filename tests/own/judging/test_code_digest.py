"""Truth is kept for one state of the code that computes it, of its libraries and of the machine."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import flint
import numpy as np
import pytest

from lossproof.judging import stored_truth
from lossproof.judging.stored_truth import code_digest


@pytest.mark.parametrize(
    "changed", ["numbers/ball.py", "reference/regression.py", "corpus/values.py", "judging/truth.py"]
)
def test_a_changed_formula_has_another_digest(tmp_path: Path, changed: str) -> None:
    package = tmp_path / "lossproof"
    for room in ("numbers", "reference", "corpus", "judging", "reporting"):
        shutil.copytree(Path(stored_truth.__file__).parents[1] / room, package / room)
    usual = code_digest()
    assert code_digest(package) == usual
    (package / "reporting" / "page.py").write_text("changed")
    assert code_digest(package) == usual
    formula = package / changed
    source = formula.read_text()
    formula.write_text(source.replace("-", "+", 1))
    assert code_digest(package) != usual
    formula.write_text(source)
    assert code_digest(package) == usual
    formula.rename(formula.with_name("renamed.py"))
    assert code_digest(package) != usual


@pytest.mark.parametrize(
    ("holder", "name", "other"),
    [
        (np, "__version__", "1.0"),
        (flint, "__version__", "1.0"),
        (sys, "platform", "other"),
        (sys, "version_info", (3, 99)),
        (stored_truth, "machine", lambda: "other"),
    ],
)
def test_another_library_or_machine_has_another_digest(
    monkeypatch: pytest.MonkeyPatch, holder: object, name: str, other: object
) -> None:
    usual = code_digest()
    monkeypatch.setattr(holder, name, other)
    assert code_digest() != usual
