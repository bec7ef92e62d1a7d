"""A run in shards on several machines, and their merged reports, which are those of one run."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from command_lines import typed
from hypothesis import given
from hypothesis import strategies as st
from repository import ROOT
from suite_runs import CASES, Suite

from lossproof.running.sharding import Shard, cases_in

MORE = "".join(
    f"""
  - id: more-{number}
    title: another case
    args: {{input: [[{number}, 2]], target: [0]}}
"""
    for number in range(6)
)
QUICKLY = ("--dtypes", "float32", "--subjects", "torch.nn,reference")

ids = st.lists(st.text("abc-0123456789", min_size=1), unique=True, max_size=60)
times = st.dictionaries(st.text("abc-0123456789", min_size=1), st.floats(0, 1000))


@given(ids, times, st.integers(1, 9))
def test_each_case_is_in_one_shard(cases: list[str], seconds: dict[str, float], count: int) -> None:
    shards = [cases_in(Shard(number, count), cases, seconds) for number in range(1, count + 1)]
    assert sorted(case for shard in shards for case in shard) == sorted(cases)


@given(ids, ids, st.integers(1, 9))
def test_without_times_a_case_stays_in_its_shard(cases: list[str], others: list[str], count: int) -> None:
    for number in range(1, count + 1):
        alone = cases_in(Shard(number, count), cases, {})
        assert cases_in(Shard(number, count), [*others, *cases], {}) & set(cases) == alone


@given(st.lists(st.floats(0.01, 100), min_size=1, max_size=60), st.integers(1, 9))
def test_with_times_no_shard_takes_longer_than_an_even_share_and_one_case(
    durations: list[float], count: int
) -> None:
    seconds = {f"case-{place}": duration for place, duration in enumerate(durations)}
    for number in range(1, count + 1):
        shard = cases_in(Shard(number, count), list(seconds), seconds)
        assert sum(map(seconds.__getitem__, shard)) <= sum(durations) / count + max(durations) + 1e-6


@pytest.fixture
def sharded(suite: Suite) -> Suite:
    (suite.cases / "losses.yaml").write_text(CASES + MORE)
    return suite


def run_shards(suite: Suite, count: int, *options: str) -> list[Path]:
    folders = [suite.reports.parent / f"shard-{number}" for number in range(1, count + 1)]
    for number, folder in enumerate(folders, start=1):
        finished = suite.verify(*QUICKLY, "--shard", f"{number}/{count}", "--reports", str(folder), *options)
        assert finished.returncode in (0, 1), finished.stdout + finished.stderr
    return folders


def merged(suite: Suite, folders: list[Path]) -> subprocess.CompletedProcess[str]:
    words = ["merge", *map(str, folders), "--reports", str(suite.reports.parent / "merged")]
    command = [sys.executable, "-m", "lossproof", *words, "--corpus", str(suite.cases)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)


def edited_copy(reports: Path, name: str, old: str, new: str) -> Path:
    """A copy of reports in which some text is another."""
    copy = reports.parent / name
    copy.mkdir()
    for file in ("results.jsonl", "junit.xml"):
        (copy / file).write_text((reports / file).read_text().replace(old, new))
    return copy


def after_the_first_line(path: Path) -> list[str]:
    return path.read_text().splitlines()[1:]


@pytest.mark.parametrize("is_broken", [False, True])
def test_merged_shards_are_one_run(sharded: Suite, is_broken: bool) -> None:
    if is_broken:  # a failure, and a problem of the whole run
        (sharded.cases / "losses.yaml").write_text((CASES + MORE).replace("0.3642", "0.3643"))
        (sharded.cases / "known-defects.yaml").write_text(
            "defects:\n  - {case: more-1, subject: torch.nn, dtypes: [float32], observed: 7,\n"
            '     quantities: [gradient:weight], expected: "8", why: nobody knows, kind: defect}\n'
        )
    whole = sharded.verify(*QUICKLY)
    folders = run_shards(sharded, 3, "--numprocesses", "1")
    finished = merged(sharded, list(reversed(folders)))
    assert finished.returncode == whole.returncode == is_broken, finished.stdout + finished.stderr
    together = sharded.reports.parent / "merged"
    for name in ("results.jsonl", "badge.json", "summary.md"):
        assert after_the_first_line(together / name) == after_the_first_line(sharded.reports / name), name
    assert (together / "report.html").exists()
    runs = [
        json.loads((folder / "results.jsonl").read_text().splitlines()[0])["run"]
        for folder in (together, sharded.reports)
    ]
    for name in ("counts", "problems", "standing", "news", "known_defects", "complete", "versions"):
        assert runs[0][name] == runs[1][name], name
    assert ("matches no check" in finished.stdout) is is_broken


def test_times_of_an_earlier_run_balance_the_shards(sharded: Suite) -> None:
    assert sharded.verify(*QUICKLY).returncode == 0
    folders = run_shards(sharded, 2, "--shard-times", str(sharded.reports))
    assert merged(sharded, folders).returncode == 0


def test_what_is_no_whole_run_is_refused_and_nothing_is_written(sharded: Suite) -> None:
    one, two = run_shards(sharded, 2)
    other = sharded.reports.parent / "other"
    options = ("--dtypes", "float64", "--subjects", "torch.nn,reference", "--shard", "2/2")
    sharded.verify(*options, "--reports", str(other))
    third = sharded.reports.parent / "third"
    sharded.verify(*QUICKLY, "--shard", "2/3", "--reports", str(third))
    elsewhere = edited_copy(two, "elsewhere", '"numpy": "', '"numpy": "0.')
    damaged = edited_copy(two, "damaged", '"seconds": ', '"second": ')
    strange = edited_copy(two, "strange", "more-", "fewer-")
    sharded.verify(*QUICKLY)
    refusals = {
        "shard 2/2 is missing": [one],
        "shard 2/2 is there more than once": [one, two, two],
        "are of different runs: dtypes float32, not float64": [one, other],
        "is shard 2/3, but": [one, third],
        "are of different runs: numpy": [one, elsewhere],
        "holds the reports of a whole run": [one, sharded.reports],
        "cannot be read": [one, sharded.cases],
        "the run's seconds is missing": [one, damaged],
        "which this run does not have": [one, strange],
    }
    for sentence, folders in refusals.items():
        finished = merged(sharded, folders)
        assert finished.returncode == 2, sentence
        assert sentence in finished.stderr.replace("\n", " "), (sentence, finished.stderr)
    assert not (sharded.reports.parent / "merged").exists()


def test_shards_of_other_cases_are_not_merged(sharded: Suite) -> None:
    folders = run_shards(sharded, 1)
    (sharded.cases / "losses.yaml").write_text(CASES)
    finished = merged(sharded, folders)
    assert finished.returncode == 2
    assert "Merge where the same is installed" in finished.stderr.replace("\n", " ")


@pytest.mark.parametrize("shard", ["0/2", "3/2", "1", "a/b", "1/0", "1/99999"])
def test_a_shard_that_does_not_exist_is_one_sentence(sharded: Suite, shard: str) -> None:
    finished = sharded.verify("--shard", shard)
    assert finished.returncode == 2
    said = finished.stdout + finished.stderr
    assert f"there is no shard '{shard}'; write 3/8" in said
    assert "Traceback" not in said


def test_times_that_cannot_be_read_are_one_sentence(sharded: Suite, tmp_path: Path) -> None:
    (tmp_path / "junit.xml").write_text("<testsuites>")
    for place in (tmp_path, tmp_path / "nothing"):
        finished = sharded.verify("--shard", "1/2", "--shard-times", str(place))
        assert finished.returncode == 2
        assert "cannot be read" in finished.stdout + finished.stderr


def test_workers_behind_gateways_give_the_same_records(sharded: Suite, tmp_path: Path) -> None:
    assert sharded.verify(*QUICKLY).returncode == 0
    alone = after_the_first_line(sharded.reports / "results.jsonl")
    gateways = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        gateways += ["--tx", f"popen//chdir={tmp_path / name}"]
    folders = (f"--corpus={sharded.cases}", f"--reports={sharded.reports.parent / 'together'}")
    command = [sys.executable, "-m", "lossproof", "verify", *folders, "--dtypes=float32", *gateways]
    command.append("--subjects=torch.nn,reference")
    finished = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert after_the_first_line(sharded.reports.parent / "together" / "results.jsonl") == alone
    assert "100 %" in finished.stdout


def test_a_shard_is_compared_as_far_as_it_goes(sharded: Suite) -> None:
    assert sharded.verify(*QUICKLY).returncode == 0
    (shard,) = run_shards(sharded, 1)
    said = typed("compare", str(sharded.reports), str(shard))
    assert said.status == 0, said.text
