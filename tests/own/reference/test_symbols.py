"""Every symbol of every formula is named in words."""

from __future__ import annotations

import re

import pytest

from lossproof.reference.catalogue import LOSSES
from lossproof.reference.symbols import symbols_of
from lossproof.reference.worked import formula_of

# A letter alone or with a digit: neither part of a word or a number, nor an article or a genitive.
_LETTER = re.compile(r"(?<![A-Za-z0-9'])[A-Za-z]\d?(?![A-Za-z0-9])")
_ARTICLE = re.compile(r"\ba (?=[a-z]{2,})")


def letters_of(text: str) -> set[str]:
    return set(_LETTER.findall(_ARTICLE.sub("", text)))


@pytest.mark.parametrize("name", LOSSES)
def test_every_letter_has_words_and_no_words_lack_their_letter(name: str) -> None:
    loss = LOSSES[name]
    formula, symbols = formula_of(loss), symbols_of(loss)
    named = {letter for symbol in symbols for letter in letters_of(symbol)}
    assert letters_of(formula) - named == set()
    assert {
        symbol for symbol in symbols if not all(letter in formula for letter in letters_of(symbol))
    } == set()
    assert all(symbols.values())
