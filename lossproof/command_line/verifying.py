"""``verify``: the suite, as a run of pytest."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from difflib import get_close_matches

import pytest

from lossproof.command_line.progress import PlainLines, TerminalLine
from lossproof.command_line.streams import LastingStream
from lossproof.command_line.terminal import complain
from lossproof.running.options import OPTIONS

# A worker on another machine has the package elsewhere: hence a name, not a path. It is not sent files that
# stand alone as arguments: hence values that are joined to their options.
_HARNESS = ("--pyargs", "lossproof.running.conformance", "-p", "lossproof.running.plugin", "--rootdir=.")
# Whatever folder this is, its settings of pytest are for other tests. Capturing log messages costs a tenth of
# the run, and so does Hypothesis; the harness uses neither. Subjects run in a second process, which keeps its
# output to itself, so that here Python's streams are enough to capture.
_APART = (f"-c{os.devnull}", "--noconftest", "-p", "no:logging", "-p", "no:hypothesispytest", "--capture=sys")

_OF_OTHER_TESTS = ("PYTEST_ADDOPTS", "PYTEST_PLUGINS", "PYTEST_DISABLE_PLUGIN_AUTOLOAD")

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
    # The environment may hold some, too.
    for name in _OF_OTHER_TESTS:
        os.environ.pop(name, None)
    # pytest captures standard output while tests run, so the progress is written to a duplicate of it. Who
    # stops reading, or a full disk, shall not cost a run: its reports hold all that is said.
    shown = sys.stdout
    with LastingStream(shown) as stream, LastingStream(shown) as output:
        progress = TerminalLine(stream) if shown.isatty() else PlainLines(stream)
        sys.stdout = output
        try:
            status = _status(pytest.main(arguments, plugins=[progress]))
        except pytest.exit.Exception as end:  # terminated when pytest no longer expects it
            print(end, file=sys.stderr)
            status = _status(end.returncode or pytest.ExitCode.INTERRUPTED)
        finally:
            sys.stdout = shown
    if problem := stream.problem or output.problem:
        complain(f"Not all output could be written ({problem}); the reports are not affected.")
    if status == _STATUS[pytest.ExitCode.USAGE_ERROR]:
        _complain_of_near_words(options)
    return status


def _complain_of_near_words(options: Sequence[str]) -> None:
    """Name the option that was meant where one of lossproof's own is misspelt."""
    for name in (option.partition("=")[0] for option in options if option.startswith("--")):
        near = [] if name in OPTIONS else get_close_matches(name, OPTIONS, n=1, cutoff=0.75)
        if near:
            complain(f"did you mean {near[0]} by {name}? 'lossproof verify --help' lists all options")


def _status(status: int | pytest.ExitCode) -> int:
    # A run that a signal ended has the status that shells expect, which is not one of pytest's.
    return int(status) if status > 128 else _STATUS.get(pytest.ExitCode(status), 1)
