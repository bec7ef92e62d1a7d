"""What a process keeps, others find; nothing that is damaged, foreign or hostile is ever taken for it."""

from __future__ import annotations

import os
import pickle
import tempfile
from pathlib import Path

import pytest

from lossproof.judging import content_store
from lossproof.judging.content_store import ContentStore, make_room, size_of

KEYS = [bytes([number]) * 16 for number in range(3)]
CONTENTS = [b"first", b"", b"third, which is longer"]


def stored(folder: Path) -> Path:
    """The file of a store that holds all contents."""
    store = ContentStore(folder)
    for key, content in zip(KEYS, CONTENTS, strict=True):
        store.add(key, content)
    store.keep()
    [path] = folder.iterdir()
    return path


def found(folder: Path) -> list[bytes | None]:
    store = ContentStore(folder)
    return [store.find(key) for key in KEYS]


def test_what_is_kept_is_found_by_other_processes_and_by_its_own(tmp_path: Path) -> None:
    store = ContentStore(tmp_path / "store")
    store.add(KEYS[0], b"content")
    assert store.find(KEYS[0]) == b"content"
    assert ContentStore(tmp_path / "store").find(KEYS[0]) is None
    store.keep()
    store.add(KEYS[1], b"later")
    store.keep()
    for reader in (store, ContentStore(tmp_path / "store")):
        assert [reader.find(key) for key in KEYS] == [b"content", b"later", None]


def test_a_store_that_was_searched_before_finds_what_it_keeps_later(tmp_path: Path) -> None:
    store = ContentStore(tmp_path / "a" / "store")
    assert store.find(KEYS[0]) is None
    store.add(KEYS[0], b"content")
    store.keep()
    assert store.find(KEYS[0]) == b"content"
    store.add(KEYS[1], b"later")
    store.keep()
    assert store.find(KEYS[1]) == b"later"
    assert len(list(store.folder.iterdir())) == 1


def test_a_process_adds_to_what_others_have_kept(tmp_path: Path) -> None:
    stored(tmp_path)
    store = ContentStore(tmp_path)
    store.add(b"other".ljust(16), b"content")
    store.keep()
    assert ContentStore(tmp_path).find(b"other".ljust(16)) == b"content"
    assert found(tmp_path) == CONTENTS


def test_a_damaged_file_costs_nothing_that_is_in_others(tmp_path: Path) -> None:
    path, other = stored(tmp_path), ContentStore(tmp_path)
    other.add(b"other".ljust(16), b"content")
    other.keep()
    path.write_bytes(path.read_bytes().replace(b"first", b"worst"))
    reader = ContentStore(tmp_path)
    assert reader.find(KEYS[0]) is None
    assert reader.find(b"other".ljust(16)) == b"content"
    assert not path.exists()


def test_what_is_not_kept_never_reaches_the_folder(tmp_path: Path) -> None:
    ContentStore(tmp_path / "store").add(KEYS[0], b"content")
    ContentStore(tmp_path / "store").keep()
    assert not (tmp_path / "store").exists()


@pytest.mark.parametrize("place", range(3 * 40 + sum(map(len, CONTENTS))))
def test_a_changed_byte_is_never_taken_for_truth(tmp_path: Path, place: int) -> None:
    path = stored(tmp_path)
    damaged = bytearray(path.read_bytes())
    damaged[place] ^= 0x21
    path.write_bytes(damaged)
    after = found(tmp_path)
    assert None in after
    assert all(content in (None, right) for content, right in zip(after, CONTENTS, strict=True))
    stored_again = ContentStore(tmp_path)
    for key, content in zip(KEYS, CONTENTS, strict=True):
        if stored_again.find(key) is None:
            stored_again.add(key, content)
    stored_again.keep()
    assert found(tmp_path) == CONTENTS


@pytest.mark.parametrize("length", range(3 * 40 + sum(map(len, CONTENTS))))
def test_what_is_left_of_a_truncated_file_is_whole(tmp_path: Path, length: int) -> None:
    path = stored(tmp_path)
    path.write_bytes(path.read_bytes()[:length])
    ends = [45, 85, 147]
    assert found(tmp_path) == [
        content if end <= length else None for content, end in zip(CONTENTS, ends, strict=True)
    ]


