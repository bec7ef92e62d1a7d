"""A set of files is written whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import signal
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from report_specimens import AGREES, PLAIN, result_of
from suite_runs import Suite

from lossproof.reporting.files import ReportError, demand_folder, write_whole
from lossproof.reporting.writing import write_reports

OLD = {"first": "old 1\n", "second": "old 2\n", "third": "old 3\n"}
NEW = {"first": "new 1\n", "second": "new 2\n", "third": "new 3\n"}


@pytest.fixture
def old(tmp_path: Path) -> Iterator[dict[str, str]]:
    """Reports of an earlier run; nothing beside them may be left when the test ends."""
    write_whole(tmp_path, OLD)
    yield {name: (tmp_path / name).read_text() for name in OLD}
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(OLD)


def test_a_missing_folder_is_made(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "reports"
    assert write_whole(folder, NEW) == [folder / name for name in OLD]
    assert sorted(path.name for path in folder.iterdir()) == sorted(OLD)


def test_new_reports_replace_old_ones(tmp_path: Path, old: dict[str, str]) -> None:
    write_whole(tmp_path, NEW)
    assert all((tmp_path / name).read_text() == content for name, content in NEW.items())


@pytest.mark.parametrize("failing", range(3))
def test_a_failing_replacement_leaves_the_old_ones(
    tmp_path: Path, old: dict[str, str], monkeypatch: pytest.MonkeyPatch, failing: int
) -> None:
    replace_file, calls = os.replace, iter(range(100))

    def failing_replace(source: Path, target: Path) -> None:
        if next(calls) == failing:
            raise OSError(errno.EIO, "Input/output error")
        replace_file(source, target)

    monkeypatch.setattr(os, "replace", failing_replace)
    with pytest.raises(ReportError, match="Input/output error"):
        write_whole(tmp_path, NEW)
    assert {name: (tmp_path / name).read_text() for name in OLD} == old


def test_a_failing_first_run_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    replace_file = os.replace

    def failing_replace(source: Path, target: Path) -> None:
        if target.name == "third":
            raise OSError(errno.EIO, "Input/output error")
        replace_file(source, target)

    monkeypatch.setattr(os, "replace", failing_replace)
    with pytest.raises(ReportError, match="Input/output error"):
        write_whole(tmp_path, NEW)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_in_a_file_s_place_stays(tmp_path: Path) -> None:
    (tmp_path / "third").mkdir()
    with pytest.raises(ReportError, match="could not be written"):
        write_whole(tmp_path, NEW)
    assert [path.name for path in tmp_path.iterdir()] == ["third"]


def test_a_full_disk_leaves_the_old_ones(
    tmp_path: Path, old: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    synced = iter(range(100))

    def full(file: int) -> None:
        if next(synced) == 1:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ReportError, match=r"No space left on device.*Free some space"):
        write_whole(tmp_path, NEW)
    assert {name: (tmp_path / name).read_text() for name in OLD} == old


def test_whoever_replaces_may_be_killed(
    tmp_path: Path, old: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    replace_file, run = os.replace, os.getpid()

    def deadly_replace(source: Path, target: Path) -> None:
        if target.name == "second" and os.getpid() != run:
            os.kill(os.getpid(), signal.SIGKILL)
        replace_file(source, target)

    monkeypatch.setattr(os, "replace", deadly_replace)
    with pytest.raises(ReportError, match="holds what it held before"):
        write_whole(tmp_path, NEW)
    assert {name: (tmp_path / name).read_text() for name in OLD} == old


def test_a_machine_without_room_for_a_process_gets_its_reports(
    tmp_path: Path, old: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full() -> int:
        raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")

    monkeypatch.setattr(os, "fork", full)
    write_whole(tmp_path, NEW)
    assert {name: (tmp_path / name).read_text() for name in OLD} == NEW


def test_what_a_killed_run_has_left_goes_with_the_next(tmp_path: Path, old: dict[str, str]) -> None:
    for name in (".first.12.new", ".third.12.old"):
        (tmp_path / name).write_text("half of")
    write_whole(tmp_path, NEW)


@pytest.mark.parametrize("target", ["/dev/zero", "nowhere"])
def test_a_link_is_replaced_and_not_followed(tmp_path: Path, target: str) -> None:
    (tmp_path / "second").symlink_to(target)
    write_whole(tmp_path, NEW)
    assert not (tmp_path / "second").is_symlink()
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == NEW


def test_a_pipe_in_a_file_s_place_is_one_sentence_and_stays(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "second")
    with pytest.raises(ReportError, match="second` is a named pipe"):
        write_whole(tmp_path, NEW)
    assert [path.name for path in tmp_path.iterdir()] == ["second"]


def test_a_pipe_for_the_faults_does_not_keep_the_reports_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "faults.json")
    with alarm(20):
        write_reports(tmp_path, PLAIN, [result_of(AGREES)])


@contextlib.contextmanager
def alarm(seconds: int) -> Iterator[None]:
    """Raise an error in what takes longer."""

    def ring(number: int, frame: object) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, ring)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def test_what_can_be_no_folder_is_refused_before_a_run(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    os.mkfifo(tmp_path / "pipe")
    for name in ("file", "link", "pipe", "file/below"):
        with pytest.raises(ReportError, match="is not a folder"):
            demand_folder(tmp_path / name)
    (tmp_path / "real").mkdir()
    (tmp_path / "real-link").symlink_to(tmp_path / "real")
    for name in ("real", "real-link", "real/below/it"):
        demand_folder(tmp_path / name)
    assert list((tmp_path / "real").iterdir()) == []


def test_a_read_only_folder_is_refused_before_a_run() -> None:
    # Not pytest's own folder, which nobody may even enter.
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o555)
        with without_privileges(), pytest.raises(ReportError, match="cannot be written to"):
            demand_folder(folder / "reports")


def test_a_run_refuses_such_a_folder_at_once(suite: Suite) -> None:
    suite.reports.write_text("not a folder")
    finished = suite.verify("--subjects", "reference")
    assert finished.returncode == 2
    assert "is not a folder" in finished.stdout + finished.stderr
    assert "%" not in finished.stdout
    assert suite.reports.read_text() == "not a folder"


def test_a_folder_that_is_a_file_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "reports").write_text("not a folder")
    with pytest.raises(ReportError, match=r"could not be written to .*reports"):
        write_whole(tmp_path / "reports", NEW)
    assert (tmp_path / "reports").read_text() == "not a folder"


@contextlib.contextmanager
def without_privileges() -> Iterator[None]:
    """Nobody but root may write everywhere, so root becomes nobody for a while."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_a_read_only_folder_leaves_the_old_ones() -> None:
    # Not pytest's own folder, which nobody may even enter.
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_whole(folder, OLD)
        folder.chmod(0o555)
        try:
            with (
                without_privileges(),
                pytest.raises(ReportError, match=r"Permission denied.*make it writable"),
            ):
                write_whole(folder, NEW)
        finally:
            folder.chmod(0o700)
        assert {path.name: path.read_text() for path in folder.iterdir()} == OLD


