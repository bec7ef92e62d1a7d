"""The implementations under test, found by name."""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import entry_points

from lossproof.subjects.subject import Subject
from lossproof.subjects.torch.expressions import EXPRESSIONS_SUBJECT

# Named as "module:class", so that each is imported only when it is needed.
_BUILT_IN = {
    "torch.nn": "lossproof.subjects.torch.subject:ModuleSubject",
    "torch.nn.functional": "lossproof.subjects.torch.subject:FunctionSubject",
    EXPRESSIONS_SUBJECT: "lossproof.subjects.torch.subject:ExpressionSubject",
    "reference": "lossproof.subjects.reference.subject:ReferenceSubject",
}

# Libraries that a run examines only if it names them, and that need not be installed.
_IMPLEMENTATIONS = {
    "torch.compile-decomposed": "lossproof.implementations.torch_decomposed:DecomposedSubject",
    "optax": "lossproof.implementations.optax_losses:OptaxLosses",
    "mlx": "lossproof.implementations.mlx_losses:MlxLosses",
    "scipy": "lossproof.implementations.scipy_functions:ScipyFunctions",
    "scikit-learn": "lossproof.implementations.sklearn_metrics:SklearnMetrics",
    "onnx-reference": "lossproof.implementations.onnx_reference:OnnxReference",
    "onnxruntime": "lossproof.implementations.onnx_runtime:OnnxRuntime",
}


def known_subjects() -> tuple[str, ...]:
    """The names of all subjects: ours, then those of the entry point group ``lossproof.subjects``."""
    return (
        *_BUILT_IN,
        *_IMPLEMENTATIONS,
        *(entry.name for entry in entry_points(group="lossproof.subjects")),
    )


def default_subjects() -> tuple[str, ...]:
    """The subjects of a run that names none."""
    return tuple(_BUILT_IN)


def find_subject(name: str) -> Subject:
    """The subject with this name, or a KeyError."""
    places = {**_BUILT_IN, **_IMPLEMENTATIONS}
    if name in places:
        module, _, attribute = places[name].partition(":")
        subject: Subject = getattr(import_module(module), attribute)()
        return subject
    for entry in entry_points(group="lossproof.subjects"):
        if entry.name == name:
            installed: Subject = entry.load()()
            return installed
    raise KeyError(name)
