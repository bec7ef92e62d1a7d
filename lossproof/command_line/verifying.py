"""``verify``: the suite, as a run of pytest."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import pytest

from lossproof.command_line.progress import PlainLines, TerminalLine

# A worker on another machine has the package elsewhere: hence a name, not a path. It is not sent files that
# stand alone as arguments: hence values that are joined to their options.
_HARNESS = ("--pyargs", "lossproof.running.conformance", "-p", "lossproof.running.plugin", "--rootdir=.")
# Whatever folder this is, its settings of pytest are for other tests. Capturing log messages costs a tenth of
# the run, and so does Hypothesis; the harness uses neither.
_APART = (f"-c{os.devnull}", "--noconftest", "-p", "no:logging", "-p", "no:hypothesispytest")

# 0: everything conforms; 1: something disagrees, errs or did not run; 2: a mistake in a case or an option.
_STATUS = {
    pytest.ExitCode.OK: 0,
    pytest.ExitCode.TESTS_FAILED: 1,
    pytest.ExitCode.NO_TESTS_COLLECTED: 1,
    pytest.ExitCode.USAGE_ERROR: 2,
    pytest.ExitCode.INTERRUPTED: 130,
}


def verify(options: Sequence[str]) -> int:
    """Run the harness with pytest's options, and return the exit status."""
    has_own_workers = any(option.startswith("--tx") for option in options)
    workers = ("--dist", "load") if has_own_workers else ("--numprocesses", "auto")
    arguments = [*_HARNESS, *_APART, "-q", *workers, *options]
    # pytest captures standard output while tests run, so the progress is written to a duplicate of it.
    with os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding=sys.stdout.encoding) as stream:
        progress = TerminalLine(stream) if sys.stdout.isatty() else PlainLines(stream)
        try:
            return _status(pytest.main(arguments, plugins=[progress]))
        except pytest.exit.Exception as end:  # terminated when pytest no longer expects it
            print(end, file=sys.stderr)
            return _status(end.returncode or pytest.ExitCode.INTERRUPTED)


def _status(status: int | pytest.ExitCode) -> int:
    # A run that a signal ended has the status that shells expect, which is not one of pytest's.
    return int(status) if status > 128 else _STATUS.get(pytest.ExitCode(status), 1)
