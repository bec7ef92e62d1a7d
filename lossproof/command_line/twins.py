"""Finds the cases that are most like a new one: they may show the same already."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TypeVar

from lossproof.command_line.case_text import case_text
from lossproof.corpus.case import Case

Trait = TypeVar("Trait")

_MOST = 3
# At least this much of two cases is alike.
_ALIKE = 0.45
_WORD = re.compile(r"\w{4,}")


def near_twins(case: Case, others: Iterable[Case]) -> list[Case]:
    """The cases of the same loss and the same parameters that are most like a case, the most similar first.

    Their tensors may have other numbers, and their titles other words, but most of that is alike.
    """
    comparable = [
        one
        for one in others
        if (one.loss, one.params.keys()) == (case.loss, case.params.keys())
        and one.id != case.id
        and one.module is None
        and one.raises is None
    ]
    alike = [(similarity, one) for one in comparable if (similarity := _similarity(case, one)) >= _ALIKE]
    return [one for _, one in sorted(alike, key=lambda pair: -pair[0])[:_MOST]]


def _similarity(first: Case, second: Case) -> float:
    """From 0 to 1: how much the dimensions, the shapes, the values and the titles of two cases agree.

    That they share parameters counts, too: most cases have none.
    """
    shapes = [{name: tensor.shape for name, tensor in case.args.items()} for case in (first, second)]
    dimensions = [{(name, len(shape)) for name, shape in one.items()} for one in shapes]
    values = [
        {(name, case_text(value)) for name, value in {**case.args, **case.params}.items()}
        for case in (first, second)
    ]
    words = [{*_WORD.findall(case.title.lower())} for case in (first, second)]
    shared = [_common(*dimensions), _common(*values), _common(*words)]
    parts = [*shared, float(shapes[0] == shapes[1]), float(bool(first.params))]
    return sum(parts) / len(parts)


def _common(first: set[Trait], second: set[Trait]) -> float:
    """The part of two sets that is in both."""
    return len(first & second) / len(first | second) if first | second else 1.0
