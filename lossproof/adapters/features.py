"""What an implementation may lack altogether, so that no call that needs it is put to it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from lossproof.adapters.parameters import SUPERSEDED
from lossproof.corpus.keys import INTEGER_DTYPES
from lossproof.reference.catalogue import LOSSES
from lossproof.subjects.call import Call, Values, tensors_of

UNCHANGED = "unchanged"
_OF_CLASSES = ("CrossEntropyLoss", "LinearCrossEntropyLoss", "NLLLoss")


def _broadcasts(call: Call) -> bool:
    """Whether arguments of an elementwise loss have different shapes."""
    shapes = {values.numbers.shape for name, values in call.args.items() if name not in _indices(call)}
    return bool(not _indices(call)) and len(shapes) > 1


def _has_integers(call: Call) -> bool:
    indices = _indices(call)
    return any(values.dtype in INTEGER_DTYPES for name, values in call.args.items() if name not in indices)


def _ignores_an_index(call: Call) -> bool:
    default = LOSSES[call.loss].typed_parameters.get("ignore_index")
    if default is None:
        return False
    ignored = call.params.get("ignore_index", default.default)
    targets = [values.numbers for name, values in call.args.items() if name in _indices(call)]
    return "ignore_index" in call.params or any(bool((target == ignored).any()) for target in targets)


def _takes_probabilities(call: Call) -> bool:
    return call.loss in _OF_CLASSES and "target" not in _indices(call)


def _has_dimensions(call: Call, is_meant: Callable[[int], bool]) -> bool:
    """Whether the number of dimensions of the input of a loss of classes is one that is meant."""
    return call.loss in _OF_CLASSES and "input" in call.args and is_meant(call.args["input"].numbers.ndim)


def _mixes_dtypes(call: Call) -> bool:
    dtypes = {values.dtype for values in tensors_of(call).values()} - {*INTEGER_DTYPES}
    return len(dtypes) > 1


def _indices(call: Call) -> tuple[str, ...]:
    shapes = {name: values.numbers.shape for name, values in call.args.items()}
    return LOSSES[call.loss].indices_among(shapes)


# By the name of a feature: whether a call needs it, and what is said of an implementation without it.
FEATURES: Mapping[str, tuple[Callable[[Call], bool], str]] = {
    "broadcast": (_broadcasts, "does not broadcast its arguments"),
    "integers": (_has_integers, "takes no integers in place of real numbers"),
    "ignore_index": (_ignores_an_index, "ignores no index"),
    "empty": (
        lambda call: any(values.numbers.size == 0 for values in tensors_of(call).values()),
        "takes no empty arrays",
    ),
    "scalars": (
        lambda call: any(values.numbers.ndim == 0 for values in call.args.values()),
        "takes no arrays without dimensions",
    ),
    "mixed_dtypes": (_mixes_dtypes, "takes arrays of one dtype only"),
    "probabilities": (_takes_probabilities, "takes no probabilities of classes as its target"),
    "unbatched": (
        lambda call: _has_dimensions(call, lambda dimensions: dimensions == 1),
        "takes no row without a batch",
    ),
    "images": (
        lambda call: _has_dimensions(call, lambda dimensions: dimensions > 2),
        "takes rows of classes only, without more dimensions",
    ),
    "narrow_indices": (
        lambda call: any(call.args[name].dtype != "int64" for name in _indices(call)),
        "takes indices of int64 only",
    ),
    "complex": (
        lambda call: any(values.numbers.dtype.kind == "c" for values in tensors_of(call).values()),
        "takes no complex numbers",
    ),
    # No call needs it: it says what is made of a call that writes to its inputs.
    UNCHANGED: (lambda call: False, "writes to its inputs"),
    "weights": (
        lambda call: any(isinstance(value, Values) for value in call.params.values()),
        "takes no weights",
    ),
}

# By the name of a feature that no call needs by itself: the ways of calling that do, and the same.
FEATURES_OF_WAYS: Mapping[str, tuple[tuple[str, ...], str]] = {
    "double_backward": (("create_graph",), "has a backward pass that cannot be recorded"),
    "retained_graph": (("third_backward", "kept_gradients"), "runs backward once through a graph"),
    "inference_mode": (("inference_mode",), "takes no tensors of inference mode"),
    "threads": (("two_threads", "other_thread"), "is called by one thread alone"),
}
ALL_FEATURES = (*FEATURES, *FEATURES_OF_WAYS)


def lacking_way(way: str, lacked: Iterable[str]) -> str:
    """What is said of an implementation that lacks what a way of calling needs; empty if it lacks nothing."""
    stated = (FEATURES_OF_WAYS[name] for name in lacked if name in FEATURES_OF_WAYS)
    return next((words for ways, words in stated if way in ways), "")


def lacking(call: Call, lacked: Iterable[str]) -> str:
    """What is said of an implementation that lacks what a call needs; empty if it lacks nothing."""
    known = LOSSES[call.loss].typed_reductions
    for name in SUPERSEDED:
        # Where torch has it, a reduction says the same; where torch refuses it, nothing does.
        if name in call.params and name not in known:
            return f"takes 'reduction' only, so that it cannot refuse '{name}'"
    return next((FEATURES[name][1] for name in lacked if name in FEATURES and FEATURES[name][0](call)), "")


def needed(call: Call) -> list[str]:
    """The names of the features that a call needs."""
    return [name for name, (is_needed, _) in FEATURES.items() if is_needed(call)]
