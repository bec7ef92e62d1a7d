"""The tensors and parameters of a call: a case's numbers, rounded to the dtype of a run."""

from __future__ import annotations

from typing import Any

from lossproof.corpus.case import Parameter
from lossproof.corpus.numeral import Numeral
from lossproof.corpus.tensors import Patch, Tensor, Uniform
from lossproof.corpus.values import plain_number, typed_numbers
from lossproof.judging.stored_truth import recalled_numbers
from lossproof.reference.loss import Loss
from lossproof.subjects.call import Values


def parameter_value(loss: Loss, name: str, value: Parameter, dtype: str) -> Any:
    """The value of a parameter in a run's dtype; a tensor as ``Values``."""
    if isinstance(value, Numeral):
        return plain_number(value)
    if isinstance(value, Tensor):
        return tensor_values(value, "int64" if name in loss.index_parameters else dtype)
    return value


def tensor_values(tensor: Tensor, dtype: str) -> Values:
    """The numbers of a tensor, rounded to its own dtype, or else to that of the run."""
    drawn = tensor if isinstance(tensor, Uniform | Patch) else None
    return Values(*typed_numbers(tensor, dtype, recalled_numbers), drawn)
