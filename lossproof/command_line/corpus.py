"""Finds cases and losses by the names that the user types."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable
from fnmatch import fnmatch
from pathlib import Path

from lossproof.command_line.terminal import Mistake, progress
from lossproof.corpus.case import Case, KnownDefect
from lossproof.corpus.complaints import suggestion
from lossproof.corpus.files import default_corpus
from lossproof.corpus.reading import Corpus, ids_in, load_corpus
from lossproof.reference.catalogue import LOSSES, loss_name
from lossproof.reference.loss import Loss


def read_corpus(folder: Path | None, mentioning: Collection[str] = ()) -> Corpus:
    """The case files of a folder, or the default ones; see ``load_corpus``."""
    with progress("reading the cases"):
        return load_corpus(folder or default_corpus(Path()), mentioning)


def find_case(folder: Path | None, id: str) -> tuple[Case, list[KnownDefect]]:
    """The case with an id and its known defects, or a Mistake that lists similar ids."""
    corpus = read_corpus(folder, [id])
    for case in corpus.cases:
        if case.id == id:
            return case, [defect for defect in corpus.known_defects if defect.case == id]
    raise Mistake(f"no case '{id}'; {_near(id, [case.id for case in read_corpus(folder).cases])}")


def matching(names: Iterable[str], pattern: str | None, kind: str) -> set[str]:
    """The names that match a shell pattern or contain it, all without a pattern; a Mistake if none does."""
    known = list(dict.fromkeys(names))
    if pattern is None:
        return set(known)
    shell_pattern = pattern if any(sign in pattern for sign in "*?[") else f"*{pattern}*"
    matches = {name for name in known if fnmatch(name.lower(), shell_pattern.lower())}
    if not matches:
        raise Mistake(f"no {kind} matches '{pattern}'; {_near(pattern, known)}")
    return matches


def find_loss(name: str) -> Loss:
    """The loss with a name: that of torch's class, or of its function, with or without ``F.``."""
    if (found := loss_name(name)) is not None:
        return LOSSES[found]
    if name.startswith("-"):
        raise Mistake(f"the loss comes before the options, and '{name}' is one: write LOSS --input ...")
    raise Mistake(f"there is no loss '{name}'; {suggestion(name, LOSSES)}")


def complete_case(incomplete: str) -> list[str]:
    """The ids with a prefix, for the shell, searched in the text of the files, which is fast."""
    ids = ids_in(sorted(default_corpus(Path()).rglob("*.yaml")))
    return [id for id in ids if id.startswith(incomplete)]


def _near(name: str, known: list[str]) -> str:
    part = name.strip("*").lower()
    containing = [one for one in known if part and part in one.lower()]
    near = difflib.get_close_matches(name, known, n=5, cutoff=0.5) or containing[:5]
    return f"near: {', '.join(near)}" if near else f"there are {len(known):,}, such as {', '.join(known[:3])}"
