"""Chooses among the edges of a sweep, and the numbers beside them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from zlib import crc32

import numpy as np

from lossproof.corpus.generator import draw_bits
from lossproof.numbers.formats import Float64Array, Format
from proofs.edges.finding import Edge
from proofs.edges.floats import number_at, place_of

# So many edges of a sweep at most.
MOST_EDGES = 16
# The drawn neighbours of an edge lie within this part of an octave.
_REACH = 1 / 8


def chosen_places(edges: Sequence[Edge], format: Format) -> list[int]:
    """The places of the edges to keep, in ascending order.

    Each step has one before any step has two, then each kind of change of each step. Among equals those come
    first that are nearest to 1 in magnitude: the bugs that survive are at ordinary numbers.
    """
    _, octaves = np.frexp(number_at([edge.place for edge in edges], format))
    nearest = sorted(zip(np.abs(octaves).tolist(), edges, strict=True))
    seen: Counter[tuple[int, ...]] = Counter()
    turns = []
    for octave, edge in nearest:
        step, kind = (edge.step,), (edge.step, edge.before, edge.after)
        turns.append((seen[step] > 0, seen[kind], octave, edge.place))
        seen.update((step, kind))
    return sorted(list(dict.fromkeys(turn[-1] for turn in sorted(turns)))[:MOST_EDGES])


def numbers_beside(places: Sequence[int], low: float, high: float, seed: str, format: Format) -> Float64Array:
    """The numbers on both sides of each edge, and one drawn further out on each side.

    Args:
        places: of the numbers below the edges.
        low, high: what no number may exceed.
        seed: a text that tells these draws from others.
        format: the format of the numbers.

    Returns:
        Different numbers of the format, in ascending order.
    """
    below = np.array(places, dtype=np.int64)
    bits = draw_bits(2 * len(places), crc32(seed.encode()))
    # The neighbours of an edge are among the numbers already: what is drawn keeps away from it, but no one
    # knows how far a bug reaches, so that each number of bits in the upper half is as likely as another.
    longest = max(int(format.precision - 1 + np.log2(_REACH)), 1)
    lengths = longest - (bits >> np.uint64(32)) % np.uint64(longest // 2 + 1)
    distances = (1 + bits % (np.uint64(1) << lengths)).astype(np.int64).reshape(2, -1)
    around = np.unique(np.concatenate([below, below + 1, below - distances[0], below + 1 + distances[1]]))
    last = int(place_of(format.largest, format))
    numbers = number_at(around[np.abs(around) <= last], format)
    return numbers[(numbers >= low) & (numbers <= high)]
