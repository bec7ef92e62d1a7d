"""``lossproof.toml`` in a run: options that the command line leaves out, and the project's known defects."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

import pytest

from lossproof.corpus.case import KnownDefect
from lossproof.corpus.project_file import PROJECT_FILE, ProjectFile, read_project, text_of
from lossproof.running.options import NAMING
from lossproof.subjects.subject import Subject

# Workers may be in another folder, so that they are sent the text.
_TEXT = "lossproof_project"
# Where an option of a run goes by another name than in the file.
_NAMES = {"as": "loss"}
# The options that name a subject, and those that are about it.
_NAMING = tuple(name.removeprefix("--") for name in NAMING)
_OF_A_SUBJECT = (*_NAMING, "as", "arrays", "backward", "fixed", "lacks")


def project_of(config: pytest.Config, cases: Collection[str]) -> ProjectFile:
    """The contents of the project file of a run; nothing if there is none.

    Raises:
        CorpusError: with all complaints about it.
    """
    text = _text_of(config)
    return ProjectFile({}, ()) if text is None else read_project(text, cases)


def complete_options(config: pytest.Config, project: ProjectFile) -> None:
    """Give each option that the command line leaves at its default the project's value.

    A command line that names a subject means that one, and nothing of what the file says of its own.
    """
    is_named = any(getattr(config.option, name) for name in _NAMING)
    for key, value in project.options.items():
        name = _NAMES.get(key, key)
        if getattr(config.option, name) in ("", "cpu") and not (is_named and key in _OF_A_SUBJECT):
            setattr(config.option, name, value)


def entries_for(project: ProjectFile, subjects: Mapping[str, Subject]) -> tuple[KnownDefect, ...]:
    """The known defects of the project, for each foreign subject of the run."""
    foreign = [name for name, subject in subjects.items() if subject.is_foreign]
    return tuple(replace(entry, subject=name) for name in foreign for entry in project.entries)


def send_project(config: pytest.Config, workerinput: dict[str, Any]) -> None:
    """Send a worker the text of the file."""
    workerinput[_TEXT] = _text_of(config)


def _text_of(config: pytest.Config) -> str | None:
    workerinput = getattr(config, "workerinput", None)
    if workerinput is not None:
        sent: str | None = workerinput.get(_TEXT)
        return sent
    path = config.rootpath / PROJECT_FILE
    return text_of(path) if path.exists() else None
