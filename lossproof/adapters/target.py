"""A function that is named on the command line: ``package.module:name`` or ``path/to/file.py:name``."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module, util
from pathlib import Path
from types import ModuleType
from typing import Any

from lossproof.adapters.forms import Entry
from lossproof.adapters.functions import FunctionTable
from lossproof.corpus.complaints import suggestion


class TargetError(ValueError):
    """There is no such function; the message says what to do."""


class TargetSubject(FunctionTable):
    """One function that computes one loss.

    Args:
        target: ``package.module:name`` or ``path/to/file.py:name``: a function, a class, an instance, or a
            function that makes one of these; see ``forms.Entry``.
        loss: the loss that it computes, by torch's name.
        library: whose arrays it takes.
        backward: the name of a function that computes its gradients, like ``target`` or in its module.
        fixed: the values of parameters that it does not take, where they are not torch's defaults.
        features_lacked: see ``features``.

    Raises:
        TargetError: if there is no such function.
        Exception: whatever the module raises when it is imported.
    """

    def __init__(
        self,
        target: str,
        loss: str,
        library: str = "torch",
        backward: str = "",
        fixed: Mapping[str, Any] | None = None,
        features_lacked: Sequence[str] = (),
    ) -> None:
        self._arguments = (target, loss, library, backward, dict(fixed or {}), tuple(features_lacked))
        place, _, name = target.rpartition(":")
        module = Path(place).stem if _is_path(place) else place
        self.name = f"{Path(place).name}:{name}" if _is_path(place) else target
        self.library = library
        self.features_lacked = tuple(features_lacked)
        own_backward = load(backward if ":" in backward else f"{place}:{backward}") if backward else None
        self.table = {loss: Entry(load(target), None, fixed or {}, own_backward, f"{module}:{name}")}
        super().__init__()

    def __reduce__(self) -> tuple[type[TargetSubject], tuple[Any, ...]]:
        # Another process imports the function anew.
        return type(self), self._arguments


def load(target: str) -> Callable[..., Any]:
    """The object that a target names.

    Raises:
        TargetError: if it does not exist or cannot be called.
    """
    place, colon, name = target.rpartition(":")
    if not colon or not place or not name:
        raise TargetError(f"'{target}' names no function; write package.module:name or path/to/file.py:name")
    module = _from_file(Path(place)) if _is_path(place) else _from_path(place)
    value: Any = module
    for part in name.split("."):
        if not hasattr(value, part):
            known = [one for one, found in vars(module).items() if callable(found) and one[0] != "_"]
            remedy = suggestion(name, known) if known else "nothing there can be called"
            raise TargetError(f"{place} has no '{name}'; {remedy}")
        value = getattr(value, part)
    if not callable(value):
        raise TargetError(
            f"{target} is of type {type(value).__name__}, which cannot be called; name a function"
        )
    return value  # type: ignore[no-any-return]  # whatever else it is, it can be called


def _is_path(place: str) -> bool:
    return place.endswith(".py")


def _from_file(path: Path) -> ModuleType:
    if not path.is_file():
        raise TargetError(f"there is no file {path}; name a file that exists")
    _make_importable(path.resolve().parent)
    name = path.stem
    loaded = sys.modules.get(name)
    if loaded is not None and Path(getattr(loaded, "__file__", None) or "").resolve() == path.resolve():
        return loaded
    spec = util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _from_path(name: str) -> ModuleType:
    _make_importable(Path.cwd())
    try:
        return import_module(name)
    except ModuleNotFoundError as missing:
        if missing.name and (name == missing.name or name.startswith(f"{missing.name}.")):
            raise TargetError(
                f"there is no module '{missing.name}' here; run lossproof where 'import {name}' works, "
                "or name a file"
            ) from None
        raise


def _make_importable(folder: Path) -> None:
    """Let modules of a folder be imported, as Python does for the folder of a script."""
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
