"""What an implementer states of a table of functions: nonsense is refused before anything runs."""

from __future__ import annotations

from typing import Any

import pytest

from lossproof.adapters.forms import Entry
from lossproof.adapters.functions import FunctionTable
from lossproof.adapters.statements import TableError, mistakes_in_fixed


def loss(input: Any, target: Any) -> Any:
    return input - target


RIGHT = {"name": "mine", "library": "numpy", "table": {"MSELoss": loss}}


def made(**stated: Any) -> FunctionTable:
    subject: FunctionTable = type("Mine", (FunctionTable,), {**RIGHT, **stated})()
    return subject


@pytest.mark.parametrize(
    ("stated", "said"),
    [
        ({"name": None}, "Mine has no name; add name = '...'"),
        ({"library": "nump"}, "there are no arrays of 'nump'; did you mean 'numpy'?"),
        ({"features_lacked": ("brodcast",)}, "there is no feature 'brodcast'; did you mean 'broadcast'?"),
        ({"features_lacked": "broadcast"}, "features_lacked is a text; write ('broadcast',)"),
        ({"table": {}}, "Mine has no losses; add table = {'MSELoss': ...}"),
        ({"table": {"MSELos": loss}}, "the table has 'MSELos', which is no loss; did you mean 'MSELoss'?"),
        ({"table": {"MSELoss": 3}}, "MSELoss is of type int in the table, which cannot be called"),
        (
            {"table": {"MSELoss": Entry(loss, fixed={"reductoin": "none"})}},
            "MSELoss has no parameter 'reductoin', which is fixed; did you mean 'reduction'?",
        ),
    ],
)
def test_a_mistake_in_a_table_is_said_in_a_sentence(stated: dict[str, Any], said: str) -> None:
    with pytest.raises(TableError) as caught:
        made(**stated)
    assert said in str(caught.value)


def test_all_mistakes_of_a_table_come_at_once() -> None:
    with pytest.raises(TableError) as caught:
        made(library="nump", features_lacked=("brodcast",))
    assert len(str(caught.value).split("; ")) == 4


def test_a_table_without_mistakes_is_made() -> None:
    assert made(features_lacked=("broadcast",)).has_loss("MSELoss")


@pytest.mark.parametrize(
    ("fixed", "mistakes"),
    [
        ({"reduction": "none", "label_smoothing": 0.1}, 0),
        ({"reduction": "non"}, 1),
        ({"margin": 1, "reduction": "batchmean"}, 2),
    ],
)
def test_what_is_fixed_is_a_parameter_of_the_loss(fixed: dict[str, Any], mistakes: int) -> None:
    assert len([*mistakes_in_fixed("CrossEntropyLoss", fixed)]) == mistakes
