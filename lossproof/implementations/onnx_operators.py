"""The loss operators of ONNX, each as a model of one node that an evaluator runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import onnx
from onnx import TensorProto, helper

from lossproof.adapters.forms import Entry

# The newest version of these operators is that of operator set 13; 17 is old enough for any runtime.
_OPERATOR_SET = 17
_NAMES = ("input", "target", "weight")

# An evaluator: the one output of a model for its inputs, by their names.
Evaluate = Callable[[onnx.ModelProto, Mapping[str, Any]], Any]


class Operators:
    """The operators, as functions with torch's parameters."""

    # Those of the documents of the operators: one row at least, and indices as classes.
    features_lacked = ("broadcast", "probabilities", "scalars", "unbatched")

    def __init__(self, evaluate: Evaluate) -> None:
        self._evaluate = evaluate

    def softmax(self, input: Any, dim: int) -> Any:
        """The operator Softmax."""
        return self._run("Softmax", (input,), axis=dim)

    def log_softmax(self, input: Any, dim: int) -> Any:
        """The operator LogSoftmax."""
        return self._run("LogSoftmax", (input,), axis=dim)

    def nll_loss(self, input: Any, target: Any, weight: Any, ignore_index: int, reduction: str) -> Any:
        """The operator NegativeLogLikelihoodLoss."""
        operator = "NegativeLogLikelihoodLoss"
        return self._run(operator, (input, target, weight), ignore_index=ignore_index, reduction=reduction)

    def cross_entropy(self, input: Any, target: Any, weight: Any, ignore_index: int, reduction: str) -> Any:
        """The operator SoftmaxCrossEntropyLoss."""
        operator = "SoftmaxCrossEntropyLoss"
        return self._run(operator, (input, target, weight), ignore_index=ignore_index, reduction=reduction)

    def table(self, module: str) -> dict[str, Entry]:
        """The operators by losses, for the module that holds this object as ``operators``."""
        functions: dict[str, Callable[..., Any]] = {
            "CrossEntropyLoss": self.cross_entropy,
            "LogSoftmax": self.log_softmax,
            "NLLLoss": self.nll_loss,
            "Softmax": self.softmax,
        }
        return {
            loss: Entry(function, place=f"{module}:operators.{function.__name__}")
            for loss, function in functions.items()
        }

    def _run(self, operator: str, arrays: tuple[Any, ...], **attributes: Any) -> Any:
        inputs = {name: array for name, array in zip(_NAMES, arrays, strict=False) if array is not None}
        if "target" in inputs and inputs["target"].dtype.name not in ("int32", "int64"):
            raise NotImplementedError("the operators take indices of 32 or 64 bits")
        return self._evaluate(_model(operator, inputs, attributes), inputs)


def _model(operator: str, inputs: Mapping[str, Any], attributes: Mapping[str, Any]) -> onnx.ModelProto:
    types = {name: helper.np_dtype_to_tensor_dtype(array.dtype) for name, array in inputs.items()}
    ends = [helper.make_tensor_value_info(name, types[name], array.shape) for name, array in inputs.items()]
    result = helper.make_tensor_value_info("result", types.get("input", TensorProto.FLOAT), None)
    node = helper.make_node(operator, list(inputs), ["result"], **attributes)
    graph = helper.make_graph([node], operator, ends, [result])
    versions = [helper.make_opsetid("", _OPERATOR_SET)]
    return helper.make_model(graph, opset_imports=versions, ir_version=8)
