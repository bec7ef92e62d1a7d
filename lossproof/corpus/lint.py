"""Finds inputs that a case's dtypes cannot hold: such a case must say ``rounded: true``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache

from lossproof.corpus.case import Case, Identity, Parameter
from lossproof.corpus.complaints import Complaint
from lossproof.corpus.numeral import Numeral, parse_numeral
from lossproof.corpus.tensors import Complex, Derived, Fill, Literal, Tensor
from lossproof.numbers.formats import FORMATS, PARTS
from lossproof.reference.catalogue import LOSSES
from lossproof.reference.loss import Loss

_MOST_EXAMPLES = 3


def lint_rounding(case: Case) -> list[Complaint]:
    """Complain about written input numbers that one of the case's dtypes cannot hold exactly.

    Those to which the case has them cast count as well. ``rounded: true`` silences this, and draws a
    complaint where nothing is rounded. Scalar parameters are doubles in every run, and generated or derived
    tensors round by design.
    """
    complaints = []
    real = [dtype for dtype in case.dtypes if FORMATS[dtype].complex_dtype is None]
    for name, tensor in _tensors(case):
        if isinstance(tensor, Complex) and real:
            problem = f"{name} is complex, and no complex number has parts of {' or '.join(real)}"
            remedy = f"say 'dtypes: [{', '.join(PARTS.values())}]' or one of them"
            complaints.append(Complaint(case.file, case.line, case.id, problem, remedy))
    if complaints or case.raises is not None or case.module is not None:
        return complaints
    dtypes = tuple(dict.fromkeys((*case.dtypes, *_casts(case))))
    for name, tensor in _tensors(case):
        inexact, lossy = _inexact(tensor, dtypes)
        if not inexact:
            continue
        examples = ", ".join(dict.fromkeys(numeral.text for numeral in inexact[:_MOST_EXAMPLES]))
        more = f" and {len(inexact) - _MOST_EXAMPLES} more" if len(inexact) > _MOST_EXAMPLES else ""
        problem = f"{name} holds {examples}{more}, which {', '.join(lossy)} cannot hold exactly"
        remedy = "write numbers that they can hold, narrow 'dtypes', or say 'rounded: true'"
        complaints.append(Complaint(case.file, case.line, case.id, problem, remedy))
    if not case.rounded:
        return complaints
    if complaints:
        return []
    problem = "the case says 'rounded: true' but its dtypes hold every number exactly"
    return [Complaint(case.file, case.line, case.id, problem, "remove 'rounded'")]


def _tensors(case: Case) -> Iterator[tuple[str, Tensor]]:
    """The tensors that take the dtype of a run: those of the call, and of its identities."""
    yield from _tensors_of_call(LOSSES[case.loss], case.params, case.args, "")
    if case.upstream is not None:
        yield "upstream", case.upstream
    for key in ("same_as", "differs_from"):
        identity: Identity | None = getattr(case, key)
        for term in identity.terms if identity is not None else ():
            loss = LOSSES[term.loss or case.loss]
            yield from _tensors_of_call(loss, term.params, term.args or {}, f"{key}.")


def _casts(case: Case) -> Iterator[str]:
    """The dtypes to which the case and its identities have their tensors cast."""
    terms = [term for identity in (case.same_as, case.differs_from) if identity for term in identity.terms]
    for params in (case.params, *(term.params for term in terms)):
        if isinstance(dtype := params.get("dtype"), str):
            yield dtype


def _tensors_of_call(
    loss: Loss, params: Mapping[str, Parameter], args: Mapping[str, Tensor], place: str
) -> Iterator[tuple[str, Tensor]]:
    # No run rounds class indices, lengths and cutoffs: they are whole numbers.
    indices = loss.indices_among({name: tensor.shape for name, tensor in args.items()})
    yield from ((f"{place}args.{name}", tensor) for name, tensor in args.items() if name not in indices)
    for name, value in params.items():
        if isinstance(value, Tensor) and name not in loss.index_parameters:
            yield f"{place}params.{name}", value


def _inexact(tensor: Tensor, dtypes: tuple[str, ...]) -> tuple[list[Numeral], list[str]]:
    """The numbers that some dtype cannot hold, and those dtypes."""
    numbers = list(_stated_numbers(tensor))
    inexact: set[int] = set()
    lossy = []
    for dtype in dtypes:
        inexact_here = [
            position
            for position, (numeral, stated_dtype) in enumerate(numbers)
            if not _is_held(stated_dtype or dtype, numeral.text)
        ]
        inexact.update(inexact_here)
        lossy += [dtype] if inexact_here else []
    return [numbers[position][0] for position in sorted(inexact)], lossy


def _stated_numbers(tensor: Tensor) -> Iterator[tuple[Numeral, str | None]]:
    """The numbers that a tensor states and leaves unchanged, each with the dtype that it states."""
    if isinstance(tensor, (Literal, Fill)):
        yield from ((value, tensor.dtype) for value in tensor.values)
    elif not isinstance(tensor, Derived):
        for part in tensor.parts:
            yield from _stated_numbers(part)


@lru_cache(1 << 16)
def _is_held(dtype: str, text: str) -> bool:
    """Whether a number is one of a tensor's dtype; whole numbers are computed with in float64."""
    format = FORMATS.get(PARTS.get(dtype, dtype), FORMATS["float64"])
    return format.holds(parse_numeral(text).exact)
