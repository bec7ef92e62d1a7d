"""The files of `lossproof/implementations`, whether or not their libraries are installed here."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from importlib import import_module, util
from pathlib import Path
from unittest.mock import MagicMock

import pytest
from command_lines import typed
from repository import ROOT, whole_corpus

from lossproof.adapters.features import FEATURES
from lossproof.adapters.forms import as_entry
from lossproof.adapters.functions import FunctionTable
from lossproof.adapters.parameters import parameters_in
from lossproof.reference.catalogue import LOSSES
from lossproof.subjects.registry import default_subjects, find_subject, known_subjects

# For each subject, its file, and what that file imports besides NumPy and lossproof.
FILES = {
    "optax": ("optax_losses", {"jax", "optax"}),
    "mlx": ("mlx_losses", {"mlx"}),
    "scipy": ("scipy_functions", {"scipy"}),
    "scikit-learn": ("sklearn_metrics", {"sklearn"}),
    "onnx-reference": ("onnx_reference", {"onnx"}),
    "onnxruntime": ("onnx_runtime", {"onnx", "onnxruntime"}),
}
FOLDER = ROOT / "lossproof" / "implementations"


def imports_of(path: Path) -> list[str]:
    """The modules that a file imports."""
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    names = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    return [*names, *(node.module or "" for node in nodes if isinstance(node, ast.ImportFrom))]


@pytest.fixture(params=FILES)
def table(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[type[FunctionTable]]:
    """The class of a subject; whatever is not installed can be imported, and does nothing."""
    file, _ = FILES[request.param]
    files = [FOLDER / f"{name}.py" for name in (file, "onnx_operators")]
    names = {one for path in files for one in imports_of(path)}
    for name in [one for one in names if util.find_spec(one.partition(".")[0]) is None]:
        for end in range(len(name.split("."))):
            monkeypatch.setitem(sys.modules, ".".join(name.split(".")[: end + 1]), MagicMock())
    before = set(sys.modules)
    module = import_module(f"lossproof.implementations.{file}")
    [found] = [
        one
        for one in vars(module).values()
        if isinstance(one, type) and issubclass(one, FunctionTable) and one is not FunctionTable
    ]
    yield found
    for name in set(sys.modules) - before:
        del sys.modules[name]


def test_a_run_examines_them_only_if_it_names_them() -> None:
    assert {*FILES, "torch.compile-decomposed"} <= set(known_subjects()) - set(default_subjects())


@pytest.mark.parametrize("subject", FILES)
def test_a_file_imports_nothing_but_its_library(subject: str) -> None:
    file, libraries = FILES[subject]
    own = {"lossproof", "numpy", *sys.stdlib_module_names}
    found = {name.partition(".")[0] for name in imports_of(FOLDER / f"{file}.py")} - own
    assert found == libraries


@pytest.mark.parametrize("subject", FILES)
def test_what_is_missing_is_said_in_a_sentence(subject: str) -> None:
    listed = " ".join(typed("list", "subjects", subject).lines)
    missing = [name for name in FILES[subject][1] if util.find_spec(name) is None]
    said = [f"it needs {name}, which is not installed" in listed for name in missing]
    assert any(said) if missing else "cannot be used" not in listed
    if missing:
        with pytest.raises(ModuleNotFoundError):
            find_subject(subject)


def test_the_tables_speak_torchs_language(table: type[FunctionTable]) -> None:
    assert set(table.table) <= set(LOSSES)
    assert set(table.features_lacked) <= set(FEATURES)
    for name, entry in table.table.items():
        loss, given = LOSSES[name], as_entry(entry)
        names = parameters_in(given.function) if given.takes is None else tuple(given.takes)
        known = {*loss.arguments, *loss.parameters, *loss.typed_reductions}
        assert names is not None
        assert set(names) <= known, name
        assert set(given.fixed) <= known - set(names), name


def test_each_has_an_extra_and_what_is_known_of_it_names_a_version() -> None:
    extras = re.findall(r"^([\w-]+) = \[$", (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.M)
    assert {name.replace("onnx-reference", "onnx") for name in FILES} <= set(extras)
    known = [entry for entry in whole_corpus().known_defects if entry.subject in FILES]
    assert {entry.subject for entry in known} == set(FILES)
    assert all(entry.until for entry in known)
