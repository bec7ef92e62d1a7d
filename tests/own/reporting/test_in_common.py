"""What failures have in common, in a sentence."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import product

from report_specimens import AGREES, RUN, result_of

from lossproof.records.outcome import Outcome
from lossproof.records.quantity import Quantity
from lossproof.records.record import Record
from lossproof.reporting.in_common import failures_by_loss, in_common
from lossproof.reporting.summary import summary_lines

CASES = ("with-delta", "with-a-large-delta", "plain")
SUBJECTS = ("torch.nn", "torch.nn.functional", "reference")
DTYPES = ("float64", "float32", "float16")
QUANTITIES = ("value", "gradient:input", "gradient:target")
LAYOUTS = ("contiguous", "strided", "transposed")


def ran() -> Iterable[Record]:
    """All checks of a small run; layouts are tried in float32 only, the reference in float64."""
    for case, subject, dtype, quantity, layout in product(CASES, SUBJECTS, DTYPES, QUANTITIES, LAYOUTS):
        if (layout == "contiguous" or dtype == "float32") and (subject != "reference" or dtype == "float64"):
            params = "reduction = 'mean'" if case == "plain" else "delta = 2.0\nreduction = 'mean'"
            yield replace(
                AGREES,
                case=case,
                loss="HuberLoss",
                subject=subject,
                dtype=dtype,
                quantity=Quantity(quantity),
                layout=layout,
                flags=["Branch"],
                detail={"inputs": "input = 1", "params": params},
            )


def said(*, subjects: Sequence[str] = SUBJECTS[:2], **wrong: Sequence[str]) -> str:
    """What failures share where all checks of these torch subjects with these fields are wrong."""
    records = [
        replace(record, outcome=Outcome.DISAGREE)
        if record.subject in subjects
        and all(getattr(record, name) in values for name, values in wrong.items())
        else record
        for record in ran()
    ]
    ((loss, failing, others),) = failures_by_loss(records)
    assert loss == "HuberLoss"
    return in_common(failing, others)


def test_a_dtype_and_a_parameter() -> None:
    """Layouts other than the contiguous one are tried in another dtype: that they agree says nothing."""
    told = said(dtype=["float16"], case=CASES[:2])
    assert told == "12 checks in 2 of 3 cases: only float16; all 2 cases have delta"


def test_a_layout_and_all_but_one() -> None:
    assert said(layout=["strided"], dtype=["float32"]).endswith("3 cases: only strided")
    assert said(layout=LAYOUTS[1:], dtype=["float32"]).endswith("only strided and transposed")


def test_a_subject_and_a_quantity() -> None:
    told = said(subjects=["torch.nn"], quantity=["gradient:target"])
    assert told == "15 checks in 3 cases: only torch.nn; only gradient:target"


def test_values_or_gradients_alone_and_that_the_others_are_right() -> None:
    gradients = said(quantity=QUANTITIES[1:])
    assert gradients == "60 checks in 3 cases: only gradients; the values are right"
    assert said(quantity=["value"]) == "30 checks in 3 cases: only values; the gradients are right"


def test_a_check_of_two_calls_says_nothing_about_one() -> None:
    """A mean that is wrong differs no more from a sum; under the sum, only their comparison fails."""
    torch = [one for one in ran() if one.subject != "reference"]
    means = [replace(one, outcome=Outcome.DISAGREE) for one in torch]
    sums = [replace(one, reduction="sum") for one in torch]
    compared = [replace(one, quantity=Quantity("differs_from"), outcome=Outcome.DISAGREE) for one in sums]
    assert in_common([*means, *compared], sums) == "180 checks in 3 cases: only mean"
    assert in_common(compared, sums) == "90 checks in 3 cases: only differs_from"


def test_a_layout_counts_only_beside_the_same_check_in_another() -> None:
    """Only a case that is right was tried in a layout of its own."""
    records = list(ran())
    wrong = [replace(one, outcome=Outcome.DISAGREE) for one in records if one.case == "plain"]
    expanded = [replace(one, layout="expanded") for one in records if one.case != "plain"]
    others = [one for one in records if one.case != "plain"]
    assert "expanded" not in in_common(wrong, [*others, *expanded])
    right = [replace(one, layout="expanded") for one in records if one.case == "plain"]
    assert "never expanded" in in_common(wrong, [*others, *right])


def test_what_everything_has_is_not_told() -> None:
    assert said() == "90 checks in 3 cases"


def test_the_last_lines_of_a_run_say_it() -> None:
    half = [replace(one, outcome=Outcome.DISAGREE) if one.dtype == "float16" else one for one in ran()]
    lines = summary_lines(RUN, [result_of(*half)], [])
    assert "fails: HuberLoss, 18 checks in 3 cases: only float16" in lines
