"""Inputs that a case's dtypes cannot hold: a case must say that it means the rounded numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction

from lossproof.corpus.case import Case, Identity, Parameter
from lossproof.corpus.complaints import Complaint
from lossproof.corpus.keys import FLOAT_DTYPES, INTEGER_DTYPES
from lossproof.corpus.numeral import Numeral
from lossproof.corpus.signature import Signature
from lossproof.corpus.tensors import Complex, Concatenate, Fill, Literal, Permute, Reshape, Tensor
from lossproof.numbers.formats import FORMATS, Format
from lossproof.reference.option import Kind

_MOST_SHOWN = 3


# Whose numbers a tensor that states its dtype holds; whole numbers are calculated with in float64.
_COMPONENTS = {
    **{name: name for name in FLOAT_DTYPES},
    **dict.fromkeys(INTEGER_DTYPES, "float64"),
    "complex64": "float32",
}


_COMPLEX_DTYPES = ("float64", "float32")


def lint_rounding(case: Case, signatures: Mapping[str, Signature]) -> list[Complaint]:
    """Complain about written input numbers that one of the case's dtypes cannot hold exactly.

    ``rounded: true`` silences this, and is itself complained about where nothing is rounded. Scalar
    parameters are doubles in every run, and generated or derived tensors round by design.
    """
    dtypes = case.dtypes or FLOAT_DTYPES
    complaints = []
    for name, tensor in _tensors(case, signatures):
        if isinstance(tensor, Complex) and not set(dtypes) <= set(_COMPLEX_DTYPES):
            problem = f"{name} is complex, and no complex number has halves or bfloat16 for parts"
            remedy = f"say 'dtypes: [{', '.join(_COMPLEX_DTYPES)}]' or one of them"
            complaints.append(Complaint(case.file, case.line, case.id, problem, remedy))
    if complaints or case.raises is not None or case.module is not None:
        return complaints
    for name, tensor in _tensors(case, signatures):
        inexact, lossy = _inexact(tensor, dtypes)
        if not inexact:
            continue
        shown = ", ".join(dict.fromkeys(numeral.text for numeral in inexact[:_MOST_SHOWN]))
        more = f" and {len(inexact) - _MOST_SHOWN} more" if len(inexact) > _MOST_SHOWN else ""
        problem = f"{name} holds {shown}{more}, which {', '.join(lossy)} cannot hold exactly"
        remedy = "write numbers that they can hold, narrow 'dtypes', or say 'rounded: true'"
        complaints.append(Complaint(case.file, case.line, case.id, problem, remedy))
    if not case.rounded:
        return complaints
    if complaints:
        return []
    problem = "the case says 'rounded: true' but its dtypes hold every number exactly"
    return [Complaint(case.file, case.line, case.id, problem, "remove 'rounded'")]


def _tensors(case: Case, signatures: Mapping[str, Signature]) -> Iterator[tuple[str, Tensor]]:
    """The tensors of the case's call, and of the terms of its identities, that take the dtype of a run."""
    yield from _tensors_of_call(signatures[case.loss], case.params, case.args, "")
    for key in ("same_as", "differs_from"):
        identity: Identity | None = getattr(case, key)
        for term in identity.terms if identity is not None else ():
            signature = signatures[term.loss or case.loss]
            yield from _tensors_of_call(signature, term.params, term.args or {}, f"{key}.")


def _tensors_of_call(
    signature: Signature, params: Mapping[str, Parameter], args: Mapping[str, Tensor], place: str
) -> Iterator[tuple[str, Tensor]]:
    # Class indices, lengths and cutoffs are whole numbers, which no run rounds.
    indices = signature.indices_of(args)
    wholes = [name for name, option in signature.options.items() if option.kind is Kind.WHOLES]
    yield from ((f"{place}args.{name}", tensor) for name, tensor in args.items() if name not in indices)
    for name, value in params.items():
        if isinstance(value, Tensor) and name not in wholes:
            yield f"{place}params.{name}", value


def _inexact(tensor: Tensor, dtypes: tuple[str, ...]) -> tuple[list[Numeral], list[str]]:
    """The numbers that some dtype cannot hold, and those dtypes."""
    inexact: dict[int, Numeral] = {}
    lossy = []
    written = list(_written(tensor))
    for dtype in dtypes:
        wrong = {
            position: numeral
            for position, (numeral, own) in enumerate(written)
            if not _holds(FORMATS[_COMPONENTS[own or dtype]], numeral.exact)
        }
        inexact.update(wrong)
        if wrong:
            lossy.append(dtype)
    return [inexact[position] for position in sorted(inexact)], lossy


def _written(tensor: Tensor) -> Iterator[tuple[Numeral, str | None]]:
    """The numbers that a tensor's form states and moves about unchanged, with the dtype that it states."""
    if isinstance(tensor, (Literal, Fill)):
        values = tensor.values if isinstance(tensor, Literal) else (tensor.value,)
        yield from ((value, tensor.dtype) for value in values)
    elif isinstance(tensor, (Reshape, Permute)):
        yield from _written(tensor.of)
    elif isinstance(tensor, Concatenate):
        for part in tensor.parts:
            yield from _written(part)
    elif isinstance(tensor, Complex):
        yield from _written(tensor.real)
        yield from _written(tensor.imaginary)


def _holds(format: Format, value: Fraction | float) -> bool:
    """Whether ``value`` is one of the format's numbers; nan and the infinities are."""
    if isinstance(value, float) or value == 0:
        return True
    numerator, denominator = abs(value.numerator), value.denominator
    if denominator & (denominator - 1):
        return False
    # The exponents of the first and the last binary digit that is 1.
    first = numerator.bit_length() - denominator.bit_length()
    last = (numerator & -numerator).bit_length() - denominator.bit_length()
    smallest = format.smallest_exponent - (format.precision - 1)
    return smallest <= last and first - last < format.precision and first <= format.largest_exponent
