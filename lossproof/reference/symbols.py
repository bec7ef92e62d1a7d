"""The symbols of each formula, in words."""

from __future__ import annotations

from collections.abc import Mapping

from lossproof.reference.loss import Loss

# What a letter means in most formulas.
_LOSS = {"L": "the loss of an element"}
_LOSS_OF_SAMPLE = {"l_n": "the loss of sample n", "n": "the number of a sample"}
_CLASSES = {"c": "the number of a class", "C": "how many classes there are"}
_TARGET_CLASS = {"y_n": "target[n], the class of sample n"}
_X, _T, _W = {"x": "input"}, {"t": "target"}, {"w": "weight"}
_D = {"d": "the difference input - target"}
_NORM = {"p": "the exponent of the norm", "i": "the place in a vector"}
_TWO_VECTORS = {"x1": "the first input", "x2": "the second input"}
_TRIPLET = _LOSS | {"a": "anchor", "p": "positive", "n": "negative"}
_NLL = _LOSS_OF_SAMPLE | _TARGET_CLASS | _X | _W
_SOFTMAX = {
    "p_c": "the probability of class c",
    "z": "the input less its largest element",
    "x": "input",
    "c": "the number of a class",
    "j": "the number of any class",
}
_CROSS_ENTROPY = (
    _LOSS_OF_SAMPLE
    | _TARGET_CLASS
    | {"x": "input", "w": "weight", "p": "the probabilities of the classes, softmax(x)", "t": "target"}
    | {"c": "the number of a class"}
)

_SYMBOLS: Mapping[str, Mapping[str, str]] = {
    "Softmax": _SOFTMAX,
    "LogSoftmax": _SOFTMAX,
    "SelfInformation": {
        "I": "the information of an event",
        "P": "its probability, the argument p",
        "x": "the event",
    },
    "Entropy": {"H": "the entropy", "P": "a distribution, the argument p", "i": "the number of an event"},
    "DistributionCrossEntropy": {
        "H": "the cross entropy",
        "P": "the true distribution, the argument p",
        "Q": "the other distribution, the argument q",
        "i": "the number of an event",
    },
    "Objective": {
        "w": "the parameters of the model",
        "l1": "the factor of the sum of magnitudes",
        "l2": "the factor of the sum of squares",
    },
    "NLLLoss": _NLL,
    "NLLLoss2d": _NLL,
    "CrossEntropyLoss": _CROSS_ENTROPY,
    "BCELoss": _LOSS | {"p": "input, a probability"} | _T | _W,
    "BCEWithLogitsLoss": _LOSS | _X | _T | _W | {"P": "pos_weight, 1 if there is none", "s": "sigmoid(x)"},
    "KLDivLoss": _LOSS | {"x": "input, the logarithm of a probability"} | _T,
    "PoissonNLLLoss": _LOSS | _X | _T,
    "L1Loss": _LOSS | _D | _W,
    "MSELoss": _LOSS | _D | _W,
    "SmoothL1Loss": _LOSS | _D,
    "HuberLoss": _LOSS | _D | _W,
    "GaussianNLLLoss": _LOSS | _X | _T | {"v": "the variance, at least eps"},
    "CTCLoss": _LOSS_OF_SAMPLE
    | {
        "a": "an alignment: a label or a blank for each time",
        "t": "the time",
        "p": "the probabilities, exp(log_probs)",
    },
    "LinearCrossEntropyLoss": {
        "x": "input",
        "w": "linear_weight",
        "T": "transposed",
        "b": "linear_bias, 0 if there is none",
    },
    "AdaptiveLogSoftmaxWithLoss": {"p": "the probability of a class or a cluster", "y": "the target class"},
    "HingeEmbeddingLoss": _LOSS | _X | {"y": "target, 1 or -1"},
    "MarginRankingLoss": _LOSS | {"x1": "input1", "x2": "input2", "y": "target, 1 or -1"},
    "SoftMarginLoss": _LOSS | _X | {"y": "target, 1 or -1"},
    "MultiLabelSoftMarginLoss": _LOSS_OF_SAMPLE | _CLASSES | _X | _T | _W | {"s": "the sigmoid"},
    "MultiMarginLoss": _LOSS_OF_SAMPLE | _CLASSES | _TARGET_CLASS | _X | _W | {"p": "the exponent, 1 or 2"},
    "MultiLabelMarginLoss": _LOSS_OF_SAMPLE | _CLASSES | {"y": "a label, one of the target classes"} | _X,
    "CosineSimilarity": _TWO_VECTORS | {"i": "the place in a vector"},
    "CosineEmbeddingLoss": _LOSS | {"x1": "input1", "x2": "input2", "y": "target, 1 or -1"},
    "PairwiseDistance": _TWO_VECTORS | _NORM,
    "TripletMarginLoss": _TRIPLET | {"d": "the distance of two vectors"},
    "TripletMarginWithDistanceLoss": _TRIPLET | {"d": "distance_function"},
}


def symbols_of(loss: Loss) -> Mapping[str, str]:
    """What each symbol of a loss's formula means, in the order in which a reader meets them.

    >>> from lossproof.reference.catalogue import LOSSES
    >>> symbols_of(LOSSES["MSELoss"])["d"]
    'the difference input - target'
    """
    return _SYMBOLS.get(loss.name, {})
