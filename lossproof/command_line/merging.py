"""``merge``: the shards of a run into one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from lossproof.command_line.terminal import Mistake, progress, say
from lossproof.corpus.files import default_corpus
from lossproof.reporting.baseline import read_baseline
from lossproof.reporting.digest import verdict
from lossproof.reporting.files import ReportError
from lossproof.reporting.summary import summary_lines
from lossproof.running.merging import MergeError
from lossproof.running.merging import merge as merge_shards
from lossproof.running.mistakes import SelectionError
from lossproof.running.sharding import ShardError


def merge(folders: Sequence[Path], output: Path, baseline: Path | None, corpus: Path | None) -> bool:
    """Write the reports of the whole run, and return whether everything conforms."""
    try:
        with progress("merging the shards"):
            before = read_baseline(baseline) if baseline else None
            whole = merge_shards(folders, corpus or default_corpus(Path.cwd()), output, before)
            paths = whole.write()
    except (MergeError, ReportError, SelectionError, ShardError) as mistake:
        raise Mistake(str(mistake)) from mistake
    run = whole.run
    for line in summary_lines(run, whole.results, paths, whole.comparison):
        say(line)
    return verdict(run, whole.records).conforms
