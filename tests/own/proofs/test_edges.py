"""The edges of formulas: all that are known are found, and the case file is what the program writes."""

from __future__ import annotations

import math

import numpy as np
import pytest

from lossproof.numbers.formats import FORMATS, Format
from lossproof.reference.catalogue import LOSSES
from proofs.edges.__main__ import FILE
from proofs.edges.case_file import cases_of
from proofs.edges.choosing import MOST_EDGES, chosen_places, numbers_beside
from proofs.edges.finding import Edge, edges
from proofs.edges.floats import number_at, place_of, probed_places
from proofs.edges.sweeps import SWEEPS, WITHOUT_EDGES, Sweep, X

SINGLE = FORMATS["float32"]
# Losses with many edges that take little time to find.
CHEAP = ("HuberLoss", "SoftMarginLoss", "KLDivLoss")


def edges_of(sweep: Sweep, format: Format = SINGLE) -> set[tuple[float, float]]:
    """Both numbers of each edge."""
    places = np.array([edge.place for edge in edges(sweep, format)])
    return set(zip(number_at(places, format).tolist(), number_at(places + 1, format).tolist(), strict=True))


def around(number: float, format: Format = SINGLE) -> tuple[float, float]:
    """The neighbouring numbers of the format with this number between them, or as the upper one."""
    place = int(place_of(format.round(number), format))
    place -= int(float(number_at(place, format)) >= number)
    return float(number_at(place, format)), float(number_at(place + 1, format))


@pytest.mark.parametrize("loss", CHEAP)
def test_the_case_file_is_what_the_program_writes(loss: str) -> None:
    written = FILE.read_text(encoding="utf-8")
    cases = list(cases_of(sweep for sweep in SWEEPS if sweep.loss == loss))
    # The last bit of an exponential in float64 is another with each build of NumPy.
    cases = [case for case in cases if loss == "HuberLoss" or "dtypes: [float64]" not in case]
    assert len(cases) >= len(FORMATS) - 1
    assert [case for case in cases if case not in written] == []


def test_sweeps_that_share_a_case_have_the_same_parameters() -> None:
    sweeps = [Sweep("HuberLoss", {"input": X, "target": 0.0}, {"delta": delta}) for delta in (1.0, 2.0)]
    with pytest.raises(ValueError, match=r"^sweeps of HuberLoss differ in their parameters"):
        list(cases_of(sweeps))


def test_every_loss_has_a_sweep_or_a_reason_to_have_none() -> None:
    swept = {sweep.loss for sweep in SWEEPS}
    assert swept | {*WITHOUT_EDGES} == {*LOSSES}
    assert swept & {*WITHOUT_EDGES} == set()


def test_every_sweep_has_cases_in_the_file() -> None:
    written = FILE.read_text(encoding="utf-8")
    assert [loss for loss in {sweep.loss for sweep in SWEEPS} if f"loss: {loss}\n" not in written] == []


@pytest.mark.parametrize("delta", [1.0, 0.75])
def test_the_ends_of_a_parabola_are_edges_on_both_sides(delta: float) -> None:
    found = edges_of(Sweep("HuberLoss", {"input": X, "target": 0.0}, {"delta": delta}))
    # Below delta, at delta, and above it, and the same with the other sign.
    below, above = np.nextafter(np.float32(delta), [np.float32(0), np.float32(2)]).tolist()
    assert {(below, delta), (-delta, -below)} <= found
    assert (delta, above) in found or (-above, -delta) in found


def test_the_place_where_a_loss_changes_its_branch_moves_with_its_parameter() -> None:
    found = edges_of(Sweep("SmoothL1Loss", {"input": X, "target": 0.5}, {"beta": 0.375}))
    assert {around(0.875), around(0.125)} & found


