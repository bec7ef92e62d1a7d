"""Results of earlier runs that are cut off, made up or no files: each is refused in a sentence, and soon."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from command_lines import Said, typed
from suite_runs import Suite


class Shard:
    """The reports of a run in one shard, and its cases."""

    def __init__(self, folder: Path) -> None:
        suite = Suite(folder)
        finished = suite.verify("--subjects", "reference", "--dtypes", "float64", "--shard", "1/1")
        assert finished.returncode == 0, finished.stdout
        self.reports, self.cases = suite.reports, suite.cases

    def copy(self, folder: Path) -> Path:
        return Path(shutil.copytree(self.reports, folder / "reports"))

    def merged(self, reports: Path) -> Said:
        output = str(reports.parent / "merged")
        return typed("merge", str(reports), "--corpus", str(self.cases), "--reports", output)


@pytest.fixture(scope="module")
def shard(tmp_path_factory: pytest.TempPathFactory) -> Shard:
    return Shard(tmp_path_factory.mktemp("shard"))


def _lines(path: Path, change: Callable[[list[str]], list[str]]) -> None:
    path.write_text("\n".join(change(path.read_text().splitlines())) + "\n")


def _cut_at_a_line(path: Path) -> None:
    _lines(path, lambda lines: lines[:3])


def _cut_in_a_line(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-40])


def _zeros(path: Path) -> None:
    path.unlink()
    with path.open("wb") as file:
        file.truncate(1_000_000_000)


def _pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def _device(path: Path) -> None:
    path.unlink()
    path.symlink_to("/dev/zero")


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _run_line(**changes: Any) -> Callable[[Path], None]:
    def change(lines: list[str]) -> list[str]:
        first = json.loads(lines[0])
        first["run"] |= changes
        return [json.dumps(first), *lines[1:]]

    return lambda path: _lines(path, change)


# How results.jsonl is damaged, and what is said of it by compare and by merge.
DAMAGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "cut at the end of a line": (_cut_at_a_line, "Was the file cut off?"),
    "cut in a line": (_cut_in_a_line, "Was the file cut off?"),
    "empty": (lambda path: path.write_text(""), ":1: the first line should describe the run"),
    "of other bytes": (lambda path: path.write_bytes(b"\xff\xfe"), "cannot be read: 'utf-8' codec"),
    "zeros": (_zeros, "a line of more than"),
    "a pipe": (_pipe, "cannot be read: it is not a file"),
    "a device": (_device, "cannot be read: it is not a file"),
    "a folder": (_folder, "cannot be read: "),
    "an endless number": (lambda path: path.write_text("1" * 5000), ":1: not a line of JSON"),
    "deep": (lambda path: path.write_text("[" * 200_000), ":1: not a line of JSON"),
    "fewer checks than it says": (_run_line(counts={"agree": 999}), "its run made 999 checks"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_results_are_refused_by_whoever_reads_them(shard: Shard, tmp_path: Path, damage: str) -> None:
    act, words = DAMAGES[damage]
    copy = shard.copy(tmp_path)
    act(copy / "results.jsonl")
    commands = [typed("compare", str(shard.reports), str(copy / "results.jsonl")), shard.merged(copy)]
    for said in commands:
        # A file that lacks what its name promises may be sought in the folder of that name.
        assert said.status == 2, said.text
        assert words in said.text.replace("\n", " ")
    assert not (tmp_path / "merged").exists()


def _records(**changes: Any) -> Callable[[Path], None]:
    """Changes of all lines about cases and trials, or about the checks of a trial."""

    def change(line: str) -> str:
        data = json.loads(line)
        for name, value in changes.items():
            part = data.get("case") or data["trial"]
            if "checks" in part and name in ("message", "detail", "came_out"):
                part["checks"][name] = [value] * len(part["checks"]["quantity"])
            elif name in part:
                part[name] = value
        return json.dumps(data)

    return lambda path: _lines(path, lambda lines: [lines[0], *map(change, lines[1:])])


# How what merge alone reads is damaged, and what is said of it.
MERGED: dict[str, tuple[Callable[[Path], object], str]] = {
    "problems that are no texts": (_run_line(problems=[{"a": 1}]), "a problem of the run is not a text"),
    "a title that is a list": (_records(title=[1]), "(title of type list)"),
    "a subject that is a list": (_records(subject=["reference"]), "(subject of type list)"),
    "flags that are a number": (_records(flags=5), "(flags of type int)"),
    "a message that is a mapping": (_records(message={}), "(message of type dict)"),
    "details that are a number": (_records(detail=7), "(detail of type int)"),
}


@pytest.mark.parametrize("damage", MERGED)
def test_damaged_records_are_not_merged(shard: Shard, tmp_path: Path, damage: str) -> None:
    act, words = MERGED[damage]
    copy = shard.copy(tmp_path)
    act(copy / "results.jsonl")
    said = shard.merged(copy)
    assert said.status == 2
    assert words in said.text.replace("\n", " ")
    assert not (tmp_path / "merged").exists()


LAUGHS = "".join(f'<!ENTITY {new} "{f"&{old};" * 10}">' for old, new in pairwise("abcdefghijklm"))
TIMES: dict[str, tuple[Callable[[Path], object], str]] = {
    "laughs": (
        lambda path: path.write_text(f'<!DOCTYPE t [<!ENTITY a "lol">{LAUGHS}]><t>&m;</t>'),
        "limit on input amplification",
    ),
    "zeros": (_zeros, "cannot be read: not well-formed"),
    "a pipe": (_pipe, "is not a file"),
    "a device": (_device, "is not a file"),
    "no times": (lambda path: path.write_text('<t><testcase name="a" time="nan"/></t>'), "'nan' is not a"),
}


@pytest.mark.parametrize("damage", TIMES)
def test_damaged_times_are_refused(shard: Shard, tmp_path: Path, damage: str) -> None:
    act, words = TIMES[damage]
    copy = shard.copy(tmp_path)
    act(copy / "junit.xml")
    said = shard.merged(copy)
    assert said.status == 2
    assert words in said.text.replace("\n", " ")


def test_times_need_a_shard(suite: Suite) -> None:
    finished = suite.verify("--shard-times", "junit.xml")
    assert finished.returncode == 2
    assert "--shard-times balances shards; name one of them with --shard" in finished.stderr + finished.stdout
