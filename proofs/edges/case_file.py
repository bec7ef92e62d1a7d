"""Writes the edges of all losses as a case file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any

import numpy as np
import numpy.typing as npt

from lossproof.numbers.formats import FORMATS, Format
from lossproof.reference.catalogue import LOSSES
from proofs.case_text import block, listed, number, slug
from proofs.edges.choosing import chosen_places, numbers_beside
from proofs.edges.finding import BATCH_AXIS, batch, edges
from proofs.edges.sweeps import SWEEPS, Sweep

_HEAD = """\
# Numbers at the edges of each formula: on both sides of where, as it runs in a dtype, one of its steps
# underflows, overflows, saturates, ties, changes its sign or takes another branch.
# Made from the formulas by `python -m proofs.edges`, which makes it anew; do not edit.
cases:
"""


def case_file(sweeps: Iterable[Sweep] = SWEEPS) -> str:
    """The text of the file: a case for each loss, variant and dtype."""
    return _HEAD + "".join(cases_of(sweeps))


def cases_of(sweeps: Iterable[Sweep]) -> Iterator[str]:
    """The text of each case; neighbouring sweeps of one loss and variant share a case.

    Raises:
        ValueError: where sweeps that share a case differ in their parameters.
    """
    for (loss, variant), group in groupby(sweeps, key=lambda sweep: (sweep.loss, sweep.variant)):
        own = list(group)
        if any(sweep.params != own[0].params for sweep in own):
            raise ValueError(f"sweeps of {loss} differ in their parameters; give them different variants")
        for format in FORMATS.values():
            yield _case("-".join(filter(None, (slug(loss), variant, "edges", format.name))), own, format)


def _case(id: str, sweeps: Sequence[Sweep], format: Format) -> str:
    loss = LOSSES[sweeps[0].loss]
    batches = [batch(sweep, _numbers(f"{id} {place}", sweep, format)) for place, sweep in enumerate(sweeps)]
    args = {
        name: values
        if name in sweeps[0].shared
        else np.concatenate([rows[name] for rows in batches], axis=BATCH_AXIS.get(name, 0))
        for name, values in batches[0].items()
    }
    params = sweeps[0].params
    lines = [
        f"  - id: {id}",
        f"    title: numbers beside the edges of the formula in {format.name}",
        f"    loss: {loss.name}",
        f"    dtypes: [{format.name}]",
        *(["    reductions: [none]"] if loss.reductions else []),
        *block("params", {name: _tensor(np.asarray(value)) for name, value in params.items()}),
        *block("args", {name: _tensor(values) for name, values in args.items()}),
    ]
    return "\n".join(lines) + "\n"


def _numbers(seed: str, sweep: Sweep, format: Format) -> npt.NDArray[np.float64]:
    places = chosen_places(edges(sweep, format), format)
    return numbers_beside(places, *sweep.limits(format), seed, format)


def _tensor(values: npt.NDArray[Any]) -> str:
    if values.size > 1 and np.all(values == values.flat[0]):
        return f"{{fill: {number(values.flat[0].item())}, shape: {list(values.shape)}}}"
    return listed(values)
