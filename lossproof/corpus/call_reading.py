"""Reads the call of a case: the constructor's keywords, and forward's arguments."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from lossproof.corpus.case import Parameter
from lossproof.corpus.complaints import Notes
from lossproof.corpus.fields import (
    describe,
    is_refused,
    note_unknown,
    read_boolean,
    read_mapping,
    read_number,
    read_text,
    read_whole,
    read_word,
)
from lossproof.corpus.keys import COMMON_PARAMETERS
from lossproof.corpus.nodes import ListNode, MappingNode, Node, RefusedNode, ScalarNode
from lossproof.corpus.numeral import Numeral
from lossproof.corpus.scalars import Meaning, is_hexadecimal, meaning
from lossproof.corpus.tensor_reading import read_tensor
from lossproof.corpus.tensors import Tensor
from lossproof.corpus.whole_numbers import demand_whole_arguments, demand_whole_numbers
from lossproof.reference.loss import Loss
from lossproof.reference.option import Kind, Option, boolean, word


def read_params(
    node: Node, what: str, loss: Loss | None, notes: Notes, wants_refusal: bool
) -> dict[str, Parameter]:
    """The constructor's keywords; where a refusal is expected, any names and values will do."""
    fields = read_mapping(node, what, notes)
    if loss is None:
        return {name: _read_any(fields[name], f"{what}.{name}", notes) for name in fields}
    known = _known_parameters(loss)
    if not wants_refusal:
        for name in fields:
            if name not in known:
                note_unknown(fields, name, f"parameter of the loss ({what})", known, notes)
    return {
        name: _read_parameter(fields[name], f"{what}.{name}", known.get(name), notes, wants_refusal)
        for name in fields
    }


def _known_parameters(loss: Loss) -> dict[str, Option]:
    reduction, *legacy = COMMON_PARAMETERS
    common = {reduction: word("mean", loss.results), **dict.fromkeys(legacy, boolean(None))}
    return {**loss.typed_parameters, **common}


def _read_parameter(
    node: Node, what: str, option: Option | None, notes: Notes, wants_refusal: bool
) -> Parameter:
    if option is None:
        return _read_any(node, what, notes)
    before = len(notes)
    value = _read_any(node, what, notes) if wants_refusal else _read_kind(node, what, option, notes)
    if option.kind is Kind.WHOLES and isinstance(value, Tensor) and len(notes) == before:
        demand_whole_numbers(value, what, node.place, wants_refusal, notes)
        if not wants_refusal and len(value.shape) != 1:
            notes.add(node.place, f"{what} is not a list of numbers", "write it like [2, 5]")
    return value


def _read_kind(node: Node, what: str, option: Option, notes: Notes) -> Parameter:
    """A value of the kind that the loss demands."""
    is_null = isinstance(node, ScalarNode) and not node.quoted and meaning(node.text) is Meaning.NULL
    if is_null and option.may_be_null:
        return None
    if is_null:
        notes.add(node.place, f"{what} is null but must be {option.wanted}", "write one, or leave it out")
        return None
    if option.kind is Kind.WORD:
        return read_word(node, what, option.known, notes)
    before = len(notes)
    value = _READERS[option.kind](node, what, notes)
    is_one = not option.known or not isinstance(value, Numeral) or value.exact in option.known
    if isinstance(value, Numeral) and not is_one and len(notes) == before:
        notes.add(node.place, f"{what} is {value.text} but must be {option.wanted}", "write one of these")
    return value


def _read_tensor_parameter(node: Node, what: str, notes: Notes) -> Tensor | None:
    """A tensor; a bare number is not one here, unlike among the arguments."""
    if isinstance(node, (ListNode, MappingNode)):
        return read_tensor(node, what, notes)
    if not is_refused(node, what, notes):
        remedy = "write it in brackets, or like {fill: 2, shape: []} if it has no dimensions"
        notes.add(node.place, f"{what} is {describe(node)} but must be a tensor", remedy)
    return None


_READERS: Mapping[Kind, Callable[[Node, str, Notes], Parameter]] = {
    Kind.WHOLE: read_whole,
    Kind.REAL: read_number,
    Kind.BOOLEAN: read_boolean,
    Kind.TENSOR: _read_tensor_parameter,
    Kind.WHOLES: _read_tensor_parameter,
}


def _read_any(node: Node, what: str, notes: Notes) -> Parameter:
    """A value of the kind that its text suggests."""
    if isinstance(node, (ListNode, MappingNode)):
        return read_tensor(node, what, notes)
    if isinstance(node, RefusedNode) or is_refused(node, what, notes):
        return None
    kind = Meaning.STRING if node.quoted else meaning(node.text)
    if kind is Meaning.NUMBER or is_hexadecimal(node.text):
        return read_number(node, what, notes)
    if kind is Meaning.BOOLEAN:
        return node.text == "true"
    if kind is Meaning.NULL:
        return None
    return read_text(node, what, notes)


def read_args(
    node: Node, what: str, loss: Loss | None, notes: Notes, wants_refusal: bool
) -> dict[str, Tensor]:
    """All of forward's arguments; where a refusal is expected, others may be among them."""
    before = len(notes)
    fields = read_mapping(node, what, notes)
    args = {name: read_tensor(fields[name], f"{what}.{name}", notes) for name in fields}
    if loss is None:
        return args
    for name in fields if not wants_refusal else ():
        if name not in loss.arguments:
            note_unknown(fields, name, f"argument of the loss ({what})", loss.arguments, notes)
    for name in loss.arguments if isinstance(node, MappingNode) else ():
        if name not in fields:
            notes.add(fields.place, f"{what} lacks the argument '{name}'", f"add '{name}: ...'")
    if len(notes) == before:
        places = {name: fields[name].place for name in fields}
        demand_whole_arguments(args, what, places, loss, wants_refusal, notes)
    return args
