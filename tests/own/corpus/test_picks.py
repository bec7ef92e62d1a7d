"""The file of conventions holds for the subjects and releases that it names, and its mistakes are told."""

from __future__ import annotations

from pathlib import Path

import pytest
from repository import whole_corpus

from lossproof.corpus.complaints import CorpusError
from lossproof.corpus.picks import picks_of
from lossproof.corpus.reading import load_corpus, load_picks
from lossproof.reference.catalogue import CONVENTIONS

ENTRY = """\
picks:
  - conventions: [hinge-embedding-on-margin, triplet-on-margin]
    subject: torch.*
    pick: "1"
    until: "2.13"
  - conventions: [hinge-embedding-on-margin]
    subject: torch.*
    pick: "0"
    since: "2.14"
"""


def written(folder: Path, text: str) -> Path:
    (folder / "conventions.yaml").write_text(text, encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("subject", "version", "pick"),
    [
        ("torch.nn", "2.6.0", "1"),
        ("torch.nn.functional", "2.13.1+cpu", "1"),
        ("torch.nn", "2.14.0", "0"),
        ("torch.nn", "3.0.0", "0"),
        ("jax", "2.6.0", None),
    ],
)
def test_a_pick_holds_for_its_subjects_and_releases(
    tmp_path: Path, subject: str, version: str, pick: str | None
) -> None:
    picks = load_picks(written(tmp_path, ENTRY))
    assert picks_of(picks, subject, version).get("hinge-embedding-on-margin") == pick


def test_a_folder_without_the_file_has_no_picks(tmp_path: Path) -> None:
    assert load_picks(tmp_path) == ()


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("triplet-on-margin", "triplet-on-the-margin", "did you mean 'triplet-on-margin'?"),
        ('pick: "1"', 'pick: "2"', "'2' is not a pick of hinge-embedding-on-margin"),
        ('until: "2.13"', "until: 2.13", "until"),
        ("subject: torch.*", "subjects: torch.*", "did you mean 'subject'?"),
    ],
)
def test_a_mistake_is_told_with_its_line_and_a_remedy(tmp_path: Path, old: str, new: str, told: str) -> None:
    folder = written(tmp_path, ENTRY.replace(old, new, 1))
    for load in (load_picks, load_corpus):
        with pytest.raises(CorpusError) as caught:
            load(folder)
        assert told in str(caught.value)
        assert "conventions.yaml:" in str(caught.value)


@pytest.mark.parametrize("version", ["2.6.0", "2.13.0", "2.14.1", "2.15.0"])
def test_each_convention_that_torch_meets_has_a_pick_in_each_release(version: str) -> None:
    picks = whole_corpus().picks
    known = {
        name for subject in ("torch.nn", "torch-expressions") for name in picks_of(picks, subject, version)
    }
    assert known == CONVENTIONS.keys()
