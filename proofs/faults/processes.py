"""Hunting in several processes: a loss a job, the longest first."""

from __future__ import annotations

import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from pathlib import Path

from lossproof.corpus.reading import Corpus, load_corpus
from lossproof.running.selection import signatures
from proofs.faults.catalogue import FAULTS
from proofs.faults.matrix import Hunt, Kill, hunts


@dataclass(frozen=True)
class Bag:
    """What a hunt on one loss brought home.

    Attributes:
        loss: the loss.
        kills: what was caught by what.
        seconds: of the processor.
        unable: by id, why a case that should have caught a fault cannot.
        inapplicable: by id, why a fault does not apply to this torch.
        has_crashed: whether one of the faults ended the process that it was planted in.
    """

    loss: str
    kills: tuple[Kill, ...] = ()
    seconds: float = 0.0
    unable: Mapping[str, str] = field(default_factory=dict)
    inapplicable: Mapping[str, str] = field(default_factory=dict)
    has_crashed: bool = False


def hunt_all(root: Path, corpus: Corpus, faults: Sequence[str], is_full: bool, workers: int) -> Iterator[Bag]:
    """Hunt for faults, named by their ids, loss by loss as they are done."""
    jobs = hunts(corpus, [FAULTS[id] for id in faults])
    jobs.sort(key=lambda hunt: len(hunt.faults) * len(hunt.cases), reverse=True)
    unfinished = []
    for loss, bag in _hunted(root, jobs, is_full, workers):
        if bag is None:
            unfinished.append(loss)
        else:
            yield bag
    # A process that ends takes the jobs of its whole pool along: only alone does it show whose fault it was.
    for job in jobs:
        if job.loss in unfinished:
            for loss, bag in _hunted(root, [job], is_full, workers=1):
                yield bag or Bag(loss, has_crashed=True)


def _hunted(
    root: Path, jobs: Sequence[Hunt], is_full: bool, workers: int
) -> Iterator[tuple[str, Bag | None]]:
    """Each loss with what was found; with nothing where its process ended."""
    with ProcessPoolExecutor(workers, initializer=_prepare, initargs=(root,)) as pool:
        running = {
            pool.submit(_hunt, hunt.loss, [fault.id for fault in hunt.faults], is_full): hunt.loss
            for hunt in jobs
        }
        for done in as_completed(running):
            try:
                yield running[done], done.result()
            except BrokenProcessPool:
                yield running[done], None


_corpus: Corpus


def _prepare(root: Path) -> None:
    global _corpus  # a process reads it once, for all its jobs
    _corpus = load_corpus(root, signatures())
    warnings.simplefilter("ignore")  # the cases judge those that matter


def _hunt(loss: str, faults: Sequence[str], is_full: bool) -> Bag:
    started = time.process_time()
    [hunt] = hunts(_corpus, [FAULTS[id] for id in faults])
    kills = tuple(hunt.full() if is_full else hunt.short())
    unable = hunt.unable(kills)
    inapplicable = hunt.inapplicable(kills, unable)
    return Bag(loss, kills, time.process_time() - started, unable, inapplicable)
