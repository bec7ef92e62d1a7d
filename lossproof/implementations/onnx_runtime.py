"""The loss operators of ONNX in ONNX Runtime, on the processor."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import onnx
import onnxruntime
from onnxruntime.capi.onnxruntime_pybind11_state import NotImplemented as NoKernel

from lossproof.adapters.functions import FunctionTable
from lossproof.implementations.onnx_operators import Operators


def evaluate(model: onnx.ModelProto, inputs: Mapping[str, Any]) -> Any:
    """The one output of a model; a dtype without a kernel is nothing to judge."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # on tensors as small as those of cases, a second thread only costs
    try:
        session = onnxruntime.InferenceSession(
            model.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )
    except NoKernel as missing:
        raise NotImplementedError(str(missing)) from missing
    (result,) = session.run(None, dict(inputs))
    return result


operators = Operators(evaluate)


class OnnxRuntime(FunctionTable):
    """What ONNX Runtime makes of the operators."""

    name = "onnxruntime"
    tracker = "https://github.com/microsoft/onnxruntime/issues"
    packages = ("onnxruntime", "onnx")
    library = "numpy"
    table = operators.table(__name__)
    features_lacked = Operators.features_lacked
