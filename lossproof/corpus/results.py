"""Reads the results that a case states: expected numbers, gradients, identities, errata."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from lossproof.corpus.call_reading import read_args, read_params
from lossproof.corpus.case import Erratum, Identity, Parameter, Printed, Term
from lossproof.corpus.complaints import Notes
from lossproof.corpus.fields import Fields, describe, note_unknown, read_fields, read_mapping
from lossproof.corpus.keys import ERRATUM, IDENTITY, PRINTED, TERM
from lossproof.corpus.nodes import ListNode, MappingNode, Node, ScalarNode
from lossproof.corpus.scalars import Meaning, meaning
from lossproof.corpus.tensor_reading import read_literal
from lossproof.corpus.tensors import Tensor
from lossproof.corpus.whole_numbers import demand_whole_arguments
from lossproof.numbers.formats import FORMATS
from lossproof.reference.catalogue import LOSSES
from lossproof.reference.loss import Loss


@dataclass(frozen=True)
class Context:
    """The call of the case whose results are read.

    ``loss`` is None if it is unknown, which already has a complaint. The case runs in ``reductions`` and
    ``dtypes``. ``is_read`` says whether ``params`` and ``args`` were read without complaint.
    """

    loss: Loss | None
    reductions: tuple[str, ...]
    dtypes: tuple[str, ...]
    params: Mapping[str, Parameter]
    args: Mapping[str, Tensor]
    is_read: bool


def read_expect(node: Node, context: Context, notes: Notes) -> dict[str, tuple[Printed, ...]]:
    """Expected outputs by reduction."""
    fields = _by_reduction(node, "expect", context, notes)
    return {name: _read_printed(fields[name], f"expect.{name}", context, notes) for name in fields}


def read_gradient(node: Node, context: Context, notes: Notes) -> dict[str, dict[str, tuple[Printed, ...]]]:
    """Expected gradients by reduction and by argument or tensor parameter."""
    tensors = [*context.args, *(name for name, value in context.params.items() if isinstance(value, Tensor))]
    fields = _by_reduction(node, "gradient", context, notes)
    gradients = {}
    for reduction in fields:
        what = f"gradient.{reduction}"
        by_name = read_mapping(fields[reduction], what, notes)
        for name in by_name:
            if name not in tensors:
                note_unknown(
                    by_name, name, f"argument or tensor parameter of the case ({what})", tensors, notes
                )
        gradients[reduction] = {
            name: _read_printed(by_name[name], f"{what}.{name}", context, notes) for name in by_name
        }
    return gradients


def _by_reduction(node: Node, what: str, context: Context, notes: Notes) -> Fields:
    fields = read_mapping(node, what, notes)
    for name in fields if context.loss is not None else ():
        if name not in context.reductions:
            note_unknown(fields, name, f"reduction that the case runs in ({what})", context.reductions, notes)
    return fields


def _read_printed(node: Node, what: str, context: Context, notes: Notes) -> tuple[Printed, ...]:
    if not isinstance(node, MappingNode):
        return (_read_numbers(node, what, None, notes),)
    fields = read_fields(node, what, PRINTED, notes)
    for dtype in fields:
        if dtype in FORMATS and dtype not in context.dtypes:
            problem = f"{what} names {dtype}, in which the case does not run"
            fields.complain(dtype, problem, "remove it or add it to 'dtypes'")
    return tuple(
        _read_numbers(fields[key], f"{what}.{key}", None if key == "digits" else key, notes)
        for key in PRINTED.optional
        if key in fields
    )


def _read_numbers(node: Node, what: str, dtype: str | None, notes: Notes) -> Printed:
    literal = read_literal(node, what, notes)
    return Printed(literal.values, literal.shape, dtype)


def read_erratum(node: Node, context: Context, notes: Notes) -> Erratum:
    """A document's wrong statement: numbers by reduction, or a text."""
    fields = read_fields(node, "erratum", ERRATUM, notes)
    because, says = fields.text("because"), fields["says"]
    if isinstance(says, MappingNode):
        numbers = _by_reduction(says, "erratum.says", context, notes)
        printed = {
            name: _read_numbers(numbers[name], f"erratum.says.{name}", None, notes) for name in numbers
        }
        return Erratum(printed, "", because)
    is_text = isinstance(says, ScalarNode) and (says.quoted or meaning(says.text) is not Meaning.NUMBER)
    if isinstance(says, ListNode) or (isinstance(says, ScalarNode) and not is_text):
        problem = f"erratum.says is {describe(says)} but must be numbers by reduction, or a text"
        notes.add(says.place, problem, 'write it like {mean: 1.8} or "the text"')
        return Erratum({}, "", because)
    return Erratum({}, fields.text("says"), because)


def read_identity(node: Node, what: str, context: Context, notes: Notes) -> Identity:
    """A sum of calls that must equal the case's own, or differ from it."""
    fields = read_fields(node, what, IDENTITY, notes)
    why, reductions = fields.text("why"), fields.words("reductions", context.reductions) or None
    if "sum" not in fields:
        terms: tuple[Term, ...] = (_read_term(fields, what, context, notes),)
        return Identity(terms, reductions, why)
    for key in TERM.optional:
        if key in fields:
            problem = f"{what} has both 'sum' and '{key}'"
            fields.complain(key, problem, f"move '{key}' into the terms of 'sum'")

    def read_item(item: Node, name: str) -> Term:
        return _read_term(read_fields(item, name, TERM, notes), name, context, notes)

    items = enumerate(fields.items("sum"))
    return Identity(tuple(read_item(item, f"{what}.sum[{place}]") for place, item in items), reductions, why)


def _read_term(fields: Fields, what: str, context: Context, notes: Notes) -> Term:
    if not any(key in fields for key in TERM.optional):
        problem = f"{what} changes nothing of the case's call"
        notes.add(fields.place, problem, f"give one of {', '.join(TERM.optional)}")
        return Term()
    name = fields.word("loss", LOSSES) if "loss" in fields else None
    loss = context.loss if name is None else LOSSES.get(name)
    params = read_params(fields["params"], f"{what}.params", loss, notes, False) if "params" in fields else {}
    args = read_args(fields["args"], f"{what}.args", loss, notes, False) if "args" in fields else None
    reduction = None
    if "reduction" in fields:
        reduction = fields.word("reduction", loss.results if loss is not None else context.reductions)
    if name is not None and loss is not None:
        _check_inherited(loss, args, fields, what, context, notes)
    return Term(name, reduction, params, args)


def _check_inherited(
    loss: Loss, args: Mapping[str, Tensor] | None, fields: Fields, what: str, context: Context, notes: Notes
) -> None:
    """Complain about a term whose loss cannot take the case's arguments, which it inherits."""
    if args is not None:
        return
    if set(context.args) != set(loss.arguments):
        problem = f"{what}: {loss.name} does not take the case's arguments"
        notes.add(fields.place, problem, f"give 'args' with {', '.join(loss.arguments)}")
    elif context.is_read:
        places = dict.fromkeys(context.args, fields.place)
        demand_whole_arguments(
            context.args, f"{what} takes the case's args, and args", places, loss, False, notes
        )
