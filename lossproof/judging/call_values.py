"""The tensors and parameters of a call: a case's numbers, rounded to the dtype of a run."""

from __future__ import annotations

from typing import Any

from lossproof.corpus.case import Parameter
from lossproof.corpus.keys import INTEGER_DTYPES
from lossproof.corpus.numeral import Numeral
from lossproof.corpus.tensors import Tensor
from lossproof.corpus.values import rounded, whole_numbers
from lossproof.judging.stored_truth import recalled_numbers
from lossproof.numbers.formats import FORMATS
from lossproof.reference.loss import Loss
from lossproof.subjects.call import Values


def parameter_value(loss: Loss, name: str, value: Parameter, dtype: str) -> Any:
    """The value of a parameter in a run's dtype; a tensor as ``Values``."""
    if isinstance(value, Numeral):
        return int(value.text) if value.is_integer else float(value)
    if isinstance(value, Tensor):
        return tensor_values(value, "int64" if name in loss.index_parameters else dtype)
    return value


def tensor_values(tensor: Tensor, dtype: str) -> Values:
    """The numbers of a tensor, rounded to its own dtype, or else to that of the run."""
    dtype = tensor.dtype or dtype
    if dtype in INTEGER_DTYPES:
        return Values(whole_numbers(tensor).astype(dtype), dtype)
    if dtype in FORMATS:
        numbers = recalled_numbers(tensor, FORMATS[dtype])
        if numbers.dtype.kind == "c":
            dtype = FORMATS[dtype].complex_dtype or dtype
        return Values(numbers, dtype)
    return Values(rounded(tensor, FORMATS["float64"]).astype(dtype), dtype)
