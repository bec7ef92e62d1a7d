"""Small cases that are examined, and what is asked of their records."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from exact_arithmetic import literal
from pretenders import Pretender

from lossproof.checks.examination import Examiner
from lossproof.corpus.case import Case, Raised
from lossproof.corpus.reading import load_corpus
from lossproof.corpus.tensors import Tensor
from lossproof.records.record import Record
from lossproof.subjects.call import Call, ModeObservation, Observation
from lossproof.subjects.subject import Subject


def case(loss: str, args: Mapping[str, Tensor], **changes: Any) -> Case:
    return Case("one", "a case", loss, "cases/x.yaml", 3, args=args, **changes)


MATRIX = literal([["0.5", "-1"], ["2", "0.25"]])
DISTANCE = case("MSELoss", {"input": MATRIX, "target": literal([["1", "1"], ["1", "2"]])})
LABELLED = case("NLLLoss", {"input": MATRIX, "target": literal(["0", "1"])})


REFUSAL = Raised("index", "call", "IndexError", "Target [0-9]+ is out of bounds")


def examine(
    examined: Case, subject: Subject | None = None, dtype: str | None = "float64", **options: Any
) -> list[Record]:
    return Examiner(**options).examine(examined, Pretender() if subject is None else subject, dtype)


def cases_of(text: str) -> dict[str, Case]:
    """The cases of a file that holds this text, by their ids."""
    with TemporaryDirectory() as folder:
        Path(folder, "some.yaml").write_text(text)
        return {case.id: case for case in load_corpus(Path(folder)).cases}


def outcomes(records: list[Record]) -> set[tuple[str, str]]:
    return {(record.quantity, record.outcome) for record in records}


def named(records: list[Record], quantity: str) -> Record:
    """The first record of a quantity."""
    return next(record for record in records if record.quantity == quantity)


def plainly_again(mode: str, call: Call, answer: Observation, directions: Any) -> ModeObservation:
    """What ``twice`` and its like should yield."""
    return ModeObservation(answer.value, answer.dtype, answer.gradients[-1:])
