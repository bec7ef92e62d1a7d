"""Judging the modes of a call: transformed, abstract, or under other settings, a loss is the same loss.

A mode is examined once a case: in one dtype, one layout and one reduction. That is the mean where there is
one: it goes through the scale as well as the sum, and its output is a single number.

What each mode is held against, B being the budget of the plain call, and 2B its tolerance:

- ``jvp``: the sum of gradient * direction over all tensors, weighted by the upstream gradient. That holds
  for outputs of any shape, takes kinks and conventions as the gradient does, and needs no other formula;
- ``func.grad``, ``vmap``, ``subclass``, ``threads``, ``channels_last``: the plain call, both within their
  tolerance; ``twice``: the plain call, bit for bit;
- ``double_backward``, ``forward_over_reverse``: dual numbers on the closed-form gradient, graded: see
  ``grading``. ``double_backward:upstream``, the gradient by the upstream gradient, is the same as ``jvp``;
- ``meta``, ``fake``: shapes and dtype of the plain call, and nothing computed;
- ``autocast``: the truth, within the budget of the narrowest dtype that any operation returned.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial

from lossproof.judging.calls import PlannedCall
from lossproof.judging.derivative_modes import double_backward, forward_over_reverse, jvp
from lossproof.judging.derivatives import Directions, directions_of
from lossproof.judging.details import describe
from lossproof.judging.mode_results import Judged, Seen
from lossproof.judging.plain_modes import abstract, as_plain, autocast, bit_for_bit, func_grad, vmap
from lossproof.judging.record import Record
from lossproof.judging.recorder import Recorder, digits
from lossproof.judging.verdict import compare
from lossproof.numbers.formats import FORMATS
from lossproof.subjects.call import Call, Observation, Refused, Unsupported
from lossproof.subjects.careful import Careful
from lossproof.subjects.program import Programs

_JUDGES: Mapping[str, Callable[[str, Seen], Iterator[Judged]]] = {
    "jvp": jvp,
    "double_backward": double_backward,
    "forward_over_reverse": forward_over_reverse,
    "func.grad": func_grad,
    "vmap": vmap,
    "meta": abstract,
    "fake": abstract,
    "subclass": as_plain,
    "twice": bit_for_bit,
    "threads": as_plain,
    "channels_last": as_plain,
    "autocast": autocast,
}


def reduction_for_modes(reductions: tuple[str | None, ...]) -> str | None:
    """The one reduction in which modes are examined."""
    return "mean" if "mean" in reductions else reductions[0]


def examine_modes(
    recorder: Recorder, subject: Careful, call: Call, planned: PlannedCall, plain: Observation
) -> Iterator[Record]:
    """The records of all modes of a call.

    There are none where the call itself goes wrong: that is on record, and its modes could only repeat it.
    """
    if not _is_right(planned, plain):
        return
    directions = directions_of(planned.prepared, FORMATS[call.dtype])
    for mode in subject.modes(call):
        detail = partial(_detail, subject.programs, call, directions)
        try:
            seen = Seen(planned, plain, subject.run_mode(mode, call, directions), directions)
            for judged in _JUDGES[mode](mode, seen):
                yield recorder.judged(
                    judged.quantity,
                    judged.verdict,
                    call.reduction,
                    detail=partial(detail, judged.quantity, judged),
                )
        except Unsupported as reason:
            yield recorder.record(mode, "unsupported", call.reduction, message=str(reason))
        except Refused as refused:
            message = f"raised {refused.type}: {refused}"
            yield recorder.record(
                mode,
                "error",
                call.reduction,
                message=message,
                detail=detail(mode),
                came_out=[refused.first_line],
            )


def _is_right(planned: PlannedCall, plain: Observation) -> bool:
    if plain.failed is not None:
        return False
    pairs = [(plain.value, planned.truth.value)]
    for observed, true in zip(plain.gradients, planned.truth.gradients, strict=False):
        pairs += [(observed[name], truth) for name, truth in true.items()]
    return all(compare(observed, truth).agrees for observed, truth in pairs)


def _detail(
    programs: Programs, call: Call, directions: Directions, quantity: str, judged: Judged | None = None
) -> dict[str, str]:
    mode, _, argument = quantity.partition(":")
    part, check = ("", ()) if judged is None else (judged.part, judged.check())
    program = programs.of_mode(mode, call, directions, argument or part)
    shown = describe(call) | {"snippet": program.text(*check)}
    if judged is None:
        return shown
    return shown | {"expected": digits(judged.expected), "observed": digits(judged.observed)}
