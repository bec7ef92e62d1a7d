"""Reads the upstream gradient of a case, and finds one that does not fit the results of the case."""

from __future__ import annotations

from typing import Any
from warnings import catch_warnings, simplefilter

import numpy as np

from lossproof.corpus.case import Case
from lossproof.corpus.complaints import Complaint, Notes
from lossproof.corpus.nodes import Node
from lossproof.corpus.numeral import Numeral
from lossproof.corpus.tensor_reading import read_tensor
from lossproof.corpus.tensors import Complex, Tensor
from lossproof.corpus.values import approximate, plain_number, typed_numbers
from lossproof.reference.advice import ReferenceWarning
from lossproof.reference.catalogue import LOSSES
from lossproof.reference.evaluation import PreparedCall, prepare
from lossproof.reference.refusals import Refusal

# The dtype of a run in which a call is looked at; its shapes are those of every run.
_DTYPE = "float64"


def read_upstream(node: Node, notes: Notes) -> Tensor:
    """An upstream gradient, which has the dtype of the run."""
    before = len(notes)
    tensor = read_tensor(node, "upstream", notes)
    if len(notes) == before and tensor.dtype is not None:
        problem = f"upstream is of {tensor.dtype}, but an upstream gradient has the dtype of the result"
        notes.add(node.place, problem, "leave the dtype out, and write numbers")
    elif len(notes) == before and isinstance(tensor, Complex):
        notes.add(node.place, "upstream is complex, but no loss is", "write real numbers")
    return tensor


def lint_upstream(case: Case) -> list[Complaint]:
    """Complain about an upstream gradient that is not that of every result of the case."""
    if case.upstream is None:
        return []
    for reduction in case.reductions or LOSSES[case.loss].reductions or (None,):
        try:
            with catch_warnings():  # a run judges what is advised
                simplefilter("ignore", ReferenceWarning)
                prepared = _prepared(case, reduction)
            shape = np.shape(prepared.value())
        except Refusal:  # which a run reports, as that of any case
            return []
        runs_with = f" with reduction {reduction}" if reduction else ""
        problem = remedy = ""
        if shape != case.upstream.shape:
            problem = f"upstream has shape {list(case.upstream.shape)}, the result{runs_with} {list(shape)}"
            remedy = "give it the shape of the result, or run only the reductions whose result has it"
        elif not prepared.differentiable:
            problem, remedy = "upstream is given, but no tensor of the case has a gradient", "remove it"
        elif prepared.dtype != _DTYPE:
            problem = f"upstream has the dtype of the run, but the result is of {prepared.dtype} in every run"
            remedy = "leave the dtypes of the tensors out, or remove 'upstream'"
        if problem:
            return [Complaint(case.file, case.line, case.id, problem, remedy)]
    return []


def _prepared(case: Case, reduction: str | None) -> PreparedCall:
    loss = LOSSES[case.loss]
    indices = loss.indices_among({name: tensor.shape for name, tensor in case.args.items()})
    dtypes: dict[str, str] = {}

    def numbers(name: str, tensor: Tensor, is_whole: bool) -> Any:
        # Nobody sees them: they only have to be such as the loss takes.
        array, dtypes[name] = typed_numbers(tensor, "int64" if is_whole else _DTYPE, approximate)
        return array

    args = {name: numbers(name, tensor, name in indices) for name, tensor in case.args.items()}
    params: dict[str, Any] = {} if reduction is None else {"reduction": reduction}
    for name, value in case.params.items():
        if isinstance(value, Tensor):
            params[name] = numbers(name, value, name in loss.index_parameters)
        else:
            params[name] = plain_number(value) if isinstance(value, Numeral) else value
    return prepare(loss.name, params, args, dtypes)
