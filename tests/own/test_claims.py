"""Every claim of the five documents has its cases, and they run on torch and on the reference."""

from __future__ import annotations

from pathlib import Path

import pytest

from lossproof.checks.examination import Examiner
from lossproof.corpus.case import Case
from lossproof.corpus.reading import load_corpus
from lossproof.subjects.registry import find_subject

CLAIMS_OF_DOCUMENT = {"D000": 7, "D001": 5, "D002": 18, "D003": 10, "D004": 6}
CLAIMS = [f"{name}-{number}" for name, count in CLAIMS_OF_DOCUMENT.items() for number in range(1, count + 1)]
STRUCTURAL = {"D000-2", "D000-3", "D002-12", "D003-1", "D003-2"}
ERRATA = {"D001-2", "D001-5", "D002-3", "D002-12", "D002-13", "D003-2", "D003-7", "D004-1", "D004-3"}


@pytest.fixture(scope="module")
def cases_of_claim() -> dict[str, list[Case]]:
    corpus = load_corpus(Path(__file__).parents[2] / "cases")
    found: dict[str, list[Case]] = {claim: [] for claim in CLAIMS}
    for case in corpus.cases:
        if case.source:
            found[case.source.claim].append(case)
    return found


@pytest.mark.parametrize("claim", CLAIMS)
def test_a_claim_has_cases_in_the_file_of_its_document(
    cases_of_claim: dict[str, list[Case]], claim: str
) -> None:
    cases = cases_of_claim[claim]
    assert cases
    for case in cases:
        assert case.source is not None
        assert case.file == f"cases/documents/{case.source.document}.yaml"


@pytest.mark.parametrize("claim", sorted(set(CLAIMS) - STRUCTURAL))
@pytest.mark.parametrize("name", ["torch.nn.functional", "reference"])
def test_a_claim_about_numbers_runs_on_torch_and_on_the_reference(
    cases_of_claim: dict[str, list[Case]], claim: str, name: str
) -> None:
    examiner = Examiner()
    subject = find_subject(name)
    cases = [case for case in cases_of_claim[claim] if case.module is None]
    outcomes = {
        record.outcome
        for case in cases
        if "float64" in case.dtypes
        for record in examiner.examine(case, subject, "float64")
    }
    assert "agree" in outcomes


def test_exactly_the_wrong_claims_are_errata(cases_of_claim: dict[str, list[Case]]) -> None:
    errata = {claim for claim, cases in cases_of_claim.items() if any(case.erratum for case in cases)}
    assert errata == ERRATA


def test_exactly_the_outdated_claim_has_drifted(cases_of_claim: dict[str, list[Case]]) -> None:
    drifted = {claim for claim, cases in cases_of_claim.items() if any(case.drifted for case in cases)}
    assert drifted == {"D000-3"}
