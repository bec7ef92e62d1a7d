"""What many tests begin with. Hypothesis draws the same on every machine, and leaves nothing behind."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import flint
import pytest
from hypothesis import HealthCheck, settings
from suite_runs import Suite

settings.register_profile(
    "lossproof",
    derandomize=True,
    deadline=None,
    database=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.too_slow],  # slow machines draw slowly, and that is no fault
)
settings.load_profile("lossproof")


@pytest.fixture(scope="module")
def sharp_balls() -> Iterator[None]:
    """The precision that ``certified`` begins with, for what a test computes by itself."""
    with flint.ctx.workprec(192):
        yield


@pytest.fixture
def suite(tmp_path: Path) -> Suite:
    """A small corpus, over which a test runs the suite."""
    return Suite(tmp_path)
