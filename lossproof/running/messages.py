"""What the second process answers, as a message to the process that controls the run.

A message is JSON, since unpickling would execute what a subject may have written in its place. It repeats the
token of its request, so that what nobody asked for is no answer. The lines of the answer's records, which are
JSON already, follow on that of the rest.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from lossproof.running.answer import Answer

LONGEST = 1 << 28  # bytes


class NoAnswer(ValueError):
    """A message that the harness has not sent; it says why."""


def message_of(token: str, answer: Answer, changes: Sequence[str]) -> bytes:
    """The message that answers a request, with the changes that the subject has made to its process."""
    first = json.dumps({"token": token, "changes": [*changes], "answer": {**vars(answer), "lines": ""}})
    return f"{first}\n{answer.lines}".encode()


def answer_in(message: bytes, token: str) -> tuple[Answer, list[str]]:
    """The answer to the request with this token, and the changes.

    Raises:
        NoAnswer: if this is not the message that the harness sends.
    """
    try:
        first, _, lines = message.decode().partition("\n")
        data: dict[str, Any] = json.loads(first)
        is_ours = data["token"] == token
        changes, answer = data["changes"], Answer.from_data({**data["answer"], "lines": lines})
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise NoAnswer("the subject wrote into the connection of the harness") from None
    if not is_ours:
        raise NoAnswer("the subject answered in place of the harness")
    return answer, changes
