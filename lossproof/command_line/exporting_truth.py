"""``export --truth``: each call with its true results and budgets, for judging without this code.

``docs/INTERPRETING.md`` describes the format, and says what agrees.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from lossproof.adapters.features import needed
from lossproof.adapters.messages import run_message
from lossproof.adapters.parameters import effective_parameters, is_its_own
from lossproof.adapters.tensor_json import number_text, tensor_json
from lossproof.checks.values import KINDS
from lossproof.command_line.corpus import read_corpus
from lossproof.command_line.terminal import Mistake, progress
from lossproof.corpus.case import Case
from lossproof.corpus.complaints import suggestion
from lossproof.corpus.tensors import Tensor
from lossproof.judging.calls import CallPlanner, PlannedCall, make_call, reductions_of
from lossproof.judging.choices import other_truths
from lossproof.judging.number_text import true_text
from lossproof.judging.truth import Truth
from lossproof.numbers.formats import FORMATS
from lossproof.numbers.overflow import NEGATIVE, POSITIVE, UNDEFINED
from lossproof.records.quantity import Quantity
from lossproof.reference.catalogue import LOSSES
from lossproof.running.mistakes import SelectionError
from lossproof.running.selection import cases_matching, of_losses
from lossproof.subjects.call import Call, Values

FORMAT = "lossproof-truth"
VERSION = 1
# Larger tensors have the same truth as small ones, and make up most of the file.
_MOST_NUMBERS = 1024
_NAMES = {POSITIVE: "inf", NEGATIVE: "-inf", UNDEFINED: "nan"}


def truth_text(corpus: Path | None, patterns: str, losses: str, dtypes: str) -> str:
    """A line of JSON for each call of the selected cases, after a line that describes the file.

    The cases, losses and dtypes are selected as by ``verify``.

    Raises:
        Mistake: if one of them does not exist, or nothing matches all.
    """
    found = read_corpus(corpus)
    selected = tuple(part.strip() for part in dtypes.split(",") if part.strip()) or tuple(FORMATS)
    if unknown := [dtype for dtype in selected if dtype not in FORMATS]:
        raise Mistake(f"there is no dtype '{unknown[0]}'; {suggestion(unknown[0], FORMATS)}")
    try:
        matching = of_losses(cases_matching(found, patterns), losses)
    except SelectionError as mistake:
        raise Mistake(str(mistake)) from None
    cases = [case for case in matching if case.module is None]
    if not cases:
        raise Mistake("no case matches all of these options; leave one out")
    left_out = sorted({case.id for case in cases if _is_large(case) or _has_no_form(case)})
    head = {
        "format": FORMAT,
        "version": VERSION,
        "lossproof": version("lossproof"),
        "corpus": found.digest,
        "dtypes": {dtype: {"largest": number_text(FORMATS[dtype].largest)} for dtype in selected},
        "left_out": left_out,
    }
    lines = [_dump(head)]
    planner = CallPlanner()
    with progress("computing truth", len(cases)) as advance:
        for case in cases:
            if case.id not in left_out:
                lines += map(_dump, _lines(case, selected, planner))
            advance()
    return "\n".join([*lines, ""])


def _has_no_form(case: Case) -> bool:
    """Whether a case has a parameter that its loss lacks, for which there is no way to write it."""
    loss = LOSSES[case.loss]
    return not set(case.params) <= {*loss.parameters, *loss.typed_reductions}


def _is_large(case: Case) -> bool:
    tensors = [value for value in (*case.args.values(), *case.params.values()) if isinstance(value, Tensor)]
    return any(int(np.prod(tensor.shape)) > _MOST_NUMBERS for tensor in tensors)


def _lines(case: Case, dtypes: Iterable[str], planner: CallPlanner) -> Iterator[dict[str, Any]]:
    for dtype in dtypes:
        for reduction in reductions_of(case) if dtype in case.dtypes else ():
            id = "-".join(filter(None, (case.id, dtype, reduction)))
            about = {"id": id, "case": case.id, "title": case.title, "reduction": reduction}
            if case.raises is not None:
                call = make_call(case, dtype, reduction)
                yield about | _call(call) | {"refuse": case.raises.kind}
            else:
                yield about | _expected(planner.plan(case, dtype, reduction))


def _call(call: Call) -> dict[str, Any]:
    """What a runner is sent of a call; see ``docs/any-language.md``."""
    parameters = effective_parameters(call)
    message = run_message(call, 0, parameters, None)
    given = [name for name, value in parameters.items() if not is_its_own(call.loss, name, value, {})]
    return {key: message[key] for key in ("loss", "dtype", "parameters", "arguments")} | {
        "given": given,
        "needs": needed(call),
    }


def _expected(planned: PlannedCall) -> dict[str, Any]:
    call, dtypes = planned.call, planned.prepared.dtypes
    quantities = {"value": _truth_json(planned.truth.value, planned.prepared.dtype)}
    for kind, gradient in zip(KINDS, planned.truth.gradients, strict=False):
        for name in planned.prepared.differentiable:
            quantities[Quantity.of(kind, name)] = _truth_json(gradient[name], dtypes[name])
    upstreams = [tensor_json(Values(upstream, call.upstream_dtype)) for upstream in call.upstreams]
    return _call(call) | {"wrt": list(call.wrt), "upstreams": upstreams, "expect": quantities}


def _truth_json(truth: Truth, dtype: str) -> dict[str, Any]:
    places = list(np.ndindex(truth.value.shape))
    data = {"dtype": dtype, "shape": list(truth.value.shape)} | _numbers(truth)
    data["digits"] = [true_text(truth, place) for place in places]
    data["bound"] = _texts(truth.bound)
    if truth.picks:
        data["conventions"] = dict(truth.picks)
        data["otherwise"] = [
            {"conventions": dict(picks)} | _numbers(other) for picks, other in other_truths(truth)
        ]
    return data


def _numbers(truth: Truth) -> dict[str, Any]:
    """What an element is compared with."""
    data: dict[str, Any] = {"true": _texts(truth.value), "budget": _texts(truth.budget)}
    if truth.remainder.any():
        data["rest"] = _texts(truth.remainder)
    also = [_also(truth, place) for place in np.ndindex(truth.value.shape)]
    if any(also):
        data["also"] = also
    return data


def _also(truth: Truth, place: tuple[int, ...]) -> list[str]:
    """What is not finite, and passes in place of an element because something leaves the range."""
    marks = int(truth.overflows[place])
    names = [name for bit, name in _NAMES.items() if marks & bit]
    true, reach = float(truth.value[place]), float(abs(truth.value[place]) + truth.budget[place])
    if reach > truth.format.largest and true != 0:
        names.append(("inf" if true > 0 else "-inf") if truth.format.has_infinities else "nan")
    return sorted(set(names))


def _texts(numbers: npt.NDArray[np.float64]) -> list[str]:
    return [number_text(float(number)) for number in np.ravel(numbers)]


def _dump(value: Mapping[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)
