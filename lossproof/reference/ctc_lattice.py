"""The alignments of a target with a longer input, and the sums over all of them by recursion.

Graves, Fernandez, Gomez and Schmidhuber (2006), "Connectionist temporal classification", section 4.1.

An alignment names a class for each frame of the input. It stands for the target that is left when repeated
classes are merged and blanks then removed. So it is a walk through states: a blank, the first label, a
blank, the second label, ..., a blank. From a state it stays, goes on by one, or skips a blank between two
different labels. The states of all targets of a batch lie side by side, padded to the longest.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from lossproof.numbers.base import Array
from lossproof.numbers.log_sum_exp import log_sum_exp
from lossproof.numbers.sharing import shared

Integers = npt.NDArray[Any]


@dataclass(frozen=True, eq=False)
class Lattice:
    """The states of N targets, L = 2 S + 1 for the longest target S.

    Attributes:
        labels: (N, L), the class of each state.
        is_state: (N, L), false beyond the states of a shorter target.
        may_skip: (N, L), whether the blank before a state may be left out.
        last_frame: (N), the last frame of each input, -1 where it has none.
        target_lengths: (N).
    """

    labels: Integers
    is_state: npt.NDArray[np.bool_]
    may_skip: npt.NDArray[np.bool_]
    last_frame: Integers
    target_lengths: Integers

    @shared
    def emissions(self, log_probs: Array) -> Array:
        """(T, N, L), the log-probability of each state's class in each frame."""
        index = np.broadcast_to(self.labels, (log_probs.shape[0], *self.labels.shape))
        return np.where(self.is_state, np.take_along_axis(log_probs, index, 2), -np.inf)

    @shared
    def forward(self, emissions: Array) -> Array:
        """(T, N, L), alpha: the log-probability of all ways from the start to a state, its frame included."""
        is_first = np.arange(self.labels.shape[1]) < 2
        alpha = np.where(is_first, emissions[0], -np.inf)
        alphas = [alpha]
        for frame in range(1, emissions.shape[0]):
            skipped = np.where(self.may_skip, _from_left(alpha, 2), -np.inf)
            alpha = log_sum_exp(np.stack([alpha, _from_left(alpha, 1), skipped]), 0) + emissions[frame]
            alphas.append(alpha)
        return np.stack(alphas)

    @shared
    def backward(self, emissions: Array) -> Array:
        """(T, N, L), beta: the log-probability of all ways from a state to the end, its frame included."""
        is_final = np.arange(self.labels.shape[1]) >= 2 * self.target_lengths[:, None] - 1
        onward = at_end = np.where(is_final, 0.0, -np.inf)
        betas: list[Array] = []
        for frame in reversed(range(emissions.shape[0])):
            is_last = (self.last_frame == frame)[:, None]
            beta = np.where(is_last, at_end, onward) + emissions[frame]
            betas.insert(0, beta)
            skipped = _from_right(np.where(self.may_skip, beta, -np.inf), 2)
            onward = log_sum_exp(np.stack([beta, _from_right(beta, 1), skipped]), 0)
        return np.stack(betas)

    @shared
    def log_likelihoods(self, alphas: Array) -> Array:
        """(N), the log-probability of all alignments: they end in the last label or the blank after it."""
        shape = (1, *self.labels.shape)
        index = np.broadcast_to(self.last_frame[:, None], shape)
        at_end = np.squeeze(np.take_along_axis(alphas, index, 0), 0)
        blank = 2 * self.target_lengths[:, None]
        on_blank = np.take_along_axis(at_end, blank, 1)
        on_label = np.take_along_axis(_from_left(at_end, 1), blank, 1)
        total = log_sum_exp(np.concatenate([on_blank, on_label], axis=1), 1)
        # Without frames there is one alignment, that of no labels.
        without_frames = np.where(self.target_lengths == 0, 0.0, -np.inf)
        return np.where(self.last_frame < 0, without_frames, total)


@shared
def lattice_of(targets: Integers, input_lengths: Integers, target_lengths: Integers, blank: int) -> Lattice:
    """The states of padded (N, S) or concatenated targets."""
    rows = _rows(targets, target_lengths)
    batch, longest = rows.shape
    is_state = np.arange(2 * longest + 1) <= 2 * target_lengths[:, None]
    labels = np.full((batch, 2 * longest + 1), blank)
    labels[:, 1::2] = rows
    labels = np.where(is_state, labels, blank)  # padding may be anything
    # Nothing comes from before the first two states, whatever these entries say.
    may_skip = labels != np.roll(labels, 2, axis=1)
    return Lattice(labels, is_state, may_skip, input_lengths - 1, target_lengths)


def _rows(targets: Integers, lengths: Integers) -> Integers:
    """The targets as rows; what lies beyond a row's own length is ignored."""
    longest = int(np.max(lengths))
    if targets.ndim == 2:
        return targets[:, :longest]
    starts = np.cumsum(lengths) - lengths
    place = starts[:, None] + np.arange(longest)
    return targets[np.minimum(place, targets.size - 1)]


def _from_left(values: Array, steps: int) -> Array:
    """Move each state's value to the state so many steps further on."""
    outside = np.full((values.shape[0], steps), -np.inf)
    return np.concatenate([outside, values], axis=1)[:, : values.shape[1]]


def _from_right(values: Array, steps: int) -> Array:
    """Move each state's value to the state so many steps back."""
    outside = np.full((values.shape[0], steps), -np.inf)
    return np.concatenate([values, outside], axis=1)[:, steps:]
