"""A claim about a module as a short program: see ``torch_modules``, which looks at the same aspects."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lossproof.subjects.call import Call, Values
from lossproof.subjects.snippet import preamble
from lossproof.subjects.tensor_snippets import literal, program, tensor_lines

# What a module cannot be constructed without, where a call takes it from the shapes of its weights.
NEEDED: Mapping[str, Mapping[str, Any]] = {
    "AdaptiveLogSoftmaxWithLoss": {"in_features": 16, "n_classes": 6, "cutoffs": [2, 4], "head_bias": True},
    "LinearCrossEntropyLoss": {"in_features": 4, "num_classes": 3, "bias": True},
}

_NAMES = """\
def exists(dotted):
    found = torch
    for part in dotted.split('.')[1:]:
        if not hasattr(found, part):
            return False
        found = getattr(found, part)
    return True
result = [name for name in {names!r} if exists(name) == {is_present}]"""

_CLASS_CHAIN = """\
module = {module}
result = [one.__name__ for one in type(module).__mro__ if issubclass(one, torch.nn.Module)]"""

_DICTIONARIES = """\
module = {module}
result = sum(isinstance(value, dict) for value in vars(module).values())"""

_LEGACY_REDUCTION = """\
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter('always')
    module = {module}
warns = any(warning.category is UserWarning for warning in caught)
result = {{'reduction': module.reduction, 'warns': warns}}"""

_STATE_DICT = """\
module = {module}
saved = {{name: tensor.clone() for name, tensor in module.state_dict().items()}}
for tensor in module.state_dict().values():
    tensor.add_(1)  # spoilt, to be loaded again
module.load_state_dict(saved)
restored = all(torch.equal(tensor, saved[name]) for name, tensor in module.state_dict().items())
result = {{'keys': sorted(saved), 'round_trip': restored}}"""

_TRAINING_MODE = """\
module = {module}
result = [module.training, module.eval().training, module.train().training]"""

_LOG_PROB = """\
module = {module}.double()
with torch.no_grad():
    for number, weight in enumerate(module.parameters()):
        weight.copy_(torch.sin(torch.arange(weight.numel()) + 10.0 * number).reshape(weight.shape))
    input = torch.cos(torch.arange(5.0 * module.in_features)).reshape(5, -1).double()
    targets = [torch.full((5,), target) for target in range(module.n_classes)]
    forward = torch.stack([module(input, target).output for target in targets], dim=1)
    log_prob, predicted = module.log_prob(input), module.predict(input)
result = {{
    'log_prob': torch.equal(log_prob.float(), forward.float()),
    'predict': torch.equal(predicted, forward.argmax(dim=1)),
}}"""

_BUFFERS = """\
module = {module}
result = [name for name, _ in module.named_buffers()]"""

_COPIES = """\
module = {module}
def is_alike(one):
    state, expected = one.state_dict(), module.state_dict()
    plain = {{k: value for k, value in vars(module).items() if isinstance(value, (bool, int, float, str))}}
    return (
        type(one) is type(module)
        and repr(one) == repr(module)
        and state.keys() == expected.keys()
        and all(torch.equal(tensor, expected[name]) for name, tensor in state.items())
        and all(vars(one)[name] == value for name, value in plain.items())
    )
copies = {{'deepcopy': copy.deepcopy(module), 'pickle': pickle.loads(pickle.dumps(module))}}
result = {{name: is_alike(one) for name, one in copies.items()}}"""

_REPR = """\
module = {module}
result = ' '.join(repr(module).split())"""

_PROGRAMS: Mapping[str, str] = {
    "class_chain": _CLASS_CHAIN,
    "dictionaries": _DICTIONARIES,
    "legacy_reduction": _LEGACY_REDUCTION,
    "buffers": _BUFFERS,
    "copies": _COPIES,
    "repr": _REPR,
    "state_dict": _STATE_DICT,
    "training_mode": _TRAINING_MODE,
    "log_prob": _LOG_PROB,
}


def reproduce_module(
    subject: str, aspect: str, loss: str, params: Mapping[str, Any], expected: object, was: str | None
) -> str:
    """A program that looks at one aspect of torch's module and fails unless it is as expected.

    Args:
        subject: the subject's name.
        aspect, loss, params, expected: as for ``Subject.inspect``.
        was: what the aspect must no longer be, as text, if anything.
    """
    if aspect in ("absent", "present"):
        names = expected if isinstance(expected, list) else [expected]
        lines = _NAMES.format(names=names, is_present=aspect == "present").splitlines()
    else:
        keywords = {**NEEDED.get(loss, {}), **params}
        shown = [
            f"{name}={name if isinstance(value, Values) else literal(value)}"
            for name, value in keywords.items()
        ]
        tensors = Call(loss, params, {}, None, "float64")
        module = f"torch.nn.{loss}({', '.join(shown)})"
        lines = [*tensor_lines(tensors), *_PROGRAMS[aspect].format(module=module).splitlines()]
    checks = [f"assert result == {expected!r}"]
    if was is not None:
        checks.append(f"assert str(result) != {was!r}")
    return program([*preamble(subject), *lines, "print(result)", *checks])
