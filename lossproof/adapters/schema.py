"""Holds a message against ``messages.schema.json``, and says what is wrong and where.

It knows the few words of JSON Schema that the file uses. The file's descriptions complete the sentence "it
must be ...".
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from lossproof.corpus.complaints import quoted

_FILE = Path(__file__).with_name("messages.schema.json")
_TYPES: Mapping[str, Callable[[Any], bool]] = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "null": lambda value: value is None,
}


def complaint(message: Any, definition: str) -> str:
    """The first thing that is wrong with a message, or an empty text.

    >>> complaint({"seq": 1, "refuse": "no"}, "refused")
    "it lacks 'refused'; it must be an object with seq and refused"
    >>> complaint({"seq": "1", "refused": "no"}, "refused")
    "seq is '1'; it must be the seq of the run message"
    """
    return next(_complaints(message, {"$ref": f"#/$defs/{definition}"}, ""), "")


@cache
def _definitions() -> Mapping[str, Any]:
    definitions: Mapping[str, Any] = json.loads(_FILE.read_text(encoding="utf-8"))["$defs"]
    return definitions


def _complaints(value: Any, schema: Mapping[str, Any], place: str) -> Iterator[str]:
    schema = _resolved(schema)
    if "anyOf" in schema:
        found = [next(_complaints(value, one, place), "") for one in schema["anyOf"]]
        if all(found):
            yield " or ".join(found)
        return
    wanted = schema.get("description", schema.get("const"))
    if not _is_accepted(value, schema):
        yield f"{place or 'it'} is {_shown(value)}; it must be {wanted}"
    elif isinstance(value, dict):
        for name in schema.get("required", ()):
            if name not in value:
                yield f"{place or 'it'} lacks '{name}'; it must be {wanted}"
        for name, member in value.items():
            own = schema.get("properties", {}).get(name, schema["additionalProperties"])
            if own is False:
                yield f"{place or 'it'} has {quoted(name)}, which means nothing; it must be {wanted}"
            else:
                yield from _complaints(member, own, f"{place}.{name}" if place else name)
    elif isinstance(value, list):
        items = _resolved(schema["items"])
        # A tensor may have many thousands of elements, so those that are right are passed over here.
        is_right = re.compile(items["pattern"]).fullmatch if "pattern" in items else None
        for index, item in enumerate(value):
            if is_right is None or not isinstance(item, str) or not is_right(item):
                yield from _complaints(item, items, f"{place}[{index}]")


def _resolved(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a schema refers to, or the schema itself."""
    definition: Mapping[str, Any] = schema
    if "$ref" in schema:
        definition = _definitions()[schema["$ref"].rpartition("/")[2]]
    return definition


def _is_accepted(value: Any, schema: Mapping[str, Any]) -> bool:
    """Whether a value is right apart from what it holds."""
    types = schema.get("type", [])
    names = [types] if isinstance(types, str) else types
    if names and not any(_TYPES[name](value) for name in names):
        return False
    known = [schema["const"]] if "const" in schema else schema.get("enum", [])
    return (
        (not known or any(type(value) is type(one) and value == one for one in known))
        and ("pattern" not in schema or re.fullmatch(schema["pattern"], value) is not None)
        and ("minimum" not in schema or value >= schema["minimum"])
        and ("minItems" not in schema or len(value) >= schema["minItems"])
        and ("minProperties" not in schema or len(value) >= schema["minProperties"])
    )


def _shown(value: Any) -> str:
    return quoted(value) if isinstance(value, str) else quoted(json.dumps(value)).strip("'")
