"""The loss operators of ONNX in its reference evaluator, whose arrays are NumPy's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import onnx
from onnx.reference import ReferenceEvaluator

from lossproof.adapters.functions import FunctionTable
from lossproof.implementations.onnx_operators import Operators


def evaluate(model: onnx.ModelProto, inputs: Mapping[str, Any]) -> Any:
    """The one output of a model."""
    (result,) = ReferenceEvaluator(model).run(None, dict(inputs))
    return result


operators = Operators(evaluate)


class OnnxReference(FunctionTable):
    """What the specification of ONNX says, as its own evaluator understands it."""

    name = "onnx-reference"
    tracker = "https://github.com/onnx/onnx/issues"
    packages = ("onnx",)
    library = "numpy"
    table = operators.table(__name__)
    features_lacked = Operators.features_lacked
