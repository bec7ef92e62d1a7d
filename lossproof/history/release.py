"""The record of a release of torch: ``cases/history/torch-VERSION.json``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from packaging.version import InvalidVersion, Version

from lossproof.reporting.files import ReportError, write_whole


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
        """The release as a comparable version.

        Raises:
            InvalidVersion: it is not a version.
        """
        return Version(self.torch)


def write_release(folder: Path, release: Release) -> Path:
    """Write a release's file into the folder of the history, and return its path.

    Raises:
        ReportError: the folder cannot be written to.
    """
    text = json.dumps(vars(release), indent=1, sort_keys=True) + "\n"
    (path,) = write_whole(folder, {f"torch-{release.torch}.json": text})
    return path


def read_releases(folder: Path) -> list[Release]:
    """The releases on record in a folder, the oldest first; none if the folder does not exist.

    Raises:
        ReportError: a file cannot be read, or was not written by ``write_release``.
    """
    return sorted(map(_read, folder.glob("torch-*.json")), key=lambda release: release.version)


def _read(path: Path) -> Release:
    try:
        release = Release(**json.loads(path.read_text(encoding="utf-8")))
        if path.name != f"torch-{release.version}.json":
            raise ReportError(f"{path} is the file of torch {release.torch}. Name it after that release.")
    except (OSError, ValueError, TypeError, InvalidVersion) as error:
        raise ReportError(
            f"{path} cannot be read: {error}. Restore it, or create it again with "
            f"make history VERSIONS={path.stem.removeprefix('torch-')}"
        ) from error
    return release
