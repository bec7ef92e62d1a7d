"""A call made several times: what reads memory that nobody wrote may be right once, but not every time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from operator import attrgetter

from lossproof.judging.calls import PlannedCall
from lossproof.judging.verdict import Verdict, compare
from lossproof.subjects.call import Observation


def judge_repeats(planned: PlannedCall, observations: Sequence[Observation]) -> Iterator[tuple[str, Verdict]]:
    """Judge the value and each gradient, which must be right in every one of the observations.

    Where they are not, the verdict tells no number: it would be another one in the next run.
    """
    yield "value", _all([compare(seen.value, planned.truth.value) for seen in observations])
    for place, kind in enumerate(("gradient", "vjp")):
        for name in planned.prepared.differentiable:
            truth = planned.truth.gradients[place][name]
            # An output of the wrong shape has no gradients.
            gradients = [seen.gradients[place][name] for seen in observations if len(seen.gradients) > place]
            if gradients:
                yield f"{kind}:{name}", _all([compare(gradient, truth) for gradient in gradients])


def _all(verdicts: Sequence[Verdict]) -> Verdict:
    if all(verdict.agrees for verdict in verdicts):
        return max(verdicts, key=attrgetter("error_over_budget"))
    message = f"not right in every one of {len(verdicts)} runs of the same call"
    return Verdict(False, None, message, came_out=("varies",))