def test_who_comes_second_waits_until_all_is_written(tmp_path: Path, old: dict[str, str]) -> None:
    descriptor = os.open(tmp_path, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    second = threading.Thread(target=write_whole, args=(tmp_path, NEW))
    second.start()
    second.join(0.5)
    assert second.is_alive()
    assert {name: (tmp_path / name).read_text() for name in OLD} == old
    os.close(descriptor)
    second.join(60)
    assert {name: (tmp_path / name).read_text() for name in OLD} == NEW


def test_a_file_without_a_text_goes(tmp_path: Path) -> None:
    write_whole(tmp_path, OLD)
    written = write_whole(tmp_path, {**NEW, "second": None, "never": None})
    assert written == [tmp_path / "first", tmp_path / "third"]
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {
        "first": NEW["first"],
        "third": NEW["third"],
    }


def test_a_file_without_a_text_stays_when_another_cannot_be_written(
    tmp_path: Path, old: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    replace_file = os.replace

    def failing_replace(source: Path, target: Path) -> None:
        if source.name.endswith(".new") and target.name == "third":
            raise OSError(errno.EIO, "Input/output error")
        replace_file(source, target)

    monkeypatch.setattr(os, "replace", failing_replace)
    with pytest.raises(ReportError, match="Input/output error"):
        write_whole(tmp_path, {**NEW, "second": None, "never": None})
    assert {name: (tmp_path / name).read_text() for name in OLD} == old
