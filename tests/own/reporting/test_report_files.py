"""A set of files is written whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from lossproof.reporting.files import ReportError, write_whole

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
