"""Certified digits claim what is proven, and what is written is read back as it was."""

from __future__ import annotations

from fractions import Fraction

import flint
import pytest
from hypothesis import given
from hypothesis import strategies as st
from repository import whole_corpus

from lossproof.command_line.case_text import mapping, text
from lossproof.command_line.digits import decimal, rounded_text
from lossproof.corpus.call_reading import read_args, read_params
from lossproof.corpus.complaints import Notes
from lossproof.corpus.nodes import MappingNode, ScalarNode, parse_tree
from lossproof.corpus.numeral import parse_numeral
from lossproof.numbers.ball import Undecided, certified

FRACTIONS = st.builds(
    lambda numerator, denominator, exponent: Fraction(numerator, denominator) * Fraction(10) ** exponent,
    st.integers(-(10**12), 10**12),
    st.integers(1, 10**6),
    st.integers(-40, 40),
)


@given(FRACTIONS, st.integers(2, 25))
def test_the_text_of_a_number_claims_it(value: Fraction, digits: int) -> None:
    numeral = parse_numeral(rounded_text(value, digits))
    assert isinstance(numeral.exact, Fraction)
    assert abs(numeral.exact - value) <= numeral.claim


@given(FRACTIONS.filter(bool), st.integers(2, 25))
def test_as_many_digits_are_written_as_were_asked_for(value: Fraction, digits: int) -> None:
    mantissa = rounded_text(value, digits).lstrip("-").partition("e")[0].replace(".", "").lstrip("0")
    assert len(mantissa) == digits


@given(FRACTIONS, st.integers(2, 25))
def test_a_ball_has_the_digits_of_what_it_holds(value: Fraction, digits: int) -> None:
    def compute() -> str:
        # A third of three times the value: its ball has a radius.
        return decimal(flint.arb(flint.fmpq(value.numerator, value.denominator)) * 3 / 3, digits)

    numeral = parse_numeral(certified(compute))
    assert isinstance(numeral.exact, Fraction)
    assert abs(numeral.exact - value) <= numeral.claim


@pytest.mark.parametrize(
    ("ball", "written"),
    [
        (lambda: flint.arb(2), "2"),
        (lambda: flint.arb(0), "0"),
        (lambda: flint.arb(-3) / 8, "-0.3750000000"),
        (lambda: flint.arb(2) / 3 * 3, "2.000000000"),
        (lambda: flint.arb(10) ** 10 / 3, "3.333333333e9"),
        (lambda: flint.arb(1) / 3 / 10**7, "3.333333333e-8"),
        (lambda: flint.arb(3).log() - flint.arb(3).log(), "0.0000000000"),
        (lambda: flint.arb(-1e300).exp(), "0.0000000000"),
        (lambda: flint.arb(1e5).exp(), "2.806663360e+43429"),
        (lambda: flint.arb("nan"), ".nan"),
        (lambda: -flint.arb("inf"), "-.inf"),
        # Half-way between two numbers of ten digits.
        (lambda: flint.arb(flint.fmpq(12345678905, 10**11)) * 3 / 3, "0.12345678905"),
    ],
)
def test_digits(ball: object, written: str) -> None:
    assert callable(ball)
    assert certified(lambda: decimal(ball(), 10)) == written


def test_a_wide_ball_has_no_digits() -> None:
    with pytest.raises(Undecided):
        decimal(flint.arb(1, 0.1), 10)


def test_parameters_and_tensors_of_the_whole_corpus_are_read_back_as_they_were() -> None:
    for case in whole_corpus().cases:
        notes = Notes("")
        if case.args:
            args = read_args(parse_tree(mapping(case.args), notes), "args", None, notes, True)
            assert repr(args) == repr(case.args)
        if case.params:
            params = read_params(parse_tree(mapping(case.params), notes), "params", None, notes, True)
            assert repr(params) == repr(case.params)
        assert not notes.complaints(), case.id


@pytest.mark.parametrize("in_braces", [True, False])
@given(st.text(st.characters(blacklist_categories=["Cc", "Cf", "Cs", "Cn", "Co", "Zl", "Zp"]), min_size=1))
def test_a_text_is_read_back_as_it_was(in_braces: bool, words: str) -> None:
    line = f"key: {text(words, in_braces)}"
    notes = Notes("")
    root = parse_tree(f"{{{line}, other: 1}}" if in_braces else f"{line}\nother: 1", notes)
    assert isinstance(root, MappingNode)
    node = root.entries["key"].value
    assert isinstance(node, ScalarNode)
    assert node.text == words
    assert not notes.complaints()
