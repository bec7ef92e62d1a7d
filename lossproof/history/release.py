"""The record of a release of torch: ``cases/history/torch-VERSION.json``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from packaging.version import InvalidVersion, Version

from lossproof.reporting.files import ReportError


@dataclass(frozen=True)
class Release:
    """The results of a run of the whole corpus on a release, without times and without the machine.

    Attributes:
        torch: the release, such as 2.6.0.
        python: the version of Python, such as 3.11.
        cases: the digest of the case files.
        counts: outcome -> number of checks.
        defects: cause, the ``why`` of known defects -> number of checks that show it, 0 if its checks ran and
            none shows it. A cause without any checks is missing.
        failing: case -> number of its failing checks.
        conventions: name -> the pick that came out.
        unsupported: reason -> number of checks.
    """

    torch: str
    python: str
    cases: str
    counts: Mapping[str, int]
    defects: Mapping[str, int]
    failing: Mapping[str, int]
    conventions: Mapping[str, str]
    unsupported: Mapping[str, int]

    @property
    def version(self) -> Version:
        """The release as a comparable version."""
        return Version(self.torch)


def read_releases(folder: Path) -> list[Release]:
    """The releases on record in a folder, the oldest first; none if the folder does not exist.

    Raises:
        ReportError: a file cannot be read, or is no record of a release.
    """
    return sorted(map(_read, folder.glob("torch-*.json")), key=lambda release: release.version)


def _read(path: Path) -> Release:
    try:
        release = Release(**json.loads(path.read_text(encoding="utf-8")))
        if path.name != f"torch-{release.version}.json":
            raise ReportError(f"{path} is the file of torch {release.torch}. Name it after that release.")
    except (OSError, ValueError, TypeError, InvalidVersion) as error:
        again = f"make history VERSIONS={path.stem.removeprefix('torch-')}"
        raise ReportError(
            f"{path} cannot be read: {error}. Restore it, or create it again with {again}"
        ) from error
    return release
