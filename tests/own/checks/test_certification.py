"""Certifying a case: all that it prints is judged, and its errata must be wrong."""

from __future__ import annotations

from typing import Any

from exact_arithmetic import literal
from printed_numbers import case, one, printed

from lossproof.checks.certification import certify
from lossproof.corpus.case import Erratum


def certified_outcomes(**changes: Any) -> list[tuple[str, str | None, str]]:
    call = case("CrossEntropyLoss", input=literal([["0", "0"]]), target=literal(["1"]), **changes)
    return [(record.quantity, record.reduction, record.outcome) for record in certify(call)]


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


def test_an_erratum_that_is_right_says_what_to_do() -> None:
    call = case(
        "CrossEntropyLoss",
        input=literal([["0", "0"]]),
        target=literal(["1"]),
        erratum=Erratum({"mean": one("0.69")}, "", "a slip"),
    )
    (record,) = certify(call)
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
