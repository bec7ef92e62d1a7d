"""Reads tensors: from the nodes of a case to the forms in ``tensors``."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

from lossproof.corpus.complaints import Notes, suggestion
from lossproof.corpus.fields import STAND_IN, Fields, read_fields, read_integer, read_list, read_number
from lossproof.corpus.keys import DTYPES, TENSOR_FORMS
from lossproof.corpus.nodes import ListNode, MappingNode, Node
from lossproof.corpus.numeral import Numeral
from lossproof.corpus.tensors import (
    Complex,
    Concatenate,
    Derived,
    Fill,
    Index,
    Literal,
    Patch,
    Permute,
    Reshape,
    Shape,
    Tensor,
    Uniform,
)

_MOST_ELEMENTS = 10_000_000
_MOST_DIMENSIONS = 32  # NumPy 1 has no more
_LARGEST_SEED = 2**64 - 1
_RANGES = {
    "int64": (-(2**63), 2**63 - 1),
    "int32": (-(2**31), 2**31 - 1),
    "uint8": (0, 255),
    "bool": (0, 1),
}


def read_tensor(node: Node, what: str, notes: Notes) -> Tensor:
    """A tensor in any of its forms."""
    before = len(notes)
    tensor = (
        _read_form(node, what, notes) if isinstance(node, MappingNode) else read_literal(node, what, notes)
    )
    if len(notes) > before:
        return Literal((), (0,))
    if len(tensor.shape) > _MOST_DIMENSIONS:
        notes.add(node.place, f"{what} has more than {_MOST_DIMENSIONS} dimensions", "give it fewer")
    # Other sizes count even if one is 0: no array may be that long.
    if math.prod(filter(None, tensor.shape)) > _MOST_ELEMENTS:
        notes.add(node.place, f"{what} has more than {_MOST_ELEMENTS} elements", "make it smaller")
    return tensor


def read_literal(node: Node, what: str, notes: Notes) -> Literal:
    """A number or nested lists of numbers that form a rectangle."""
    values: list[Numeral] = []
    shape = _flatten(node, what, notes, values)
    return Literal(tuple(values), shape or ())


def _flatten(node: Node, what: str, notes: Notes, values: list[Numeral]) -> Shape | None:
    """Add the numbers below ``node`` to ``values``; returns the shape, or None after a complaint."""
    if not isinstance(node, ListNode):
        values.append(read_number(node, what, notes))
        return ()
    shapes = [_flatten(item, what, notes, values) for item in node.items]
    if None in shapes:
        return None
    for position, shape in enumerate(shapes):
        if shape != shapes[0]:
            problem = f"{what} is a ragged list: item {position} is {_size(shape)}, item 0 {_size(shapes[0])}"
            notes.add(node.place, problem, "give all items the same length")
            return None
    return (len(shapes), *(shapes[0] or ())) if shapes else (0,)


def _size(shape: Shape | None) -> str:
    return f"{'x'.join(map(str, shape))} long" if shape else "a number"


def _read_form(node: MappingNode, what: str, notes: Notes) -> Tensor:
    form = next((key for key in TENSOR_FORMS if key in node.entries), None)
    if form is None:
        first = next(iter(node.entries), "")
        notes.add(node.place, f"{what} is a mapping but no form of a tensor", suggestion(first, TENSOR_FORMS))
        return Literal((), (0,))
    fields = read_fields(node, what, TENSOR_FORMS[form], notes)
    if form == "fill":
        return _read_fill(fields, what, notes)
    if form == "uniform":
        return _read_uniform(fields, what, notes)
    if form == "index":
        return Index(fields.integer("index", least=1), _read_shape(fields), _read_seed(fields))
    if form == "data":
        return _read_data(fields, what, notes)
    if form == "concatenate":
        return _read_concatenate(fields, what, notes)
    if form == "complex":
        return _read_complex(fields, what, notes)
    return _read_wrapper(form, fields, what, notes)


def _read_fill(fields: Fields, what: str, notes: Notes) -> Fill:
    value = fields.number("fill")
    dtype = fields.word("dtype", DTYPES) if "dtype" in fields else None
    _check_range((value,), dtype, fields, what, notes)
    return Fill(value, _read_shape(fields), dtype)


def _read_data(fields: Fields, what: str, notes: Notes) -> Literal:
    dtype = fields.word("dtype", DTYPES)
    literal = read_literal(fields["data"], f"{what}.data", notes)
    _check_range(literal.values, dtype, fields, what, notes)
    return Literal(literal.values, literal.shape, dtype)


def _check_range(
    values: tuple[Numeral, ...], dtype: str | None, fields: Fields, what: str, notes: Notes
) -> None:
    if dtype not in _RANGES:
        return
    low, high = _RANGES[dtype]
    for value in values:
        if not value.is_integer or not low <= value.exact <= high:
            problem = f"{what}: {value.text} is not of dtype {dtype}"
            notes.add(fields.place, problem, f"write whole numbers from {low} to {high}")
            return


def _read_uniform(fields: Fields, what: str, notes: Notes) -> Uniform:
    before = len(notes)
    bounds = fields.list("uniform", read_number)
    if len(notes) == before:
        finite = [bound for bound in bounds if isinstance(bound.exact, Fraction)]
        if len(bounds) != 2 or len(finite) != 2 or finite[0].exact >= finite[1].exact:
            problem = f"{what}.uniform is not a pair of a lower and a higher finite number"
            fields.complain("uniform", problem, "write it like [-4, 4]")
    low, high = bounds if len(bounds) == 2 else (STAND_IN, STAND_IN)
    return Uniform(low, high, _read_shape(fields), _read_seed(fields))


def _read_seed(fields: Fields) -> int:
    return fields.integer("seed", least=0, most=_LARGEST_SEED)


def _read_shape(fields: Fields) -> Shape:
    return fields.list("shape", lambda item, what, notes: read_integer(item, what, notes, least=0))


def _read_concatenate(fields: Fields, what: str, notes: Notes) -> Concatenate:
    before = len(notes)
    parts, dim = fields.list("concatenate", read_tensor), fields.integer("dim")
    if len(notes) > before:
        return Concatenate((), 0)
    if not parts:
        notes.add(fields.place, f"{what}.concatenate joins nothing", "write the tensors in brackets")
        return Concatenate((), 0)
    dtypes = list(dict.fromkeys(part.dtype or "no dtype" for part in parts))
    if len(dtypes) > 1:
        problem = f"{what}.concatenate joins tensors that state {' and '.join(dtypes)}"
        notes.add(fields.place, problem, "state one dtype in all of them, or none ('index' makes int64)")
    first = parts[0].shape
    if _is_dimension(dim, first, fields, what, notes):
        axis = dim % len(first)
        others = {(len(shape), shape[:axis] + shape[axis + 1 :]) for shape in (part.shape for part in parts)}
        if len(others) > 1:
            problem = f"{what}.concatenate joins tensors whose shapes differ outside dim {dim}"
            notes.add(fields.place, problem, "make them alike in every other dimension")
    return Concatenate(parts, dim)


def _read_complex(fields: Fields, what: str, notes: Notes) -> Tensor:
    before = len(notes)
    parts = fields.list("complex", read_tensor)
    if len(notes) > before:
        return Literal((), (0,))
    if len(parts) != 2 or parts[0].shape != parts[1].shape:
        problem = f"{what}.complex is not a pair of tensors of one shape"
        fields.complain("complex", problem, "write the real and the imaginary part in brackets")
        return Literal((), (0,))
    dtype = next((part.dtype for part in parts if part.dtype), None)
    if dtype is not None:
        problem = f"{what}.complex has a part that states {dtype}, but its parts are of the run's dtype"
        fields.complain("complex", problem, "leave the dtype out")
    return Complex(*parts)


def _read_wrapper(form: str, fields: Fields, what: str, notes: Notes) -> Tensor:
    before = len(notes)
    inner = read_tensor(fields[form], f"{what}.{form}", notes)
    rank = len(inner.shape)
    if form == "reshape":
        shape = _read_shape(fields)
        if len(notes) == before and math.prod(shape) != math.prod(inner.shape):
            problem = f"{what}.shape is {list(shape)} but the tensor has {math.prod(inner.shape)} elements"
            notes.add(fields["shape"].place, problem, "give a shape with as many")
        return Reshape(inner, shape)
    if form == "permute":
        dims = fields.list("dims", read_integer)
        if len(notes) == before and sorted(dims) != list(range(rank)):
            problem = f"{what}.dims is {list(dims)} but the tensor has {rank} dimensions"
            notes.add(fields["dims"].place, problem, "name each dimension once, counted from 0")
        return Permute(inner, dims if sorted(dims) == list(range(rank)) else tuple(range(rank)))
    if form == "patch":
        return _read_patch(inner, fields, what, notes)
    if "dim" not in fields:
        return Derived(form, inner, None)
    dim = fields.integer("dim")
    if len(notes) == before:
        _is_dimension(dim, inner.shape, fields, what, notes)
    return Derived(form, inner, dim)


def _read_patch(inner: Tensor, fields: Fields, what: str, notes: Notes) -> Tensor:
    before = len(notes)
    at = fields.list("at", lambda item, what, notes: read_list(item, what, notes, read_integer))
    numbers = read_literal(fields["numbers"], f"{what}.numbers", notes)
    if len(notes) > before:
        return inner
    if numbers.shape != (len(at),):
        problem = f"{what}.numbers has shape {list(numbers.shape)}, but there are {len(at)} places"
        notes.add(fields["numbers"].place, problem, "give one number for each place")
    outside = [place for place in at if not _is_place(place, inner.shape)]
    if outside:
        problem = f"{what}.at names {list(outside[0])}, but the tensor has shape {list(inner.shape)}"
        notes.add(fields["at"].place, problem, "give an index for each dimension, or one from -1 backwards")
    return inner if len(notes) > before else Patch(inner, at, numbers)


def _is_place(place: Sequence[int], shape: Shape) -> bool:
    return len(place) == len(shape) and all(
        -size <= index < size for index, size in zip(place, shape, strict=True)
    )


def _is_dimension(dim: int, shape: Shape, fields: Fields, what: str, notes: Notes) -> bool:
    if -len(shape) <= dim < len(shape):
        return True
    problem = f"{what}.dim is {dim} but the tensor has {len(shape)} dimensions"
    notes.add(fields["dim"].place, problem, "count dimensions from 0, or from -1 backwards")
    return False
