"""A program in any language that is named on the command line; ``docs/any-language.md`` is its guide."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Mapping
from typing import Any

from lossproof.adapters.command_programs import CommandPrograms
from lossproof.adapters.features import lacking
from lossproof.adapters.messages import (
    START,
    STOP,
    Announcement,
    Computed,
    announcement_of,
    answer_of,
    line_of,
    run_message,
)
from lossproof.adapters.parameters import named, taken_parameters
from lossproof.adapters.runner import Gone, Runner
from lossproof.adapters.schema import complaint
from lossproof.adapters.tensor_json import NoAnswer
from lossproof.numbers.formats import FORMATS, PARTS, Float64Array
from lossproof.subjects.call import (
    NO_ANSWER,
    PROCESS_ENDED,
    Call,
    Observation,
    Refused,
    Unsupported,
    dtypes_of,
)
from lossproof.subjects.subject import Subject

# Shorter than a trial may take, so that a call without an answer costs only itself.
_SECONDS = 30.0
_SHOWN_CHARACTERS = 200
_REASON = re.compile("error|exception|panic|assert", re.IGNORECASE)


class CommandSubject(Subject):
    """A runner: a program that reads calls from its stdin, and writes what it computed to its stdout.

    Whatever it does wrong is the result of one call. The next call starts it again.

    Args:
        command: the program and its arguments, as a shell would part them; no shell runs it.
        seconds: how long each answer may take.
        checks_messages: whether lossproof's own messages are held against the schema, as the answers are.
        announcement: what the runner says that it is; by default, it is started and asked.

    Attributes:
        command: the program and its arguments.
        seconds: how long each answer may take.
        announcement: what it says that it is.
        failed: the latest message to which no numbers came.
        is_malformed: whether something came that is no answer.

    Raises:
        ValueError: if the command cannot be parted, or is empty.
        Refused: if it cannot be started, or does not say what it is.
    """

    layouts = ("contiguous",)

    def __init__(
        self,
        command: str,
        seconds: float = _SECONDS,
        checks_messages: bool = False,
        announcement: Announcement | None = None,
    ) -> None:
        self._arguments = command, seconds, checks_messages
        self.command = tuple(shlex.split(command))
        if not self.command:
            raise ValueError("it names no program")
        self.seconds = seconds
        self._checks_messages = checks_messages
        self._runner: Runner | None = None
        self._seq = 0
        self.failed: Mapping[str, Any] | None = None
        self.is_malformed = False
        self.announcement = self._start() if announcement is None else announcement
        self.name = self.announcement.name
        self.dtypes = self.announcement.dtypes
        self.language = self.announcement.language
        self.tracker = self.announcement.tracker
        self.programs = CommandPrograms(self)

    def __reduce__(self) -> tuple[type[CommandSubject], tuple[Any, ...]]:
        # Another process starts a runner of its own.
        return type(self), (*self._arguments, self.announcement)

    def version(self) -> str:
        return self.announcement.version

    def has_loss(self, loss: str) -> bool:
        return loss in self.announcement.losses

    def lacks(self, call: Call) -> str:
        if not self.has_loss(call.loss):
            return f"{self.name} has no {call.loss}"
        if reason := lacking(call, self.announcement.lacks):
            return f"{self.name} {reason}"
        for dtype in (*dtypes_of(call).values(), call.upstream_dtype):
            if PARTS.get(dtype, dtype) in set(FORMATS) - set(self.dtypes):
                return f"{self.name} has no {dtype}"
        try:
            self.parameters(call)
        except Unsupported as unsupported:
            return str(unsupported)
        return ""

    def parameters(self, call: Call) -> dict[str, Any]:
        """The parameters that it is sent; raises Unsupported if the call needs another one."""
        loss = self.announcement.losses[call.loss]
        return taken_parameters(call, named(loss.parameters), loss.fixed, self.name)

    def run(self, call: Call) -> Observation:
        """Send a message for each upstream gradient, and one if there is none."""
        if reason := self.lacks(call):
            raise Unsupported(reason)
        first, *others = call.upstreams or (None,)
        answers = [self._ask(call, first)]
        if answers[0].gradients:
            answers += [self._ask(call, upstream) for upstream in others]
        value, dtype = answers[0].value
        found = [answer.gradients for answer in answers if answer.gradients]
        sets = tuple({name: numbers for name, (numbers, _) in gradients.items()} for gradients in found)
        dtypes = {name: dtype for gradients in found for name, (_, dtype) in gradients.items()}
        return Observation(value, dtype, sets, gradient_dtypes=dtypes)

    def close(self) -> None:
        """End the runner, if it runs; the next call starts it again."""
        if self._runner is not None:
            self._runner.close(line_of(STOP))
            self._runner = None

    def _start(self) -> Announcement:
        try:
            self._runner = Runner(self.command, self.seconds)
        except OSError as error:
            raise Refused(PROCESS_ENDED, f"it cannot be started: {error.strerror}", "call") from None
        self._seq = 0
        try:
            return announcement_of(self._runner.ask(line_of(START)))
        except (Gone, NoAnswer) as problem:
            raise self._given_up(problem, "the answer to start is wrong") from None

    def _ask(self, call: Call, upstream: Float64Array | None) -> Computed:
        if self._runner is None:
            self._start()
        assert self._runner is not None
        self._seq += 1
        message = run_message(call, self._seq, self.parameters(call), upstream)
        if self._checks_messages and (mistake := complaint(message, "run")):
            raise Refused(NO_ANSWER, f"message {self._seq} of lossproof itself is wrong: {mistake}", "call")
        try:
            answer = answer_of(self._runner.ask(line_of(message)), message)
            self._runner.demand_silence()
        except (Gone, NoAnswer) as problem:
            self.failed, self.is_malformed = message, isinstance(problem, NoAnswer)
            raise self._given_up(problem, f"the answer to message {self._seq} is wrong") from None
        sys.stderr.write(self._runner.take_printed())
        if isinstance(answer, Computed):
            return answer
        self.failed, self.is_malformed = message, False
        raise answer

    def _given_up(self, problem: Gone | NoAnswer, where: str) -> Refused:
        """End the runner: after an answer that is none, nobody knows what it answers next."""
        assert self._runner is not None
        printed = self._runner.take_printed()
        self._runner.close()
        self._runner = None
        sys.stderr.write(printed)
        end = f"; its stderr: {_shortened(printed)}" if printed.strip() else ""
        if isinstance(problem, NoAnswer):
            return Refused(NO_ANSWER, f"{where}: {problem}{end}", "call")
        return Refused(PROCESS_ENDED, f"{problem}{end}", "call")


def _shortened(printed: str) -> str:
    """The end of what was printed, and the reason, which some languages print before the stack."""
    lines = [line.strip() for line in printed.splitlines() if line.strip()]
    text = " | ".join(lines)
    if len(text) <= _SHOWN_CHARACTERS:
        return text
    reasons = [line for line in lines if _REASON.search(line) and line not in text[-_SHOWN_CHARACTERS:]]
    start = f"{reasons[-1][:_SHOWN_CHARACTERS]} " if reasons and not _REASON.search(lines[-1]) else ""
    return f"{start}...{text[-_SHOWN_CHARACTERS:]}"
