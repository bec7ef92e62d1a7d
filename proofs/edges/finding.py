"""Finds the edges of a formula: neighbouring numbers between which one of its steps changes its state."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from lossproof.numbers.formats import Float64Array, Format
from lossproof.reference.catalogue import LOSSES
from lossproof.reference.evaluation import prepare
from proofs.edges.floats import Places, number_at, probed_places
from proofs.edges.sweeps import Sweep
from proofs.edges.traced import States, Trace, Traced

# The dimension in which a batch lies, where it is not the first.
BATCH_AXIS = {"log_probs": 1}
# No dimension of a row has this size, so that a step's own dimension of probes can be told.
_FEWEST_PROBES = 64


class Edge(NamedTuple):
    """Two neighbouring numbers, the lower one at ``place``, between which a step changes its state.

    Steps are counted in the order in which they run. The change is that of the probes around the edge.
    """

    step: int
    place: int
    before: int
    after: int


class Run(NamedTuple):
    """A batch of probes: the state of each step at each of them, and whether the result shows anything."""

    states: States
    is_visible: npt.NDArray[np.bool_]


def batch(sweep: Sweep, numbers: Float64Array) -> dict[str, npt.NDArray[Any]]:
    """The arguments of a call that has a row for each of the numbers."""
    shared = {name: np.asarray(values) for name, values in sweep.shared.items()}
    args = {}
    for name, row in sweep.args.items():
        values = np.asarray(row)
        column = numbers.reshape(-1, *[1] * values.ndim)
        rows = np.broadcast_to(values, (len(numbers), *values.shape))
        if values.dtype.kind == "f":
            rows = np.where(np.isnan(values), column, rows)
        args[name] = np.moveaxis(rows, 0, BATCH_AXIS.get(name, 0))
    return {name: {**shared, **args}[name] for name in LOSSES[sweep.loss].arguments}


def run(sweep: Sweep, places: Places, format: Format) -> Run:
    """The value and the gradients at numbers of a format, as the reference computes them step by step.

    A narrow format has two arithmetics, both in use: each step is rounded to it, or to the wider format
    of its sums. The steps of both stand side by side.
    """
    numbers = number_at(np.resize(places, max(len(places), _FEWEST_PROBES)), format)
    reduction = {"reduction": "none"} if LOSSES[sweep.loss].reductions else {}
    call = prepare(sweep.loss, {**sweep.params, **reduction}, batch(sweep, numbers))
    states, is_visible = [], np.zeros(len(numbers), dtype=bool)
    for arithmetic in dict.fromkeys((format, format.accumulator)):
        trace = Trace(arithmetic, len(numbers))
        value = call.value(trace.lift)
        results = {"": value, **call.gradient(np.ones(value.shape), trace.lift)}
        states += trace.states
        is_visible |= _is_visible(results, format, len(numbers))
    return Run(np.concatenate(states, axis=1)[: len(places)], is_visible[: len(places)])


def edges(sweep: Sweep, format: Format) -> list[Edge]:
    """All edges of a sweep, those in one octave thinned out; in the order of steps."""
    places = probed_places(*sweep.limits(format), format)
    probed = run(sweep, places, format)
    changes = probed.states[1:] != probed.states[:-1]
    # Where the whole result is infinite, undefined or zero on both sides, nothing can be seen.
    changes &= (probed.is_visible[1:] | probed.is_visible[:-1])[:, None]
    steps, lefts = np.nonzero(changes.T)
    kept = _thinned(steps, lefts, probed.states, number_at(places, format))
    steps, lefts = steps[kept], lefts[kept]
    found = _bisected(sweep, format, steps, places[lefts], places[lefts + 1])
    change = probed.states[lefts, steps], probed.states[lefts + 1, steps]
    columns = (column.tolist() for column in (steps, found, *change))
    return sorted({Edge(*edge) for edge in zip(*columns, strict=True)})


def _bisected(sweep: Sweep, format: Format, steps: npt.NDArray[np.intp], low: Places, high: Places) -> Places:
    """For each step, a place between the two at which its state changes to that of the next place."""
    while np.any(high - low > 1):
        middle = low + (high - low) // 2
        own = np.arange(len(steps)), steps
        is_same = run(sweep, middle, format).states[own] == run(sweep, low, format).states[own]
        low, high = np.where(is_same, middle, low), np.where(is_same, high, middle)
    return low


def _thinned(
    steps: npt.NDArray[np.intp], lefts: npt.NDArray[np.intp], states: States, numbers: Float64Array
) -> npt.NDArray[np.intp]:
    """Which changes are looked at more closely: of each kind and step, one in an octave."""
    _, octave = np.frexp(numbers[lefts])
    before, after = states[lefts, steps], states[lefts + 1, steps]
    kinds = np.stack([steps, before, after, octave, numbers[lefts] < 0])
    return np.sort(np.unique(kinds, axis=1, return_index=True)[1])


def _is_visible(results: Mapping[str, Any], format: Format, probes: int) -> npt.NDArray[np.bool_]:
    """Whether any number of the result that belongs to a probe is finite and not zero."""
    visible = np.zeros(probes, dtype=bool)
    for result in results.values():
        values = result.value if isinstance(result, Traced) else np.asarray(result)
        if probes in values.shape:
            rows = np.moveaxis(format.round(values), values.shape.index(probes), 0).reshape(probes, -1)
            visible |= np.any(np.isfinite(rows) & (rows != 0), axis=1)
    return visible
