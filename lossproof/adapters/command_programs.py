"""Programs that start a runner, send it the message of a call, and read its answer."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from lossproof.adapters.messages import START, STOP, line_of, run_message
from lossproof.subjects.call import Call, tensors_of
from lossproof.subjects.program import Program, Programs

if TYPE_CHECKING:
    from lossproof.adapters.command import CommandSubject

# A line that is longer is packed.
_LONGEST_LINE = 4000
_NUMBERS = "[float.fromhex(number) if 'x' in number else float(number) for number in tensor['data']]"


class CommandPrograms(Programs):
    """Programs that need the runner, and of Python only NumPy, unless the form of an answer was wrong."""

    def __init__(self, subject: CommandSubject) -> None:
        self._subject = subject

    def of_call(self, call: Call, quantity: str = "value") -> Program:
        imports = ["import json", "import subprocess"]
        if self._is_malformed(call):
            imports.append("from lossproof.adapters.messages import answer_of")
        lines = tuple(self._lines(call, quantity))
        return Program(tuple(imports), call=lines, dtype="tensor['dtype']", refusal="RuntimeError")

    def _lines(self, call: Call, quantity: str) -> Iterator[str]:
        who, (_, _, argument) = self._subject.announcement, quantity.partition(":")
        yield f"# Messages to {who.name} {who.version} ({who.language}), each a line of its stdin."
        yield f"start, stop = {line_of(START)!r}, {line_of(STOP)!r}"
        yield f"run = {_source(self._message(call, quantity))}"
        yield f"command = {list(self._subject.command)!r}"
        yield "lines = '\\n'.join([start, run, stop, ''])"
        options = f"stdout=subprocess.PIPE, text=True, timeout={self._subject.seconds:g}, check=True"
        yield f"ended = subprocess.run(command, input=lines, {options})"
        yield "line = ended.stdout.splitlines()[1]"
        if self._is_malformed(call):
            yield "answer_of(line.encode(), json.loads(run))"
        yield "answer = json.loads(line)"
        yield "if 'value' not in answer:"
        yield "    raise RuntimeError(line)"
        yield f"tensor = answer['gradients'][{argument!r}]" if argument else "tensor = answer['value']"
        is_complex = any(values.numbers.dtype.kind == "c" for values in tensors_of(call).values())
        parts = " + [2] * tensor['dtype'].startswith('complex')" if is_complex else ""
        yield f"result = numpy.array({_NUMBERS}).reshape(tensor['shape']{parts})"

    def _message(self, call: Call, quantity: str) -> str:
        """The message that was not answered, if it is about this call; else that of the quantity."""
        messages = self._messages(call)
        if self._subject.failed is not None:
            failed = line_of({**self._subject.failed, "seq": 1})
            if failed in messages:
                return failed
        return messages[-1 if quantity.startswith("vjp") else 0]

    def _messages(self, call: Call) -> list[str]:
        parameters = self._subject.parameters(call)
        upstreams = call.upstreams or (None,)
        return [line_of(run_message(call, 1, parameters, upstream)) for upstream in upstreams]

    def _is_malformed(self, call: Call) -> bool:
        failed = self._subject.failed
        if failed is None or not self._subject.is_malformed:
            return False
        return line_of({**failed, "seq": 1}) in self._messages(call)


def _source(line: str) -> str:
    """An expression for a line; a line in single quotes needs no escapes."""
    if len(line) <= _LONGEST_LINE:
        return repr(line)
    packed = base64.b85encode(zlib.compress(line.encode(), 9)).decode()
    return f"zlib.decompress(base64.b85decode({packed!r})).decode()"
