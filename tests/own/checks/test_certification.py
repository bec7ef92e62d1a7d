"""Certifying a case: all that it prints is judged, and its errata must be wrong."""

from __future__ import annotations

from typing import Any

from exact_arithmetic import literal
from printed_numbers import case, one, printed

from lossproof.checks.certification import certify
from lossproof.corpus.case import Erratum
from lossproof.records.record import Record


def certified(**changes: Any) -> list[Record]:
    return certify(case("CrossEntropyLoss", input=literal([["0", "0"]]), target=literal(["1"]), **changes))


def certified_outcomes(**changes: Any) -> list[tuple[str, str | None, str]]:
    return [(record.quantity, record.reduction, record.outcome) for record in certified(**changes)]


def test_certifying_judges_all_that_a_case_prints() -> None:
    outcomes = certified_outcomes(
        expect={
            "mean": (one("0.69"), one("0.6914", "bfloat16")),
            "sum": (one("0.7"),),
            "none": (printed("1"),),
        },
        gradient={"mean": {"input": (printed("0.5", "-0.5", shape=(1, 2)),)}},
    )
    assert outcomes == [
        ("printed", "mean", "agree"),
        ("printed", "mean", "agree"),
        ("printed", "sum", "agree"),
        ("printed", "none", "disagree"),
        ("printed:input", "mean", "agree"),
    ]


def test_an_erratum_must_be_wrong() -> None:
    assert certified_outcomes(erratum=Erratum({"mean": one("0.6")}, "", "a slip")) == [
        ("erratum", "mean", "agree")
    ]
    assert certified_outcomes(erratum=Erratum({"mean": one("0.69")}, "", "a slip")) == [
        ("erratum", "mean", "disagree")
    ]


def test_an_erratum_that_holds_says_why_and_has_no_share_of_a_budget() -> None:
    (record,) = certified(erratum=Erratum({"mean": one("0.6")}, "", "a slip"))
    assert record.message == "by what it says 0.6, true 0.69314718055994530942: a slip"
    assert record.error_over_budget is None


def test_a_record_says_where_its_number_stands() -> None:
    stated = {"mean": (one("0.69"),), "sum": (one("0.7"),)}
    erratum = Erratum({"mean": one("0.6")}, "", "a slip")
    for prints, places in (
        ((), ["case", "case", "formula"]),
        (("mean",), ["document", "case", "formula"]),
        (("sum", "erratum"), ["case", "document", "document"]),
    ):
        records = certified(expect=stated, erratum=erratum, prints=prints)
        assert [record.numbers and record.numbers["by"] for record in records] == places


def test_an_erratum_that_is_right_says_what_to_do() -> None:
    (record,) = certified(erratum=Erratum({"mean": one("0.69")}, "", "a slip"))
    assert "called an erratum, but right" in record.message
    assert "remove the erratum" in record.message
    assert (record.subject, record.case, record.file, record.line) == (None, "one", "cases/x.yaml", 3)


def test_what_no_precision_decides_cannot_be_certified() -> None:
    """0.35 - 0.1 is exactly between 0.2 and 0.3, but no ball around a tenth is a point."""
    call = case("L1Loss", input=literal(["0.35"]), target=literal(["0.1"]), expect={"mean": (one("0.2"),)})
    (record,) = certify(call)
    assert record.outcome == "error"
    assert "the reference cannot tell: whether 0.2 is a rounding of" in record.message


def test_what_the_reference_refuses_cannot_be_certified() -> None:
    call = case("NLLLoss", input=literal([["0", "0"]]), target=literal(["2"]), expect={"mean": (one("0.5"),)})
    (record,) = certify(call)
    assert record.outcome == "error"
    assert "the reference cannot tell" in record.message
