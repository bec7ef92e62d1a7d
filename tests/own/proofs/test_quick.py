"""The quick cases: few, of the right loss, and enough for what was measured."""

from __future__ import annotations

import json
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from repository import whole_cases

from lossproof.running.quick import QUICK_CASES, quick_cases
from proofs.quick import cover

CATCHES = st.dictionaries(st.text("abcdef", min_size=1), st.sets(st.sampled_from("uvwxyz")), max_size=12)


@given(CATCHES)
def test_what_any_case_catches_is_caught_by_the_chosen_ones_and_none_is_superfluous(
    catches: dict[str, set[str]],
) -> None:
    chosen = cover(catches, dict.fromkeys(catches, 1))
    everything = set().union(*catches.values())
    assert set().union(*(catches[case] for case in chosen)) == everything
    assert len(chosen) <= len(everything)


def test_of_two_cases_that_catch_the_same_the_smaller_is_chosen() -> None:
    assert cover({"large": {"a"}, "small": {"a"}}, {"large": 100, "small": 2}) == {"small"}


def test_the_selection_names_cases_of_its_losses_and_few_of_them() -> None:
    selection = json.loads(QUICK_CASES.read_text(encoding="utf-8"))
    cases = whole_cases()
    for loss, ids in selection.items():
        assert ids
        assert {cases[id].loss for id in ids} == {loss}
        assert len(ids) < sum(case.loss == loss for case in cases.values()) / 2
    assert set(selection) == {case.loss for case in cases.values()}
    assert sum(map(len, selection.values())) < len(cases) / 4


def test_refusals_that_nobody_needs_are_not_quick_for_those_who_may_accept() -> None:
    cases = [case for case in whole_cases().values() if case.loss == "CrossEntropyLoss"]
    kinds = {case.raises.kind if case.raises else "" for case in quick_cases(cases)}
    assert kinds > {"", "index"}
    assert {case.raises.kind if case.raises else "" for case in quick_cases(cases, True)} == {"", "index"}


def test_only_these_are_quick_and_all_cases_of_a_loss_that_was_not_measured() -> None:
    selection = json.loads(QUICK_CASES.read_text(encoding="utf-8"))
    cases = [*whole_cases().values(), replace(whole_cases()["mse-four"], id="of-a-new-loss", loss="NewLoss")]
    quick = quick_cases(cases)
    for loss in {case.loss for case in cases}:
        ids = {case.id for case in quick if case.loss == loss}
        assert ids == set(selection.get(loss, [case.id for case in cases if case.loss == loss]))
