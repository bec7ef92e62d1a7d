"""The search in several processes: one job for each loss, the longest first."""

from __future__ import annotations

import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from pathlib import Path

from lossproof.corpus.reading import Corpus, load_corpus
from proofs.faults.catalogue import FAULTS
from proofs.faults.matrix import Kill, Search, searches


@dataclass(frozen=True)
class LossResult:
    """The result of the search of one loss's cases.

    Attributes:
        loss: the loss.
        kills: which case catches which fault.
        seconds: of processor time.
        unable: by id, why a case cannot catch a fault as it should.
        inapplicable: by id, why a fault does not apply to this torch.
        has_crashed: whether one of the faults ended its process.
    """

    loss: str
    kills: tuple[Kill, ...] = ()
    seconds: float = 0.0
    unable: Mapping[str, str] = field(default_factory=dict)
    inapplicable: Mapping[str, str] = field(default_factory=dict)
    has_crashed: bool = False


def search_all(
    root: Path, corpus: Corpus, faults: Sequence[str], is_full: bool, workers: int
) -> Iterator[LossResult]:
    """Search for the cases that catch these faults; yield the result of each loss as soon as it is ready."""
    jobs = searches(corpus, [FAULTS[id] for id in faults])
    jobs.sort(key=lambda search: len(search.faults) * len(search.cases), reverse=True)
    unfinished = []
    for loss, result in _results(root, jobs, is_full, workers):
        if result is None:
            unfinished.append(loss)
        else:
            yield result
    # A process that ends takes all jobs of its pool along, so each is tried again alone to find the culprit.
    for job in jobs:
        if job.loss in unfinished:
            for loss, result in _results(root, [job], is_full, workers=1):
                yield result or LossResult(loss, has_crashed=True)


def _results(
    root: Path, jobs: Sequence[Search], is_full: bool, workers: int
) -> Iterator[tuple[str, LossResult | None]]:
    """Each loss with its result, or with None if its process ended."""
    with ProcessPoolExecutor(workers, initializer=_prepare, initargs=(root,)) as pool:
        running = {
            pool.submit(_search, job.loss, [fault.id for fault in job.faults], is_full): job.loss
            for job in jobs
        }
        for future in as_completed(running):
            try:
                yield running[future], future.result()
            except BrokenProcessPool:
                yield running[future], None


_corpus: Corpus


def _prepare(root: Path) -> None:
    global _corpus  # each process reads it once for all its jobs
    _corpus = load_corpus(root)
    warnings.simplefilter("ignore")  # cases check those that matter


def _search(loss: str, faults: Sequence[str], is_full: bool) -> LossResult:
    started = time.process_time()
    [search] = searches(_corpus, [FAULTS[id] for id in faults])
    kills = tuple(search.full() if is_full else search.short())
    unable = search.unable(kills)
    inapplicable = search.inapplicable(kills, unable)
    return LossResult(loss, kills, time.process_time() - started, unable, inapplicable)
