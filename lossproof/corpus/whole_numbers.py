"""Complaints about class indices, lengths and cutoffs that are not whole numbers.

Nothing is rounded to a whole number, since torch would refuse it.
"""

from __future__ import annotations

from collections.abc import Mapping

from lossproof.corpus.complaints import Notes, Place
from lossproof.corpus.fields import fits_int64
from lossproof.corpus.keys import INTEGER_DTYPES
from lossproof.corpus.numeral import Numeral
from lossproof.corpus.tensors import Concatenate, Fill, Index, Literal, Patch, Permute, Reshape, Shape, Tensor
from lossproof.reference.loss import Loss

_REFUSAL_REMEDY = "; if torch is to refuse it, state its dtype: {dtype: float32, data: ...}"


def demand_whole_arguments(
    args: Mapping[str, Tensor],
    what: str,
    places: Mapping[str, Place],
    loss: Loss,
    wants_refusal: bool,
    notes: Notes,
) -> None:
    """Complain about the arguments of a call that must hold whole numbers and do not.

    If an argument is missing, none is checked, since their shapes determine what they hold. ``what`` names
    the whole in a complaint, and ``places`` are those of the arguments.
    """
    for name in loss.indices_among({name: tensor.shape for name, tensor in args.items()}):
        demand_whole_numbers(args[name], f"{what}.{name}", places[name], wants_refusal, notes)


def demand_whole_numbers(tensor: Tensor, what: str, place: Place, wants_refusal: bool, notes: Notes) -> None:
    """Complain about a tensor that must hold whole numbers of int64 and does not.

    Where a refusal is expected, the tensor may hold any numbers if it states their dtype.
    """
    more_remedy = _REFUSAL_REMEDY if wants_refusal else ""
    match tensor:
        case Index():
            pass
        case Literal(dtype=dtype) | Fill(dtype=dtype) if dtype is not None:
            # The numbers of an integer dtype were checked when they were read.
            if dtype not in INTEGER_DTYPES and not wants_refusal:
                problem = f"{what} states {dtype}, but whole numbers belong there"
                notes.add(place, problem, "leave the dtype out")
        case Literal(values=values, shape=shape):
            wrong = [position for position, value in enumerate(values) if _fault(value)]
            if wrong:
                value = values[wrong[0]]
                more = f" (and {len(wrong) - 1} more are not)" if len(wrong) > 1 else ""
                problem = f"{what}{_position(wrong[0], shape)} is {value.text}{_fault(value)}{more}"
                notes.add(place, problem, _remedy(value) + more_remedy)
        case Fill(value=value):
            if _fault(value):
                notes.add(place, f"{what}.fill is {value.text}{_fault(value)}", _remedy(value) + more_remedy)
        case Concatenate():
            for position, part in enumerate(tensor.parts):
                demand_whole_numbers(part, f"{what}.concatenate[{position}]", place, wants_refusal, notes)
        case Patch():
            demand_whole_numbers(tensor.inner, f"{what}.patch", place, wants_refusal, notes)
            demand_whole_numbers(tensor.numbers, f"{what}.numbers", place, wants_refusal, notes)
        case Reshape() | Permute():
            demand_whole_numbers(tensor.inner, f"{what}.{_form(tensor)}", place, wants_refusal, notes)
        case _:
            problem = f"{what} is made with '{_form(tensor)}', which does not make whole numbers"
            remedy = "write them out, or make them with 'index' or 'fill'" + more_remedy
            notes.add(place, f"{problem}, but they belong there", remedy)


def _form(tensor: Tensor) -> str:
    """The key of the tensor's form in a case file."""
    return next(iter(tensor.words))


def _fault(value: Numeral) -> str:
    if not value.is_integer:
        return " but must be a whole number"
    return "" if fits_int64(value) else ", which int64 cannot hold"


def _remedy(value: Numeral) -> str:
    if value.is_integer:
        return f"write whole numbers from {-(2**63)} to {2**63 - 1}"
    is_whole = not isinstance(value.exact, float) and value.exact.denominator == 1
    return "write it in digits only, without a point" if is_whole else "write whole numbers there"


def _position(place: int, shape: Shape) -> str:
    """The indices of an element, counted in row-major order."""
    indices: list[int] = []
    for size in reversed(shape):
        place, index = divmod(place, size)
        indices.append(index)
    return "".join(f"[{index}]" for index in reversed(indices))
