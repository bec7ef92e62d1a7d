"""The combinations of circumstances: arrays cover all pairs that go together, and the file is up to date."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lossproof.corpus.case import Case
from lossproof.corpus.reading import load_corpus
from lossproof.numbers.formats import FORMATS
from lossproof.reference.catalogue import LOSSES
from proofs.combinations import FILE
from proofs.combinations.case_file import case_file, title
from proofs.combinations.catalogue import TABLES
from proofs.combinations.covering import Pair, all_pairs, covering_array, pairs_of
from proofs.combinations.table import Call, Choice, Row, Rule, Table
from proofs.combinations.tensors import drawn, in_blocks, patched

NAMES = [table.name for table in TABLES]


@cache
def array_of(name: str) -> list[Row]:
    """The array of the table of that name."""
    return covering_array(TABLES[NAMES.index(name)])


def nothing(choice: Choice) -> Call:
    return Call({}, {})


def forbidden(first: tuple[str, str], second: tuple[str, str]) -> Rule:
    """A rule against two levels at once."""
    return Rule((first[0], second[0]), lambda one, other: (one, other) != (first[1], second[1]))


@st.composite
def tables(draw: st.DrawFn) -> Table:
    sizes = draw(st.lists(st.integers(1, 4), min_size=2, max_size=5))
    dimensions = {f"d{place}": [f"l{level}" for level in range(size)] for place, size in enumerate(sizes)}
    settings = [(name, level) for name, levels in dimensions.items() for level in levels]
    pairs = st.tuples(st.sampled_from(settings), st.sampled_from(settings)).filter(
        lambda of: of[0][0] != of[1][0]
    )
    rules = [forbidden(*pair) for pair in draw(st.lists(pairs, max_size=6))]
    return Table("L1Loss", dimensions, rules, nothing)


def rows_of(table: Table) -> list[Row]:
    """Every row that breaks no rule."""
    rows = (
        dict(zip(table.dimensions, levels, strict=True)) for levels in product(*table.dimensions.values())
    )
    return [row for row in rows if not table.breaks(row)]


def covered(table: Table, rows: Sequence[Row]) -> set[Pair]:
    """All pairs that these rows hold."""
    return {pair for row in rows for pair in pairs_of(table, row)}


@given(table=tables())
@settings(max_examples=60, deadline=None)
def test_an_array_holds_exactly_the_pairs_that_go_together(table: Table) -> None:
    array = covering_array(table)
    assert [row for row in array if table.breaks(row) or {*row} != {*table.dimensions}] == []
    assert covered(table, array) == covered(table, rows_of(table))


@pytest.mark.parametrize("table", TABLES, ids=NAMES)
def test_a_pair_that_no_row_of_a_loss_holds_is_one_that_rules_forbid(table: Table) -> None:
    left = {*all_pairs(table)} - covered(table, array_of(table.name))
    assert [pair for pair in left if can_stand(table, dict(pair))] == []


def can_stand(table: Table, row: Mapping[str, str]) -> bool:
    """Whether some row holds these levels, looked for in the order of the dimensions."""
    if table.breaks(row):
        return False
    missing = [name for name in table.dimensions if name not in row]
    # What no rule speaks of can be anything.
    missing = [name for name in missing if any(name in rule.dimensions for rule in table.rules)]
    return not missing or any(
        can_stand(table, {**row, missing[0]: level}) for level in table.dimensions[missing[0]]
    )


def test_arrays_are_shorter_than_all_rows_by_far() -> None:
    dimensions = {f"d{place}": [f"l{level}" for level in range(4)] for place in range(8)}
    assert len(covering_array(Table("L1Loss", dimensions, (), nothing))) <= 30


def test_the_case_file_is_what_the_program_writes() -> None:
    assert FILE.read_text(encoding="utf-8") == case_file()


def test_every_loss_has_an_array() -> None:
    assert {table.loss for table in TABLES} == {*LOSSES}
    assert len({*NAMES}) == len(NAMES)


@pytest.mark.parametrize("table", TABLES, ids=NAMES)
def test_every_dtype_and_reduction_and_argument_and_parameter_is_in_the_array(table: Table) -> None:
    loss = LOSSES[table.loss]
    assert {*table.dimensions["dtype"]} in ({*FORMATS}, {"float32", "float64"})
    assert {*table.dimensions.get("reduction", ())} == {*loss.reductions}
    calls = [table.build(Choice(table.name, row)) for row in array_of(table.name)]
    assert {name for call in calls for name in call.args} == {*loss.arguments}
    given = {name for call in calls for name, text in call.params.items() if text is not None}
    assert {*loss.parameters} - given <= _NOT_VARIED.get(table.name, set())


# Parameters that no row gives, by the name of the table.
_NOT_VARIED: Mapping[str, set[str]] = {
    # Its weight is a known defect where a tensor has a subclass.
    "L1Loss": {"weight"},
    # It has no meaning for probabilities.
    "CrossEntropyLoss probabilities": {"ignore_index"},
    # The numbers of a row are those of one dtype; cases of their own cast them to another.
    "Softmax": {"dtype"},
    "LogSoftmax": {"dtype"},
}


def cases() -> list[Case]:
    return [case for case in load_corpus(FILE.parents[1]).cases if str(case.file).endswith(FILE.name)]


def test_a_case_has_one_dtype_and_one_reduction_and_an_id_of_its_contents() -> None:
    own = cases()
    assert len(own) == sum(len(array_of(name)) for name in NAMES)
    assert {len(case.dtypes) for case in own} == {1}
    assert {len(case.reductions or ()) for case in own if LOSSES[case.loss].reductions} == {1}
    assert [case.id for case in own if "-combination-" not in case.id] == []


def test_a_title_leaves_out_what_goes_without_saying() -> None:
    assert title({"dtype": "float32", "size": "-few", "place": "first"}) == "float32, first"


def test_the_draws_of_a_row_belong_to_it_alone() -> None:
    one, other = (Choice("L1Loss", {"dtype": dtype}) for dtype in ("float32", "float64"))
    assert one.seed("input") == Choice("L1Loss", {"dtype": "float32"}).seed("input")
    assert len({one.seed("input"), one.seed("target"), other.seed("input")}) == 3


def test_tensors_say_what_they_hold() -> None:
    few = in_blocks((1, -1), (2, 2), "int64")
    assert (few.text, few.values.tolist()) == ("{dtype: int64, data: [[1, -1], [1, -1]]}", [[1, -1], [1, -1]])
    many = in_blocks((1, -1), (9,))
    assert many.text == "{concatenate: [{fill: 1, shape: [4]}, {fill: -1, shape: [5]}], dim: 0}"
    assert many.values.tolist() == [1] * 4 + [-1] * 5
    number = drawn(-1, 1, (2, 3), 7, FORMATS["float32"])
    assert patched(number, {4: 0.5, 6: 2.0}).text == (
        "{patch: {uniform: [-1, 1], shape: [2, 3], seed: 7}, at: [[1, 1]], numbers: [0.5]}"
    )
