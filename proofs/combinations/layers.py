"""The tables of the losses with linear layers of their own."""

from __future__ import annotations

from proofs.combinations.circumstances import UPSTREAMS, chosen, common, option, upstream
from proofs.combinations.class_targets import DTYPES, IGNORE_INDEX, IGNORED, targets
from proofs.combinations.classes import SMOOTHING, UNSMOOTHED
from proofs.combinations.table import SILENT, Call, Choice, Levels, Rule, Table
from proofs.combinations.tensors import drawn, function_of, in_blocks, listed
from proofs.combinations.weights import WEIGHTS, weights

_FORMS: Levels = ("-a batch", "one row", "one vector", "no rows", "many rows")
_ROWS = {"-a batch": (3, 4, 5), "one row": (1,), "no rows": (0,), "many rows": (31, 33, 65, 129)}
_FEATURES: Levels = ("-few features", "one feature", "near 16 or 32 features", "near 128 features")
_CLASSES: Levels = (
    "-few classes",
    "near 16 classes",
    "near 128 or 256 classes",
    "thousands of classes",
)
_SIZES = {
    "-few features": (2, 6, 8),
    "one feature": (1,),
    "near 16 or 32 features": (15, 16, 17, 31, 32, 33),
    "near 128 features": (127, 128, 129),
    "-few classes": (3, 4, 5, 7),
    "near 16 classes": (15, 16, 17),
    "near 128 or 256 classes": (127, 128, 129, 255, 256, 257),
    "thousands of classes": (1023, 1024, 1025, 1030, 1037, 1100),
}
_BLOCK = 100
_SCALES: Levels = ("-ordinary", "tiny", "large")
_REACH = {"-ordinary": 1.0, "tiny": 2.0**-6, "large": 4.0}


def _input_shape(choice: Choice, features: int) -> tuple[int, ...]:
    if choice["form"] == "one vector":
        return (features,)
    return (choice.among("rows", *_ROWS[choice["form"]]), features)


def _linear_cross_entropy(choice: Choice) -> Call:
    features, classes = (choice.among(name, *_SIZES[choice[name]]) for name in ("features", "classes"))
    if choice["target dtype"] == "uint8 targets":
        classes = min(classes, 256)
    own = _input_shape(choice, features)
    if classes > _BLOCK and len(own) > 1:
        own = (min(own[0], 33), features)
    reach, format = _REACH[choice["scale"]], choice.format
    input = drawn(-reach, reach, own, choice.seed("input"), format)
    linear = drawn(-0.5, 0.5, (classes, features), choice.seed("linear_weight"), format)
    if choice["target"] == "probabilities":
        logits = drawn(-2, 2, (*own[:-1], classes), choice.seed("target"), format)
        target = function_of("softmax", logits, -1)
    else:
        target = targets(choice, own[:-1], classes)
    has_bias = choice["linear_bias"] != "-no bias"
    params = {
        "linear_bias": drawn(-1, 1, (classes,), choice.seed("bias"), format).text if has_bias else None,
        "weight": weights(choice, (classes,)),
        **{name: chosen(choice, name) for name in ("ignore_index", "label_smoothing", "options")},
    }
    args = {"input": input.text, "linear_weight": linear.text, "target": target.text}
    return Call(args, params, upstream(choice, own[:-1]))


_TARGETS: Levels = ("-any classes", "all the first class", "all the last class", "probabilities")
# What takes no bytes as class indices, or is a known defect with them; and a byte is not negative.
_BYTES = tuple(
    Rule(
        ("target dtype", name),
        lambda dtype, level, others=others: dtype == "-int64" or level in others,
    )
    for name, others in {
        "dtype": ("float16", "bfloat16"),
        "form": ("-a batch", "one row", "no rows", "many rows"),
        "classes": _CLASSES[:3],
        "target": _TARGETS[:3],
        "label_smoothing": UNSMOOTHED,
        "options": ("-options left out",),
        "ignored": ("-nothing ignored", "one ignored", "all but one ignored"),
        "ignore_index": ("ignore_index 0",),
    }.items()
)

_CUTOFFS: Levels = ("-one cluster", "three clusters", "a head of one class", "clusters of one class")
_HEADS = {
    "-one cluster": ((4,), 9),
    "three clusters": ((2, 5, 17), 33),
    "a head of one class": ((1, 128), 257),
    "clusters of one class": ((4, 5), 6),
}
_RARE: Levels = ("-any classes", "all in the head", "all in the last cluster", "last of each cluster")


