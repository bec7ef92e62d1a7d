"""Another pick of what a formula leaves open is a changed convention, and what is no pick is wrong."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from exact_arithmetic import literal
from examined_cases import case
from pretenders import Modal

from lossproof.checks.examination import Examiner
from lossproof.corpus.case import Case
from lossproof.corpus.numeral import parse_numeral
from lossproof.corpus.picks import Pick
from lossproof.judging.choices import reclassify_conventions
from lossproof.records.record import ANOTHER, Record
from lossproof.reference.catalogue import CONVENTIONS
from lossproof.reference.conventions import DERIVATIVE, Convention, picking
from lossproof.reference.evaluation import as_float64
from lossproof.subjects.call import Call, ModeObservation, Observation
from lossproof.subjects.reference.subject import ReferenceSubject

EPS_OF_NONE = {"eps": parse_numeral("0")}
HALF = parse_numeral("0.5")

# A call of a loss in which each convention decides something.
CALLS: Mapping[str, Case] = {
    "hinge-embedding-on-margin": case(
        "HingeEmbeddingLoss", {"input": literal(["1", "0.5"]), "target": literal(["-1", "-1"])}
    ),
    "margin-ranking-on-margin": case(
        "MarginRankingLoss",
        {"input1": literal(["1", "3"]), "input2": literal(["1", "1"]), "target": literal(["1", "-1"])},
    ),
    "multi-margin-on-margin": case(
        "MultiMarginLoss", {"input": literal([["1", "0", "0.5"]]), "target": literal(["0"])}
    ),
    "multilabel-margin-on-margin": case(
        "MultiLabelMarginLoss",
        {"input": literal(["1", "0", "0.5"]), "target": literal(["0", "-1", "-1"])},
    ),
    "triplet-on-margin": case(
        "TripletMarginLoss",
        {
            "anchor": literal([["0", "0"]]),
            "positive": literal([["0", "0"]]),
            "negative": literal([["0", "1"]]),
        },
        params=EPS_OF_NONE,
    ),
    "triplet-swap-of-equals": case(
        "TripletMarginLoss",
        {
            "anchor": literal([["1", "0"]]),
            "positive": literal([["0", "1"]]),
            "negative": literal([["0", "0"]]),
        },
        params={**EPS_OF_NONE, "swap": True},
    ),
    "cosine-embedding-on-margin": case(
        "CosineEmbeddingLoss",
        {
            "input1": literal([["1", "0"]]),
            "input2": literal([["0", "1"]]),
            "target": literal(["-1"]),
        },
    ),
    "l1-at-zero": case("L1Loss", {"input": literal(["1", "2"]), "target": literal(["1", "1"])}),
    "smooth-l1-at-zero": case(
        "SmoothL1Loss",
        {"input": literal(["1", "2"]), "target": literal(["1", "1"])},
        params={"beta": parse_numeral("0")},
    ),
    "objective-l1-at-zero": case(
        "Objective", {"losses": literal(["1"]), "parameters": literal(["0", "1"])}, params={"l1": HALF}
    ),
    "norm-at-zero-component": case(
        "PairwiseDistance",
        {"x1": literal([["1", "2"]]), "x2": literal([["1", "0"]])},
        params={**EPS_OF_NONE, "p": parse_numeral("1")},
    ),
    "norm-at-zero-vector": case(
        "PairwiseDistance",
        {"x1": literal([["1", "2"]]), "x2": literal([["1", "2"]])},
        params=EPS_OF_NONE,
    ),
    "norm-below-one-at-zero-component": case(
        "PairwiseDistance",
        {"x1": literal([["1", "2"]]), "x2": literal([["1", "0"]])},
        params={**EPS_OF_NONE, "p": HALF},
    ),
    "norm-of-equal-components": case(
        "PairwiseDistance",
        {"x1": literal([["1", "1"]]), "x2": literal([["0", "0"]])},
        params={**EPS_OF_NONE, "p": parse_numeral(".inf")},
    ),
    "gaussian-variance-below-eps": case(
        "GaussianNLLLoss",
        {"input": literal(["1"]), "target": literal(["0"]), "var": literal(["0.25"])},
        params={"eps": HALF},
    ),
    "cosine-norm-below-eps": case(
        "CosineSimilarity",
        {"x1": literal([["3", "0"]]), "x2": literal([["1", "1"]])},
        params={"eps": parse_numeral("5")},
    ),
    "bce-next-to-0-and-1": case("BCELoss", {"input": literal(["0"]), "target": literal(["1"])}),
    "ctc-gradient-by-logits": case(
        "CTCLoss",
        {
            "log_probs": literal([[["-0.5", "-1"]], [["-1", "-0.5"]]]),
            "targets": literal([["1"]]),
            "input_lengths": literal(["2"]),
            "target_lengths": literal(["1"]),
        },
    ),
    "information-zero-log-zero": case("Entropy", {"p": literal(["0", "1"])}),
    "kl-div-zero-log-zero": case(
        "KLDivLoss", {"input": literal(["-1", "-2"]), "target": literal(["0", "1"])}
    ),
    "kl-div-zero-times-infinity": case(
        "KLDivLoss", {"input": literal(["-.inf", "-2"]), "target": literal(["0", "1"])}
    ),
    "kl-div-log-target-zero": case(
        "KLDivLoss",
        {"input": literal(["-1", "-2"]), "target": literal(["-.inf", "0"])},
        params={"log_target": True},
    ),
    "cross-entropy-zero-log-zero": case(
        "CrossEntropyLoss",
        {"input": literal([["-.inf", "0"]]), "target": literal([["0", "1"]])},
    ),
}
# What only forward mode asks for, which takes the derivative of a clamp.
CALLS_OF_JVP: Mapping[str, Case] = {
    "gaussian-variance-on-eps": case(
        "GaussianNLLLoss",
        {"input": literal(["1"]), "target": literal(["0"]), "var": literal(["0.5"])},
        params={"eps": HALF},
    ),
    "cosine-norm-on-eps": case(
        "CosineSimilarity",
        {"x1": literal([["5", "0"]]), "x2": literal([["1", "1"]])},
        params={"eps": parse_numeral("5")},
    ),
}


@dataclass
class Picking(ReferenceSubject):
    """The reference by other picks."""

    picks: Mapping[str, str]

    def run(self, call: Call) -> Observation:
        with picking(self.picks):
            return super().run(call)


@contextmanager
def extended(convention: Convention, word: str, number: float) -> Iterator[None]:
    """Let a convention have one pick more."""
    picks: Any = convention.picks
    picks[word] = number
    try:
        yield
    finally:
        del picks[word]


@dataclass
class Planted(ReferenceSubject):
    """The reference with another number in the place of a pick."""

    convention: Convention
    number: float

    def run(self, call: Call) -> Observation:
        with extended(self.convention, "planted", self.number), picking({self.convention.name: "planted"}):
            return super().run(call)


def judged(examined: Case, subject: Any, usual: Mapping[str, str]) -> list[Record]:
    """The records of a subject whose picks are on record."""
    picks = [Pick((name,), pick, "*", "", "") for name, pick in usual.items()]
    records = Examiner(with_modes=False, picks=picks).examine(examined, subject, "float64")
    return reclassify_conventions(records, usual)


def outcomes(records: list[Record]) -> set[str]:
    return {record.outcome for record in records}


def test_every_convention_of_the_catalogue_is_tried() -> None:
    assert CALLS.keys() | CALLS_OF_JVP.keys() == CONVENTIONS.keys()


@pytest.mark.parametrize("name", CALLS)
def test_the_pick_on_record_agrees_and_is_told(name: str) -> None:
    for pick in CONVENTIONS[name].picks:
        records = judged(CALLS[name], Picking({name: pick}), {name: pick})
        assert outcomes(records) <= {"agree"}
        assert {record.picks[name] for record in records if name in record.picks} == {pick}


@pytest.mark.parametrize("name", CALLS)
def test_another_pick_is_a_changed_convention_that_names_both(name: str) -> None:
    convention = CONVENTIONS[name]
    for pick in set(convention.picks) - {convention.usual}:
        records = judged(CALLS[name], Picking({name: pick}), {name: convention.usual})
        changed = [record for record in records if record.outcome == "changed convention"]
        assert changed
        assert outcomes(records) <= {"agree", "changed convention"}
        assert f"{name} is {pick} in place of {convention.usual}" in changed[0].message
        assert changed[0].error_over_budget is None
        assert {record.picks[name] for record in changed} == {pick}


@pytest.mark.parametrize("name", CALLS)
def test_where_no_pick_is_on_record_another_is_no_failure(name: str) -> None:
    convention = CONVENTIONS[name]
    for pick in set(convention.picks) - {convention.usual}:
        records = reclassify_conventions(
            Examiner(with_modes=False).examine(CALLS[name], Picking({name: pick}), "float64"), {}
        )
        assert "other convention" in outcomes(records)
        assert outcomes(records) <= {"agree", "other convention"}


KINKS = [name for name in CALLS if CONVENTIONS[name].ends is not None]


@pytest.mark.parametrize("name", KINKS)
def test_any_element_of_the_subdifferential_is_a_changed_convention(name: str) -> None:
    convention = CONVENTIONS[name]
    least, greatest = convention.ends or (0.0, 0.0)
    records = judged(
        CALLS[name], Planted(convention, 0.25 * least + 0.75 * greatest - 0.0625), {name: convention.usual}
    )
    changed = [record for record in records if record.outcome == "changed convention"]
    assert changed
    assert outcomes(records) <= {"agree", "changed convention"}
    assert {record.picks[name] for record in changed} == {ANOTHER}


@pytest.mark.parametrize("name", KINKS)
@pytest.mark.parametrize("beyond", [-0.0625, 0.0625])
def test_what_is_outside_the_subdifferential_disagrees(name: str, beyond: float) -> None:
    convention = CONVENTIONS[name]
    least, greatest = convention.ends or (0.0, 0.0)
    number = (greatest if beyond > 0 else least) + beyond
    records = judged(CALLS[name], Planted(convention, number), {name: convention.usual})
    assert "disagree" in outcomes(records)


@pytest.mark.parametrize("name", CALLS_OF_JVP)
@pytest.mark.parametrize(("number", "outcome"), [(1.0, "1"), (0.0, "0"), (0.5, ANOTHER), (1.5, "")])
def test_forward_mode_asks_for_the_slope_of_the_clamp(name: str, number: float, outcome: str) -> None:
    convention = CONVENTIONS[name]

    def along(mode: str, call: Call, answer: Observation, directions: Any) -> ModeObservation:
        from lossproof.judging.calls import prepare_call

        prepared = prepare_call(call)
        with extended(convention, "planted", number), picking({name: "planted"}):
            slopes = {one: as_float64(slope) for one, slope in prepared.derivative(call.upstreams[1]).items()}
        total = sum(float(np.sum(slopes[one] * directions[one])) for one in call.wrt)
        return ModeObservation(np.full(answer.value.shape, total / call.upstreams[1].item()), answer.dtype)

    picks = [Pick((name,), convention.usual, "*", "", "")]
    records = Examiner(picks=picks).examine(CALLS_OF_JVP[name], Modal(("jvp",), along), "float64")
    [record] = [record for record in records if record.quantity == "jvp"]
    if not outcome:
        assert record.outcome == "disagree"
    else:
        assert record.outcome == ("agree" if outcome == convention.usual else "changed convention")
        assert record.picks[name] == outcome


def test_the_derivative_is_a_pick_where_the_gradient_is_meant_to_be_another_function() -> None:
    for name in ("gaussian-variance-below-eps", "bce-next-to-0-and-1", "ctc-gradient-by-logits"):
        assert DERIVATIVE in CONVENTIONS[name].picks
