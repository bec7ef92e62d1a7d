"""The table of losses and subjects: a cell is green only where every call gave a value, and it was right."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from page_reader import page_data
from report_specimens import AGREES, DEFECT, DISAGREES, ERRS, RUN, UNSUPPORTED, result_of

from lossproof.records.outcome import Outcome
from lossproof.records.quantity import Quantity
from lossproof.records.record import Record
from lossproof.reporting.badge import badge_json
from lossproof.reporting.cells import cell, cells_of, join
from lossproof.reporting.markdown import summary_markdown
from lossproof.reporting.summary import summary_lines
from lossproof.reporting.text import share
from lossproof.reporting.writing import write_reports

REFUSES = replace(AGREES, quantity=Quantity("raises"), error_over_budget=None)
GRADIENT = replace(AGREES, quantity=Quantity("gradient:input"), error_over_budget=0.5)
OVERFLOWED = replace(
    AGREES, outcome=Outcome.OVERFLOWED, rule="overflow", error_over_budget=None, message="the sum overflows"
)
MODULE = replace(AGREES, quantity=Quantity("module"), dtype=None, error_over_budget=None)


def states(*groups: Sequence[Record]) -> list[str]:
    return [cell(records).state for records in groups]


class TestStates:
    def test_a_cell_conforms_where_every_call_ran_and_agrees(self) -> None:
        assert states([AGREES, GRADIENT], [AGREES, REFUSES], [MODULE]) == ["conforms"] * 3

    def test_refusals_alone_show_nothing(self) -> None:
        """A dtype without a kernel refuses a wrong target as well as any other."""
        assert states([UNSUPPORTED] * 205 + [REFUSES] * 8, [REFUSES], []) == ["nothing to run"] * 3

    def test_a_cell_of_which_a_part_ran_is_partly_so(self) -> None:
        found = cell([UNSUPPORTED] * 3 + [AGREES, GRADIENT, REFUSES])
        assert (found.state, found.ran, found.calls) == ("partly", 1, 4)

    def test_what_is_wrong_goes_before_what_is_not_there(self) -> None:
        worse = [DISAGREES, ERRS, DEFECT, OVERFLOWED]
        for place, record in enumerate(worse):
            assert cell([AGREES, UNSUPPORTED, *worse[place:]]).state == record.outcome

    def test_what_all_overflowed_does_not_conform(self) -> None:
        found = cell([OVERFLOWED, OVERFLOWED])
        assert (found.state, found.counts) == ("overflowed", {"overflowed": 2})
        assert cell([AGREES, OVERFLOWED]).state == "overflowed"

    def test_a_share_is_of_the_budget_and_a_count_of_checks(self) -> None:
        found = cell([AGREES, GRADIENT, DEFECT, DEFECT])
        assert (found.share, found.counts) == (0.5, {"known defect": 2})
        found = cell([replace(AGREES, outcome=Outcome.DISAGREE, error_over_budget=math.inf), DEFECT])
        assert (found.share, found.counts) == (math.inf, {"disagree": 1, "known defect": 1})


class TestAllDtypes:
    def test_the_gravest_state_and_the_largest_share_stand_for_all(self) -> None:
        half = replace(GRADIENT, dtype="float16", quantity=Quantity("value"))
        (by_dtype,) = cells_of([AGREES, half, replace(DEFECT, dtype="float64")]).values()
        found = join(by_dtype)
        assert (found.state, found.share, found.counts) == ("known defect", 0.5, {"known defect": 1})

    def test_a_dtype_in_which_nothing_ran_makes_it_partly_so(self) -> None:
        (by_dtype,) = cells_of([AGREES, replace(UNSUPPORTED, dtype="float16")]).values()
        assert (join(by_dtype).state, join(by_dtype).calls) == ("partly", 2)

    def test_a_subject_without_modules_lacks_none(self) -> None:
        (by_dtype,) = cells_of([AGREES, replace(MODULE, outcome=Outcome.UNSUPPORTED)]).values()
        assert (join(by_dtype).state, join(by_dtype).calls) == ("conforms", 1)


class TestReports:
    RECORDS = (
        AGREES,
        replace(DISAGREES, dtype="float64"),
        replace(DEFECT, dtype="float16"),
        replace(GRADIENT, dtype="float16", quantity=Quantity("value")),
        *[replace(UNSUPPORTED, loss="CTCLoss")] * 5,
        replace(REFUSES, loss="CTCLoss"),
        replace(OVERFLOWED, loss="MSELoss"),
    )

    @pytest.fixture
    def cells(self, tmp_path: Path) -> dict[str, list[dict[str, Any]]]:
        write_reports(tmp_path, RUN, [result_of(*self.RECORDS)])
        rows = page_data(tmp_path / "report.html")["matrix"]["losses"]
        return {row["loss"]: row["cells"][0] for row in rows}

    def test_the_page_names_the_state_by_dtype(self, cells: dict[str, list[dict[str, Any]]]) -> None:
        found = [(part["dtype"], part["state"], part["share"]) for part in cells["CrossEntropyLoss"]]
        assert found == [
            ("float16", "known defect", 0.5),
            ("float32", "conforms", 0.25),
            ("float64", "disagree", 3.5e6),
        ]
        (ctc,), (mse,) = cells["CTCLoss"], cells["MSELoss"]
        assert (ctc["state"], ctc["ran"], ctc["calls"]) == ("nothing to run", 0, 5)
        assert (mse["state"], mse["counts"]) == ("overflowed", {"overflowed": 1})

    def test_the_summary_shows_the_numbers_of_the_page(self, cells: dict[str, list[dict[str, Any]]]) -> None:
        text = summary_markdown(RUN, self.RECORDS, None)
        assert "| CrossEntropyLoss | ✗ 3.5e+06 (✗ 1, ◆ 1) |" in text
        assert max(part["share"] for part in cells["CrossEntropyLoss"]) == 3.5e6
        assert "| CTCLoss | \N{EN DASH} |" in text
        assert "| MSELoss | ↥ (↥ 1) |" in text

    def test_the_badge_counts_losses_that_gave_a_value(self) -> None:
        assert "1 loss," in badge_json(RUN, [AGREES, replace(REFUSES, loss="CTCLoss")])


class TestSharesAsText:
    @pytest.mark.parametrize(
        ("value", "text"),
        [
            (0.0, "0"),
            (0.43219, "0.43"),
            (0.125, "0.13"),
            (0.9949, "0.99"),
            (0.9997, "<1"),
            (1.0, "1"),
            (1.00001, ">1"),
            (1.26, "1.3"),
            (99.7, "100"),
            (1234.5, "1,235"),
            (0.0009, "9.0e-04"),
            (123456.0, "1.2e+05"),
            (math.inf, "inf"),
            (math.nan, "nan"),
        ],
    )
    def test_they_never_round_to_the_whole_budget(self, value: float, text: str) -> None:
        assert share(value) == text

    def test_the_last_lines_do_not_read_as_a_failure_on_the_brink(self) -> None:
        record = replace(AGREES, subject=None, error_over_budget=0.9997)
        (line,) = [line for line in summary_lines(RUN, [result_of(record)], []) if line.startswith("largest")]
        assert " <1 " in line

    @pytest.mark.parametrize(("value", "is_less"), [(0.99999, True), (1.00001, False)])
    def test_the_page_gets_no_rounded_one(self, tmp_path: Path, value: float, is_less: bool) -> None:
        record = replace(AGREES if is_less else DISAGREES, error_over_budget=value)
        write_reports(tmp_path, RUN, [result_of(record)])
        (shown,) = page_data(tmp_path / "report.html")["columns"]["share"]["table"]
        assert (shown < 1) is is_less
        assert shown != 1