def _adaptive(choice: Choice) -> Call:
    features = choice.among("features", *_SIZES[choice["features"]])
    own = _input_shape(choice, features)
    format, reach = choice.format, _REACH[choice["scale"]]
    cutoffs, classes = _HEADS[choice["cutoffs"]]
    ends = [*cutoffs, classes]
    value = chosen(choice, "div_value")
    division = 4.0 if value is None else float(value)
    clusters = len(cutoffs)

    def layer(name: str, *shape: int) -> str:
        return drawn(-0.75, 0.75, shape, choice.seed(name), format).text

    params: dict[str, str | None] = {
        "cutoffs": listed(list(cutoffs)).text,
        "div_value": value,
        "head_weight": layer("head", cutoffs[0] + clusters, features),
        "head_bias": layer("bias", cutoffs[0] + clusters) if choice["bias"] == "a bias" else None,
    }
    for cluster in range(clusters):
        inner = int(features // division ** (cluster + 1))
        params[f"tail_{cluster}_0_weight"] = layer(f"projection {cluster}", inner, features)
        params[f"tail_{cluster}_1_weight"] = layer(
            f"scores {cluster}", ends[cluster + 1] - ends[cluster], inner
        )
    named = {
        "-any classes": (0, classes - 1, cutoffs[0], cutoffs[0] - 1, classes // 2),
        "all in the head": (cutoffs[0] - 1, 0),
        "all in the last cluster": (cutoffs[-1], classes - 1),
        "last of each cluster": tuple(end - 1 for end in ends),
    }[choice["target"]]
    dtype = "int32" if choice["target dtype"] == "int32 targets" else "int64"
    target = in_blocks(named, own[:-1], dtype) if own[:-1] else listed(named[0], dtype)
    input = drawn(-reach, reach, own, choice.seed("input"), format)
    return Call({"input": input.text, "target": target.text}, params, upstream(choice, own[:-1]))


TABLES = (
    Table(
        "LinearCrossEntropyLoss",
        {
            **common(),
            "form": _FORMS,
            "features": _FEATURES,
            "classes": _CLASSES,
            "scale": _SCALES,
            "target": _TARGETS,
            "target dtype": DTYPES,
            "ignored": IGNORED,
            "ignore_index": IGNORE_INDEX,
            "linear_bias": ("-no bias", "a bias"),
            "weight": WEIGHTS,
            "label_smoothing": SMOOTHING[:3],
            "options": option("options", "chunked"),
            "upstream": UPSTREAMS,
        },
        (
            Rule(("form", "ignored"), lambda form, ignored: form != "no rows" or ignored.startswith(SILENT)),
            Rule(
                ("target", "ignore_index"),
                lambda target, index: target != "probabilities" or index.startswith(SILENT),
            ),
            Rule(
                ("target", "ignored"),
                lambda target, ignored: target != "probabilities" or ignored.startswith(SILENT),
            ),
            Rule(
                ("form", "classes"),
                lambda form, classes: form != "many rows" or classes not in _CLASSES[3:],
            ),
            Rule(
                ("features", "classes"),
                lambda features, classes: features != "near 128 features" or classes in _CLASSES[:2],
            ),
            *_BYTES,
            # The exact sums of double precision take long.
            Rule(
                ("dtype", "features", "classes"),
                lambda dtype, features, classes: (
                    dtype != "float64" or classes in _CLASSES[:2] or features in _FEATURES[:2]
                ),
            ),
            Rule(
                ("options", "label_smoothing"),
                lambda options, smoothing: options.startswith(SILENT) or smoothing in UNSMOOTHED,
            ),
            # Known defects of chunks: second derivatives, which are taken in double precision ...
            Rule(
                ("options", "dtype", "reduction"),
                lambda options, dtype, reduction: (
                    options.startswith(SILENT) or dtype != "float64" or reduction != "none"
                ),
            ),
            # ... and a denominator of 0.
            Rule(
                ("options", "ignored"),
                lambda options, ignored: (
                    options.startswith(SILENT) or ignored in ("-nothing ignored", "one ignored")
                ),
            ),
            Rule(
                ("options", "form", "ignored"),
                lambda options, form, ignored: (
                    options.startswith(SILENT)
                    or form in ("-a batch", "many rows")
                    or ignored == "-nothing ignored"
                ),
            ),
            Rule(
                ("options", "weight"),
                lambda options, weight: options.startswith(SILENT) or weight in WEIGHTS[:2],
            ),
            Rule(
                ("options", "target"),
                lambda options, target: options.startswith(SILENT) or target != "probabilities",
            ),
        ),
        _linear_cross_entropy,
    ),
    Table(
        "AdaptiveLogSoftmaxWithLoss",
        {
            **common(("mean", "none")),
            "form": _FORMS,
            "features": _FEATURES,
            "scale": _SCALES,
            "cutoffs": _CUTOFFS,
            "target": _RARE,
            "target dtype": ("-int64", "int32 targets"),
            "div_value": option("div_value", "1", "1.5", "0.5"),
            "bias": ("-no bias", "a bias"),
            "upstream": UPSTREAMS,
        },
        (
            # A cluster has a feature at least.
            Rule(
                ("features", "cutoffs", "div_value"),
                lambda features, cutoffs, value: (
                    features not in ("-few features", "one feature") or value == "div_value 1"
                ),
            ),
            Rule(
                ("features", "cutoffs", "div_value"),
                lambda features, cutoffs, value: (
                    cutoffs != "three clusters"
                    or features == "near 128 features"
                    or value != "-div_value left out"
                ),
            ),
        ),
        _adaptive,
    ),
)
