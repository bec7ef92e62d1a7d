"""Runs the suite on another release of torch, in an environment that lasts only as long as the run."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

CHECKOUT = Path(__file__).parents[2]
_SECONDS_TO_END = 60
# Variables that would lead Python to the packages of another environment.
_MISLEADING = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")


class InstallationError(Exception):
    """A release cannot be installed here; the installer has printed the reason."""


@contextmanager
def run_on(release: str, corpus: Path, workers: int) -> Iterator[tuple[int, Path]]:
    """Install a release next to this checkout, and run the whole suite on it.

    Environment and reports are always removed on exit, since an environment takes gigabytes.

    Args:
        release: a release of torch, such as 2.6.0.
        corpus: the case files.
        workers: how many processes the run may use.

    Yields:
        The exit status of the run, and the folder of its reports.

    Raises:
        InstallationError: if the release, or what the suite needs, cannot be installed.
    """
    with TemporaryDirectory(prefix=f"lossproof-torch-{release}-") as folder:
        python = _install(release, Path(folder) / "environment")
        reports = Path(folder) / "reports"
        options = [
            "--corpus",
            str(corpus.resolve()),
            "--reports",
            str(reports),
            "--numprocesses",
            str(workers),
        ]
        yield (
            _run_to_end([str(python), "-m", "lossproof", "verify", *options, "-p", "no:cacheprovider"]),
            reports,
        )


def _install(release: str, environment: Path) -> Path:
    """Make an environment with the release and this checkout; return its Python."""
    python = environment / "bin" / "python"
    requirements = [f"torch=={release}", "--editable", str(CHECKOUT)]
    # Nothing is cached for later environments, since each release brings gigabytes of its own.
    if uv := shutil.which("uv"):
        commands = [
            [uv, "venv", "--quiet", "--no-cache", "--python", sys.executable, str(environment)],
            [uv, "pip", "install", "--quiet", "--no-cache", "--python", str(python), *requirements],
        ]
    else:
        commands = [
            [sys.executable, "-m", "venv", str(environment)],
            [str(python), "-m", "pip", "install", "--quiet", "--no-cache-dir", *requirements],
        ]
    for command in commands:
        if _run_to_end(command):
            version = ".".join(map(str, sys.version_info[:2]))
            raise InstallationError(
                f"torch {release} could not be installed for Python {version} (see above); name a release "
                "that has a build for it, or start this with another Python"
            )
    return python


def _run_to_end(command: Sequence[str]) -> int:
    """Run a command to its end; if this process is interrupted, end the command first."""
    environment = {name: value for name, value in os.environ.items() if name not in _MISLEADING}
    with subprocess.Popen(command, cwd=CHECKOUT, env=environment) as process:
        try:
            return process.wait()
        except BaseException:
            process.terminate()
            try:
                process.wait(_SECONDS_TO_END)
            except subprocess.TimeoutExpired:
                process.kill()
            raise
