"""How a program calls the losses that hold linear layers: see ``torch_linear``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from lossproof.subjects.call import Call, Values

_OPTIONS = "torch.nn.LinearCrossEntropyOptions(batch_chunk_size=2, allow_retain_graph=True)"


def _linear_cross_entropy(is_module: bool, call: Call, keywords: Sequence[str]) -> tuple[str, str]:
    keywords = [f"options={_OPTIONS}" if keyword == "options='chunked'" else keyword for keyword in keywords]
    if not is_module:
        return "", f"torch.nn.functional.linear_cross_entropy({', '.join((*call.args, *keywords))})"
    *outputs, in_features = call.args["linear_weight"].numbers.shape
    sizes = [str(in_features), str(outputs[0]), f"out_features={tuple(outputs[1:])}"]
    weights = {"linear.weight": "linear_weight.flatten(0, -2)"}
    if any(keyword == "linear_bias=linear_bias" for keyword in keywords):
        sizes.append("bias=True")
        weights["linear.bias"] = "linear_bias.flatten()"
    own = [keyword for keyword in keywords if not keyword.startswith("linear_bias=")]
    return f"torch.nn.LinearCrossEntropyLoss({', '.join((*sizes, *own))})", _functional_call(weights)


def _adaptive_log_softmax(is_module: bool, call: Call, keywords: Sequence[str]) -> tuple[str, str]:
    tensors = {name: value.numbers for name, value in call.params.items() if isinstance(value, Values)}
    clusters = [len(numbers) for name, numbers in tensors.items() if name.endswith("_1_weight")]
    entries, in_features = tensors["head_weight"].shape
    sizes = [
        str(in_features),
        str(entries - len(clusters) + sum(clusters)),
        "cutoffs.tolist()",
        f"head_bias={'head_bias' in tensors}",
    ]
    own = [keyword for keyword in keywords if keyword.startswith("div_value=")]
    weights = {name.replace("_", "."): name for name in tensors if name != "cutoffs"}
    field = "output" if call.reduction == "none" else "loss"
    module = f"torch.nn.AdaptiveLogSoftmaxWithLoss({', '.join((*sizes, *own))})"
    return module, f"{_functional_call(weights)}.{field}"


def _functional_call(weights: Mapping[str, str]) -> str:
    shown = ", ".join(f"'{name}': {value}" for name, value in weights.items())
    return f"torch.func.functional_call(module, {{{shown}}}, (input, target))"


# From whether a module is wanted, the call and its keywords to its construction, if so, and to the call.
FORMS: Mapping[str, Callable[[bool, Call, Sequence[str]], tuple[str, str]]] = {
    "AdaptiveLogSoftmaxWithLoss": _adaptive_log_softmax,
    "LinearCrossEntropyLoss": _linear_cross_entropy,
}
