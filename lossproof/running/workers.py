"""What is said of workers that pytest-xdist cannot start as an option asks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest


@contextmanager
def named_workers(config: pytest.Config) -> Iterator[None]:
    """Turn whatever goes wrong inside into a sentence, if an option says where workers are."""
    try:
        yield
    except (pytest.UsageError, pytest.exit.Exception):
        raise
    except Exception as problem:
        named = config.getoption("tx", None)
        if not named:
            raise
        # A worker that fails sends its whole traceback, and what happened comes last.
        *_, reason = ["", *filter(None, str(problem).splitlines())]
        raise pytest.UsageError(
            f"the workers of --tx {' '.join(named)} cannot be started ({type(problem).__name__}: {reason}); "
            "write it like --tx 2*popen or --tx ssh=HOST, as pytest-xdist does"
        ) from None
