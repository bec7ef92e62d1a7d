"""Hunting in several processes: a loss a job, the longest first."""

from __future__ import annotations

import time
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path

from lossproof.corpus.reading import Corpus, load_corpus
from lossproof.faults.catalogue import FAULTS
from lossproof.faults.matrix import Kill, hunts
from lossproof.selection import signatures


class HuntError(Exception):
    """A hunt broke off; the message says why."""


@dataclass(frozen=True)
class Bag:
    """What a hunt on one loss brought home.

    Attributes:
        loss: the loss.
        kills: what was caught by what.
        seconds: of the processor.
    """

    loss: str
    kills: tuple[Kill, ...]
    seconds: float


def hunt_all(root: Path, corpus: Corpus, faults: Sequence[str], is_full: bool, workers: int) -> Iterator[Bag]:
    """Hunt for faults, named by their ids, loss by loss as they are done.

    Raises:
        HuntError: a fault ended the process that it was planted in.
    """
    jobs = hunts(corpus, [FAULTS[id] for id in faults])
    jobs.sort(key=lambda hunt: len(hunt.faults) * len(hunt.cases), reverse=True)
    with ProcessPoolExecutor(workers, initializer=_prepare, initargs=(root,)) as pool:
        running: dict[Future[Bag], str] = {
            pool.submit(_hunt, hunt.loss, [fault.id for fault in hunt.faults], is_full): hunt.loss
            for hunt in jobs
        }
        for done in as_completed(running):
            try:
                yield done.result()
            except BrokenProcessPool as error:
                raise HuntError(
                    f"a process ended while it hunted for the faults of {running[done]} or of another loss "
                    "at the same time; hunt for one loss after another to see which"
                ) from error


_corpus: Corpus


def _prepare(root: Path) -> None:
    global _corpus  # a process reads it once, for all its jobs
    _corpus = load_corpus(root, signatures())
    warnings.simplefilter("ignore")  # the cases judge those that matter


def _hunt(loss: str, faults: Sequence[str], is_full: bool) -> Bag:
    started = time.process_time()
    [hunt] = hunts(_corpus, [FAULTS[id] for id in faults])
    kills = tuple(hunt.full() if is_full else hunt.short())
    return Bag(loss, kills, time.process_time() - started)
