"""The messages between lossproof and a runner; ``messages.schema.json`` describes their form."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy.typing as npt
from packaging.version import InvalidVersion, Version

from lossproof.adapters.features import FEATURES
from lossproof.adapters.parameters import stated_types
from lossproof.adapters.schema import complaint
from lossproof.adapters.tensor_json import NoAnswer, number_of, number_text, tensor_json, tensor_of
from lossproof.corpus.complaints import quoted, suggestion
from lossproof.numbers.formats import FORMATS, Float64Array
from lossproof.reference.catalogue import LOSSES
from lossproof.reference.option import Kind, Option
from lossproof.subjects.call import REFUSED, Call, Refused, Unsupported, Values

START: Mapping[str, Any] = {"cmd": "start", "version": 1}
STOP: Mapping[str, Any] = {"cmd": "stop"}


@dataclass(frozen=True)
class Announced:
    """One loss of a runner: the parameters that it takes, and the values of those that it does not."""

    parameters: tuple[str, ...]
    fixed: Mapping[str, Any]


@dataclass(frozen=True)
class Announcement:
    """What a runner says that it is."""

    name: str
    version: str
    language: str
    dtypes: tuple[str, ...]
    losses: Mapping[str, Announced]
    lacks: tuple[str, ...]
    tracker: str = ""


@dataclass(frozen=True)
class Computed:
    """What a runner computed: the value, and the gradients by name; each array comes with its dtype."""

    value: tuple[npt.NDArray[Any], str]
    gradients: Mapping[str, tuple[npt.NDArray[Any], str]]


def line_of(message: Mapping[str, Any]) -> str:
    """A message as one line, without its end."""
    return json.dumps(message, allow_nan=False)


def run_message(call: Call, seq: int, parameters: Mapping[str, Any], upstream: Float64Array | None) -> Any:
    """The message that asks for a forward pass, and for a backward pass if there is an upstream gradient.

    It never asks for two backward passes: each belongs to a forward pass of its own, so that a runner may be
    a plain function, and keeps nothing from one message to the next.
    """
    message: dict[str, Any] = {
        "cmd": "run",
        "seq": seq,
        "loss": call.loss,
        "dtype": call.dtype,
        "parameters": {name: _parameter(call.loss, name, value) for name, value in parameters.items()},
        "arguments": {name: tensor_json(values) for name, values in call.args.items()},
    }
    if upstream is not None and call.wrt:
        message["wrt"] = list(call.wrt)
        message["upstream"] = tensor_json(Values(upstream, call.upstream_dtype))
    return message


def announcement_of(line: bytes) -> Announcement:
    """The answer to the message ``start``.

    Raises:
        NoAnswer: if it has another form, or names a dtype, loss, parameter or feature that does not exist.
    """
    message = _message(line)
    _demand(complaint(message, "announcement"))
    try:
        Version(message["version"])
    except InvalidVersion:
        raise NoAnswer(f"version is {quoted(message['version'])}; write one such as 1.2.0rc1") from None
    lacks = message.get("lacks", [])
    _demand_known("dtypes", message["dtypes"], FORMATS)
    _demand_known("losses", message["losses"], LOSSES)
    _demand_known("lacks", lacks, FEATURES)
    losses = {name: _announced(name, loss) for name, loss in message["losses"].items()}
    texts = (message["name"], message["version"], message["language"])
    return Announcement(*texts, tuple(message["dtypes"]), losses, tuple(lacks), message.get("tracker", ""))


def answer_of(line: bytes, request: Mapping[str, Any]) -> Computed | Refused | Unsupported:
    """The answer to a ``run`` message.

    Raises:
        NoAnswer: if it has another form, or answers another message.
    """
    message = _message(line)
    kinds = [kind for kind in ("value", "refused", "unsupported") if kind in message]
    if len(kinds) != 1:
        raise NoAnswer(f"it has {' and '.join(kinds) or 'none'} of value, refused and unsupported; give one")
    _demand(complaint(message, "computed" if kinds == ["value"] else kinds[0]))
    if message["seq"] != request["seq"]:
        raise NoAnswer(f"seq is {message['seq']}, but message {request['seq']} is due; answer in order")
    if "unsupported" in message:
        return Unsupported(message["unsupported"])
    if "refused" in message:
        return Refused(REFUSED, message["refused"], "call")
    gradients = message.get("gradients", {})
    if unasked := [name for name in gradients if name not in request.get("wrt", [])]:
        raise NoAnswer(f"gradients.{unasked[0]} was not asked for; leave it out")
    return Computed(
        tensor_of(message["value"], "value"),
        {name: tensor_of(tensor, f"gradients.{name}") for name, tensor in gradients.items()},
    )


def _message(line: bytes) -> Any:
    try:
        message = json.loads(line, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        text = quoted(line.decode("utf-8", "backslashreplace").strip())
        raise NoAnswer(f"it is {text}, which is no JSON; print whatever is no answer to stderr") from None
    if not isinstance(message, dict):
        raise NoAnswer(f"it is {quoted(line.decode().strip())}; it must be an object")
    return message


def _refuse_constant(name: str) -> None:
    raise ValueError(f"JSON has no {name}")


def _demand(complaint: str) -> None:
    if complaint:
        raise NoAnswer(complaint)


def _demand_known(key: str, names: Iterable[str], known: Iterable[str]) -> None:
    for name in names:
        if name not in known:
            raise NoAnswer(f"{key} names {quoted(name)}, which does not exist; {suggestion(name, known)}")


def _announced(name: str, loss: Mapping[str, Any]) -> Announced:
    types = stated_types(name)
    fixed = loss.get("fixed", {})
    _demand_known(f"losses.{name}.parameters", loss["parameters"], types)
    _demand_known(f"losses.{name}.fixed", fixed, types)
    values = {one: _value(types[one], value, f"losses.{name}.fixed.{one}") for one, value in fixed.items()}
    return Announced(tuple(loss["parameters"]), values)


def _value(option: Option, text: Any, place: str) -> Any:
    """The value of a parameter that a message states."""
    if not isinstance(text, str) or option.kind not in (Kind.REAL, Kind.WHOLE):
        return text
    if option.kind is Kind.WHOLE and text.removeprefix("-").isdecimal():
        return int(text)
    number = number_of(text) if option.kind is Kind.REAL else None
    if number is None:
        example = "a C hexadecimal float, such as 0x1p-1" if option.kind is Kind.REAL else "a decimal integer"
        raise NoAnswer(f"{place} is {quoted(text)}; write {example}")
    return number


def _parameter(loss: str, name: str, value: Any) -> Any:
    """The value of a parameter in a message: a whole number is decimal, and a real one hexadecimal."""
    if isinstance(value, Values):
        return tensor_json(value)
    if value is None or isinstance(value, (bool, str)):
        return value
    is_real = stated_types(loss)[name].kind is Kind.REAL
    if isinstance(value, int) and not (is_real and abs(value) <= sys.float_info.max):
        return str(value)
    return number_text(float(value))
