"""Printed in a document, following from what it says, or stated by the case: three things told apart."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from corpus_specimens import IN_ORDER, complaints_about, load

from lossproof.checks.certification import certify
from lossproof.corpus.case import Case, Document
from lossproof.corpus.keys import ERRATUM_NUMBERS
from lossproof.corpus.reading import Corpus, load_corpus
from lossproof.records.record import Record

STATED = """\
    source: {document: 002_76d7edb28dd97171, place: section 2, claim: D002-6}
    expect: {mean: 0.3642, sum: 1.8210}
    erratum: {says: {sum: [1.5]}, because: it lost a term}
"""
# The longest numbers that a note prints are what float32 showed; more digits are ours.
LONGEST = 17


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return load_corpus(Path(__file__).parents[2] / "cases")


def judged(tmp_path: Path, prints: str) -> dict[tuple[str, str | None], Record]:
    (case,) = load(tmp_path, x=IN_ORDER + STATED + prints).cases
    return {(record.quantity, record.reduction): record for record in certify(case)}


def stands(record: Record) -> str:
    assert record.numbers is not None
    where: str = record.numbers["by"]
    return where


def test_only_what_a_case_says_is_printed_counts_as_printed(tmp_path: Path) -> None:
    plain = judged(tmp_path, "")
    assert [stands(record) for record in plain.values()] == ["case", "case", "formula"]
    told = judged(tmp_path, "    prints: [mean, erratum]\n")
    assert [stands(record) for record in told.values()] == ["document", "case", "document"]


def test_the_message_says_no_more_than_the_case(tmp_path: Path) -> None:
    plain = judged(tmp_path, "")
    assert [record.message.split()[0] for record in plain.values()] == ["stated", "stated", "by"]
    told = judged(tmp_path, "    prints: [mean, erratum]\n")
    assert [record.message.split()[0] for record in told.values()] == ["printed", "stated", "printed"]


def test_both_sides_travel_as_data_with_their_shapes(tmp_path: Path) -> None:
    numbers = judged(tmp_path, "")["erratum", "sum"].numbers
    assert numbers is not None
    assert (numbers["stated"], numbers["shape"]) == (["1.5"], [1])
    assert (numbers["true_shape"], numbers["dtype"]) == ([], "")
    assert re.fullmatch(r"\d\.\d{15,}", numbers["true"][0])


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("prints: [none]", "prints[0] is 'none', which is not known"),
        ("prints: [mean, mean]", "prints names 'mean' more than once"),
        ("prints: []", "prints is an empty list"),
    ],
)
def test_what_a_document_prints_must_be_there(tmp_path: Path, line: str, complaint: str) -> None:
    (told,) = complaints_about(tmp_path, x=IN_ORDER + STATED + f"    {line}\n")
    assert complaint in told.problem


def test_without_a_document_nothing_is_printed_in_it(tmp_path: Path) -> None:
    text = IN_ORDER + "    expect: {mean: 0.7201}\n    prints: [mean]\n"
    (told,) = complaints_about(tmp_path, x=text)
    assert "the case names no 'source'" in told.problem


def test_an_erratum_in_words_has_no_numbers_to_print(tmp_path: Path) -> None:
    words = STATED.replace("{sum: [1.5]}", "it is never negative")
    (told,) = complaints_about(tmp_path, x=IN_ORDER + words + "    prints: [erratum]\n")
    assert "prints[0] is 'erratum', which is not known" in told.problem


def test_a_file_describes_its_document(tmp_path: Path) -> None:
    document = "document: {name: d, title: a note, about: losses}\n"
    assert load(tmp_path, x=document + IN_ORDER).documents == (Document("d", "a note", "losses"),)
    (told,) = complaints_about(tmp_path, x="document: {name: d, title: a note}\n" + IN_ORDER)
    assert "document lacks the key 'about'" in told.problem


def cited(corpus: Corpus) -> list[Case]:
    return [case for case in corpus.cases if case.source]


def test_every_document_that_is_cited_has_a_title_and_a_subject(corpus: Corpus) -> None:
    names = [document.name for document in corpus.documents]
    assert set(names) == {case.source.document for case in cited(corpus) if case.source}
    assert len(names) == len(set(names)) == 5


def test_places_are_words(corpus: Corpus) -> None:
    for case in cited(corpus):
        assert case.source is not None
        assert re.match(r"[a-z]{3,}", case.source.place), (case.id, case.source.place)


def test_no_document_prints_more_digits_than_a_machine_showed(corpus: Corpus) -> None:
    for case in cited(corpus):
        tensors = [one for name, many in case.expect.items() if name in case.prints for one in many]
        if case.erratum and ERRATUM_NUMBERS in case.prints:
            tensors += case.erratum.says.values()
        for number in (number for printed in tensors for number in printed.values):
            assert sum(map(str.isdigit, number.text)) <= LONGEST, (case.id, number.text)


@pytest.mark.parametrize("claim", ["D001-5", "D002-3", "D002-13", "D004-1", "D004-3"])
def test_these_errata_print_no_numbers(corpus: Corpus, claim: str) -> None:
    """A formula or a shape is wrong there; the numbers follow from it."""
    cases = [case for case in cited(corpus) if case.source and case.source.claim == claim and case.erratum]
    assert cases
    assert not any(ERRATUM_NUMBERS in case.prints for case in cases)


def test_no_number_of_the_first_document_is_printed_there(corpus: Corpus) -> None:
    cases = [case for case in cited(corpus) if case.source and case.source.document.startswith("000_")]
    assert not any(case.prints for case in cases)
