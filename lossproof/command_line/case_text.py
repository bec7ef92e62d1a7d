"""Writes tensors, parameters and texts in the format of case files."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence

from lossproof.corpus.case import Parameter
from lossproof.corpus.complaints import Notes
from lossproof.corpus.nodes import MappingNode, ScalarNode, parse_tree
from lossproof.corpus.numeral import Numeral
from lossproof.corpus.scalars import Meaning, is_hexadecimal, meaning
from lossproof.corpus.tensors import Literal, Shape, Tensor


def case_text(value: Parameter | int | tuple[Parameter | int, ...], most: int | None = None) -> str:
    """A parameter, a tensor or a part of one on one line, in the format of case files.

    A list of more than ``most`` numbers ends with its shape.
    """
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Numeral):
        return number(value)
    if isinstance(value, str):
        return text(value, in_braces=True)
    if isinstance(value, int):
        return str(value)
    if isinstance(value, tuple):
        return f"[{', '.join(case_text(item, most) for item in value)}]"
    return tensor(value, most)


def tensor(value: Tensor, most: int | None = None) -> str:
    """A tensor in its form in the case."""
    if isinstance(value, Literal) and value.dtype is None:
        return nested([number(one) for one in value.values], value.shape, most)
    return braces({key: case_text(part, most) for key, part in value.words.items()})


def nested(texts: Sequence[str], shape: Shape, most: int | None = None) -> str:
    """Numbers in nested brackets, or the first ones and the shape if there are more than ``most``."""
    if most is not None and len(texts) > most:
        return f"[{', '.join(texts[:most])}, ...] ({'x'.join(map(str, shape))} numbers)"
    if not shape:
        return texts[0]
    if len(shape) == 1:
        return f"[{', '.join(texts)}]"
    step = len(texts) // shape[0] if shape[0] else 0
    rows = (nested(texts[row * step : (row + 1) * step], shape[1:]) for row in range(shape[0]))
    return f"[{', '.join(rows)}]"


def number(value: Numeral) -> str:
    """A number; hexadecimal floats are in quotes."""
    return f"'{value.text}'" if is_hexadecimal(value.text) else value.text


def mapping(values: Mapping[str, Parameter]) -> str:
    """Names and their values in braces."""
    return braces({name: case_text(value) for name, value in values.items()})


def braces(texts: Mapping[str, str]) -> str:
    """Names and the texts of their values in braces."""
    return f"{{{', '.join(f'{name}: {value}' for name, value in texts.items())}}}"


def text(words: str, in_braces: bool = False) -> str:
    """A text, in quotes if it would otherwise be read as something else."""
    line = f"{{key: {words}}}" if in_braces else f"key: {words}"
    notes = Notes("")
    root = parse_tree(line, notes)
    node = root.entries["key"].value if isinstance(root, MappingNode) and "key" in root.entries else None
    is_itself = isinstance(node, ScalarNode) and not node.quoted and node.text == words and not len(notes)
    is_single = isinstance(root, MappingNode) and len(root.entries) == 1
    if is_itself and is_single and meaning(words) is Meaning.STRING:
        return words
    return json.dumps(words, ensure_ascii=False)


def wrapped(line: str, width: int) -> list[str]:
    """A line of a case in lines of a width: lists and braces continue below, two spaces in; texts stay.

    >>> wrapped("args: {input: [1, 2, 3]}", 18)
    ['args: {input: [1,', '  2, 3]}']
    """
    value = line.partition(": ")[2]
    if len(line) <= width or not value.startswith(("[", "{")):
        return [line]
    lines = [""]
    for part in _parts(line):
        if lines[-1].strip() and len(lines[-1] + part.rstrip()) > width:
            lines[-1] = lines[-1].rstrip()
            lines.append("  ")
        lines[-1] += part
    return lines


def _parts(line: str) -> Iterator[str]:
    """The parts of a line between which it may be broken: each ends with a comma outside of quotes."""
    start, quote = 0, ""
    for place, sign in enumerate(line):
        if quote:
            quote = "" if sign == quote and line[place - 1] != "\\" else quote
        elif sign in "'\"":
            quote = sign
        elif sign == "," and line[place + 1 : place + 2] == " ":
            yield line[start : place + 2]
            start = place + 2
    yield line[start:]
