"""Snippets of records, run as somebody would who pastes them."""

from __future__ import annotations

import base64
import contextlib
import io
import math
import struct
import warnings
import zlib
from collections.abc import Sequence
from typing import Any

import torch

from lossproof.records.outcome import Outcome
from lossproof.records.record import Record


def outcome_of(record: Record) -> str:
    """``passes``, or the name of what the record's snippet raises."""
    assert record.detail is not None
    return outcome_of_snippet(record.detail["snippet"])


def outcome_of_snippet(snippet: str) -> str:
    """The same of a snippet; what it changes in torch is undone."""
    threads = torch.get_num_threads()
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()) as printed:
            warnings.simplefilter("ignore")  # some of torch's losses warn as they should
            exec(snippet, {"__name__": "snippet"})
    except Exception as error:
        return type(error).__name__
    finally:
        torch.set_num_threads(threads)
    assert printed.getvalue(), "a snippet shows what it got"
    return "passes"


def fails_as_told(record: Record) -> bool:
    """Whether the snippet fails as its record says: by an assertion, or with the exception that it names."""
    outcome = outcome_of(record)
    return (
        outcome == "AssertionError"
        if record.outcome in ("disagree", Outcome.CHANGED_CONVENTION)
        else f"raised {outcome}:" in record.message
    )


def lines_pass(lines: Sequence[str], **tensors: Any) -> bool:
    """Whether the assertions of some lines hold, on tensors of these names and numbers."""
    scope: dict[str, Any] = {"math": math, "base64": base64, "struct": struct, "zlib": zlib}
    scope |= {name: torch.as_tensor(numbers, dtype=torch.float64) for name, numbers in tensors.items()}
    try:
        exec("\n".join(lines), scope)
    except AssertionError:
        return False
    return True
