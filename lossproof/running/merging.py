"""Merges the reports of all shards of a run into those of the whole run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import Any

from lossproof.corpus.files import HISTORY
from lossproof.corpus.reading import load_corpus
from lossproof.history.on_record import as_data, read_table
from lossproof.records.record import Record
from lossproof.reporting.baseline import Baseline
from lossproof.reporting.jsonl import demand_fields, read_results
from lossproof.running.collection import RunReports
from lossproof.running.selection import SELECTING, select
from lossproof.running.sharding import Shard, parse_shard, seconds_of_trials

# The options that may differ between the shards of a run.
_OWN = ("shard", "workers")
_EXPECTED = {
    "versions": dict,
    "options": dict,
    "problems": list,
    "complete": bool,
    "started": str,
    "seconds": float,
}


class MergeError(ValueError):
    """These reports are not all shards of one run; the message says what is missing or differs."""


@dataclass(frozen=True)
class _Part:
    folder: Path
    shard: Shard
    run: Mapping[str, Any]
    records: Sequence[Record]
    seconds: Mapping[str, float]

    @property
    def options(self) -> dict[str, str]:
        return {name: value for name, value in self.run["options"].items() if name not in _OWN}


def merge(
    folders: Sequence[Path], corpus_folder: Path, output: Path, baseline: Baseline | None = None
) -> RunReports:
    """The whole run, of which each folder holds the reports of a shard.

    Raises:
        MergeError: a shard is missing or comes twice; or two shards differ in an option or a version, or from
            what is installed here.
        ReportError, ShardError: the reports of a shard cannot be read.
        CorpusError, SelectionError: the cases of the run cannot be read or selected here.
    """
    parts = [_read(folder) for folder in folders]
    _demand_all_shards(parts)
    first = parts[0]
    corpus = load_corpus(corpus_folder)
    selection = select(corpus, **{name: str(first.options.get(name, "")) for name in SELECTING})
    options = first.run["options"] | {"shard": ""}
    took = min(part.run["started"] for part in parts), sum(part.run["seconds"] for part in parts)
    history = as_data(read_table(corpus_folder / HISTORY, corpus.known_defects))
    whole = RunReports(output, corpus, selection, options, baseline, history, took)
    versions = whole.run.versions
    if first.run["versions"] != versions:
        differing = _difference(first.run["versions"], versions)
        raise MergeError(f"{first.folder} is of {differing} here. Merge where the same is installed.")
    ids = {(trial.case.id, trial.subject, trial.dtype): trial.id for trial in selection.trials}
    for part in parts:
        for trial, records in groupby(part.records, attrgetter("case", "subject", "dtype")):
            id = ids.get(trial)
            if id is None:
                raise MergeError(f"{part.folder} has records of {trial}, which this run does not have.")
            whole.add_records(id, part.seconds.get(id, 0.0), list(records))
        whole.add_problems(part.run["problems"])
    whole.finish(all(part.run["complete"] for part in parts))
    return whole


def _read(folder: Path) -> _Part:
    run, records = read_results(folder / "results.jsonl")
    demand_fields(f"{folder / 'results.jsonl'}:1", run, _EXPECTED)
    if not all(isinstance(problem, str) for problem in run["problems"]):
        raise MergeError(f"{folder / 'results.jsonl'}:1: a problem of the run is not a text. Run it again.")
    text = str(run["options"].get("shard", ""))
    if not text:
        raise MergeError(f"{folder} holds the reports of a whole run. Name the reports of its shards.")
    return _Part(folder, parse_shard(text), run, records, seconds_of_trials(folder))


def _demand_all_shards(parts: Sequence[_Part]) -> None:
    if not parts:
        raise MergeError("there is nothing to merge. Name the folders of the shards' reports.")
    first = parts[0]
    numbers = [part.shard.number for part in parts]
    for part in parts[1:]:
        for name in ("options", "versions"):
            ours, others = (one.options if name == "options" else one.run[name] for one in (first, part))
            if ours != others:
                differing = _difference(ours, others)
                raise MergeError(f"{first.folder} and {part.folder} are of different runs: {differing}.")
        if part.shard.count != first.shard.count:
            raise MergeError(
                f"{part.folder} is shard {part.shard}, but {first.folder} is shard {first.shard}."
            )
    for number in range(1, first.shard.count + 1):
        if numbers.count(number) != 1:
            state = "missing" if number not in numbers else "there more than once"
            raise MergeError(f"shard {Shard(number, first.shard.count)} is {state}. Name each shard once.")


def _difference(ours: Mapping[str, Any], others: Mapping[str, Any]) -> str:
    """The first entry in which two mappings differ, in words."""
    name = next(name for name in {**ours, **others} if ours.get(name) != others.get(name))
    return f"{name} {ours.get(name) or 'none'}, not {others.get(name) or 'none'}"
