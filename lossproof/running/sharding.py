"""Splits the cases of a run among machines, each of which runs one shard.

All dtypes and subjects of a case stay together, since they share its truth.
"""

from __future__ import annotations

import hashlib
import math
import re
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree


class ShardError(ValueError):
    """An option about shards is wrong; the message says how to mend it."""


@dataclass(frozen=True)
class Shard:
    """The shard ``number`` of ``count``, both from 1 on."""

    number: int
    count: int

    def __str__(self) -> str:
        """As the option is written."""
        return f"{self.number}/{self.count}"


def parse_shard(text: str) -> Shard:
    """Read a shard, such as ``3/8``.

    Raises:
        ShardError: there is no such shard.
    """
    match = re.fullmatch(r"([1-9]\d{0,3})/([1-9]\d{0,3})", text)
    shard = Shard(int(match[1]), int(match[2])) if match else None
    if shard is None or shard.number > shard.count:
        raise ShardError(f"there is no shard '{text}'; write 3/8 for the third of eight")
    return shard


def cases_in(shard: Shard, cases: Sequence[str], seconds: Mapping[str, float]) -> set[str]:
    """The ids of the cases in a shard.

    Args:
        shard: the shard.
        cases: the ids of all cases of the run.
        seconds: how long cases took in an earlier run. If it is empty, a case stays in its shard when others
            come and go; else all shards take about as long.
    """
    if not seconds:
        return {case for case in cases if _number(case) % shard.count == shard.number - 1}
    usual = statistics.median(seconds.values())
    ends = [0.0] * shard.count
    selected = set()
    # Each case goes to the shard that would end first, the longest case first.
    for case in sorted(cases, key=lambda case: (-seconds.get(case, usual), case)):
        place = ends.index(min(ends))
        ends[place] += seconds.get(case, usual)
        if place == shard.number - 1:
            selected.add(case)
    return selected


def seconds_of_trials(path: Path) -> dict[str, float]:
    """How long each trial took, by its id, from a ``junit.xml`` or the folder of reports that holds it.

    Raises:
        ShardError: the file cannot be read.
    """
    file = path / "junit.xml" if path.is_dir() else path
    if file.exists() and not file.is_file():  # nothing may ever come out of a pipe
        raise ShardError(f"{file} is not a file. Name the junit.xml of an earlier run.")
    try:
        tests = ElementTree.parse(file).getroot().iter("testcase")
        return {test.get("name", ""): _seconds(test.get("time", "")) for test in tests}
    except (OSError, ValueError, ElementTree.ParseError) as error:
        raise ShardError(f"{file} cannot be read: {error}. Name the junit.xml of an earlier run.") from error


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 <= seconds < math.inf:
        raise ValueError(f"'{text}' is not a number of seconds")
    return seconds


def seconds_of_cases(trials: Iterable[tuple[str, str]], seconds: Mapping[str, float]) -> dict[str, float]:
    """How long each case took, from the pairs of a trial's id and its case."""
    sums: dict[str, float] = {}
    for trial, case in trials:
        if trial in seconds:
            sums[case] = sums.get(case, 0.0) + seconds[trial]
    return sums


def _number(case: str) -> int:
    return int.from_bytes(hashlib.sha256(case.encode()).digest()[:8], "big")