def test_a_file_that_shrinks_while_it_is_in_use_costs_no_more_than_what_it_held(tmp_path: Path) -> None:
    path, store = stored(tmp_path), ContentStore(tmp_path)
    assert store.find(KEYS[0]) == CONTENTS[0]
    path.write_bytes(path.read_bytes()[:100])
    assert store.find(KEYS[2]) is None
    path.unlink(missing_ok=True)
    assert store.find(KEYS[0]) is None


def test_a_file_from_another_state_of_the_code_is_foreign(tmp_path: Path) -> None:
    path = stored(tmp_path / "old")
    (tmp_path / "new").mkdir()
    path.rename(tmp_path / "new" / path.name)
    assert found(tmp_path / "new") == [None, None, None]


def test_a_content_under_another_key_is_foreign(tmp_path: Path) -> None:
    path = stored(tmp_path)
    path.write_bytes(path.read_bytes().replace(KEYS[0], b"x" * 16).replace(KEYS[2], KEYS[0]))
    assert ContentStore(tmp_path).find(KEYS[0]) is None


class Trap:
    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, ("sprung",)


def test_a_hostile_file_is_neither_executed_nor_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = stored(tmp_path / "store")
    path.with_name("pickle.kept").write_bytes(pickle.dumps(Trap()))
    path.with_name("endless.kept").write_bytes(KEYS[0] + b"\xff" * 24)
    os.mkfifo(path.with_name("pipe.kept"))
    path.with_name("device.kept").symlink_to("/dev/zero")
    path.with_name("nowhere.kept").symlink_to("nowhere")
    path.with_name("folder.kept").mkdir()
    assert found(tmp_path / "store") == CONTENTS
    assert not Path("sprung").exists()


def test_two_processes_write_at_once_and_lose_nothing(tmp_path: Path) -> None:
    first, second = ContentStore(tmp_path), ContentStore(tmp_path)
    for place, (key, content) in enumerate(zip(KEYS, CONTENTS, strict=True)):
        (first, second)[place % 2].add(key, content)
        first.keep()
        second.keep()
    assert found(tmp_path) == CONTENTS


@pytest.mark.parametrize("obstacle", ["a file", "no permission"])
def test_a_folder_that_cannot_be_written_is_no_accident(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, obstacle: str
) -> None:
    if obstacle == "a file":
        (tmp_path / "store").touch()
    else:

        def refuse(*args: object, **options: object) -> None:
            raise PermissionError(obstacle)

        monkeypatch.setattr(tempfile, "NamedTemporaryFile", refuse)
    store = ContentStore(tmp_path / "store")
    store.add(KEYS[0], b"content")
    store.keep()
    make_room(tmp_path / "store", "current")
    assert store.find(KEYS[0]) is None


def test_a_full_store_takes_nothing_more_and_no_content_is_huge(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = ContentStore(tmp_path)
    store.add(KEYS[0], bytes(2**21 + 1))
    store.add(KEYS[1], bytes(2**21))
    store.keep()
    monkeypatch.setattr(content_store, "LARGEST", 2**21)
    store.add(KEYS[2], b"more")
    store.keep()
    assert [content is None for content in found(tmp_path)] == [True, True, True]
    monkeypatch.undo()
    assert [content is None for content in found(tmp_path)] == [True, False, True]


def test_room_is_made_by_what_was_not_used_for_the_longest_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for age, name in enumerate(["new", "used", "old", "oldest"]):
        path = stored(tmp_path / name)
        os.utime(path.parent, (1000 - age, 1000 - age))
    size = size_of(tmp_path / "new")
    monkeypatch.setattr(content_store, "LARGEST", 3 * size)
    make_room(tmp_path, "oldest")
    assert {path.name for path in tmp_path.iterdir()} == {"new", "used", "oldest"}
    monkeypatch.setattr(content_store, "LARGEST", 2 * size)
    make_room(tmp_path, "next")
    assert {path.name for path in tmp_path.iterdir()} == {"new", "oldest", "next"}


def test_room_for_a_new_store_is_a_folder_whatever_lies_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_room(tmp_path, "next")
    assert (tmp_path / "next").is_dir()
    stray = tmp_path / "stray"
    stray.touch()
    os.utime(stray, (1, 1))
    path = stored(tmp_path / "old")
    os.utime(path.parent, (2, 2))
    monkeypatch.setattr(content_store, "LARGEST", 0)
    make_room(tmp_path, "next")
    assert not path.exists()
