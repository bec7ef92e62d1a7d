"""What the tests of the history begin with."""

from __future__ import annotations

from pathlib import Path

import pytest
from history_specimens import corpus


@pytest.fixture
def cases(tmp_path: Path) -> Path:
    return corpus(tmp_path)
