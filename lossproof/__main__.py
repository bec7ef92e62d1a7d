"""``python -m lossproof verify``: run the suite. Exit status 0, 1 or 2; see the README."""

from __future__ import annotations

import argparse
import sys

import pytest

_HARNESS = "tests/test_conformance.py"

# 0: all is as it should be; 1: something disagrees, errs or did not run; 2: a mistake in a case or an option.
_STATUS = {
    pytest.ExitCode.OK: 0,
    pytest.ExitCode.TESTS_FAILED: 1,
    pytest.ExitCode.NO_TESTS_COLLECTED: 1,
    pytest.ExitCode.USAGE_ERROR: 2,
    pytest.ExitCode.INTERRUPTED: 130,
}


def main(arguments: list[str] | None = None) -> int:
    """Run the harness; what is not known here is passed on to pytest."""
    parser = argparse.ArgumentParser(prog="lossproof", description=__doc__, allow_abbrev=False)
    parser.add_argument("verb", choices=["verify"])
    _, options = parser.parse_known_args(arguments)
    # Capturing log messages costs a tenth of the run, and so does Hypothesis; the harness uses neither.
    unused = ("-p", "no:logging", "-p", "no:hypothesispytest")
    status = pytest.main([_HARNESS, "-q", *unused, *options])
    # A run that was ended by a signal has the status that shells know, which is none of pytest's.
    return status if status > 128 else _STATUS.get(pytest.ExitCode(status), 1)


if __name__ == "__main__":
    sys.exit(main())