@pytest.mark.parametrize(
    ("sweep", "number"),
    [
        # 1 + exp(-x) is 1, since exp(-x) is half a unit in the last place of 1.
        (Sweep("SoftMarginLoss", {"input": X, "target": 1.0}), 24 * math.log(2)),
        # exp(-x) is 0, since it is less than half the smallest subnormal number, 2^-149.
        (Sweep("SoftMarginLoss", {"input": X, "target": 1.0}), 150 * math.log(2)),
        # exp(-x) is subnormal.
        (Sweep("BCEWithLogitsLoss", {"input": X, "target": 1.0}), 126 * math.log(2)),
        # exp(x) is beyond the largest number, which is next to 2^128.
        (Sweep("PoissonNLLLoss", {"input": X, "target": 2.0}), math.log(SINGLE.largest)),
        # margin - x is 0, and so is x - t.
        (Sweep("HingeEmbeddingLoss", {"input": X, "target": -1.0}), 1.0),
        (Sweep("MSELoss", {"input": X, "target": 0.5}), 0.5),
        # x - t is x, since t is half the distance between numbers there.
        (Sweep("L1Loss", {"input": X, "target": 0.5}), -(2.0**23)),
    ],
)
def test_a_known_edge_is_found_to_the_last_bit(sweep: Sweep, number: float) -> None:
    low, high = around(number)
    # The rounding of a step may move an edge by a number.
    places = place_of([low, high], SINGLE)
    found = {edge.place for edge in edges(sweep, SINGLE)}
    assert found & {*range(int(places[0]) - 1, int(places[1]) + 1)}


def test_a_narrow_format_has_the_edges_of_its_own_arithmetic_and_those_of_single_precision() -> None:
    half = FORMATS["float16"]
    found = edges_of(Sweep("SoftMarginLoss", {"input": X, "target": 1.0}), half)
    assert {around(11 * math.log(2), half), around(24 * math.log(2), half)} <= found


def test_nothing_is_an_edge_where_nothing_of_the_result_is_finite() -> None:
    sweep = Sweep("CrossEntropyLoss", {"input": [X, math.inf, 0.0], "target": 0})
    assert edges(sweep, FORMATS["float16"]) == []


@pytest.mark.parametrize("format", FORMATS.values(), ids=list(FORMATS))
def test_places_count_the_numbers_of_a_format(format: Format) -> None:
    places = probed_places(-math.inf, math.inf, format)
    numbers = number_at(places, format)
    assert place_of(numbers, format).tolist() == places.tolist()
    assert format.round(numbers).tolist() == numbers.tolist()
    assert {-format.largest, 0.0, 1.0, format.largest} <= set(numbers.tolist())
    assert np.all(np.diff(numbers) > 0)


def test_no_probe_lies_outside_the_range_of_a_loss() -> None:
    inside = number_at(probed_places(1e-5, 1 - 1e-9, SINGLE), SINGLE)
    assert inside[0] >= 1e-5
    assert inside[-1] == np.nextafter(np.float32(1), np.float32(0))


def test_each_step_has_an_edge_before_a_step_has_two() -> None:
    of_one_step = [Edge(0, int(place_of(2.0**octave, SINGLE)), 6, 7) for octave in range(3, 40)]
    far = Edge(1, int(place_of(2.0**100, SINGLE)), 6, 7)
    kept = chosen_places([*of_one_step, far], SINGLE)
    assert len(kept) == MOST_EDGES
    assert {far.place, of_one_step[0].place} <= {*kept}
    assert of_one_step[-1].place not in kept


def test_both_sides_of_an_edge_are_among_the_numbers_and_others_further_out() -> None:
    place = int(place_of(3.0, SINGLE))
    numbers = numbers_beside([place], -4.0, 4.0, "seed", SINGLE)
    assert {3.0, float(np.nextafter(np.float32(3), np.float32(4)))} <= set(numbers.tolist())
    assert len(numbers) == 4
    assert numbers[0] < 3.0 < numbers[-1]
    assert numbers.tolist() == numbers_beside([place], -4.0, 4.0, "seed", SINGLE).tolist()
    assert numbers.tolist() != numbers_beside([place], -4.0, 4.0, "another", SINGLE).tolist()
