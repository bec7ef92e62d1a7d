"""Nonsense to every verb: a sentence, status 2, and no traceback."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from command_lines import CE, folder_of_cases, typed

from lossproof.command_line.app import main

HUGE = "9" * 5000
# As Python hands on an argument that is not UTF-8.
BAD = os.fsdecode(b"\xff\xfe")
MSE = ("MSELoss", "--input", "[1, 2]", "--target", "[0, 2]")
NEW = ("new", *MSE, "--id", "mine")

WORDS: list[tuple[str, ...]] = [
    ("",),
    (BAD,),
    ("--nonsense",),
    ("list", "nonsense", "x"),
    ("list", "cases", "[", "--loss", "x"),
    ("list", "cases", "--flag", ""),
    ("list", "--document", BAD),
    ("list", "--corpus", "/dev/null"),
    ("list", "--corpus", BAD),
    ("list", "--corpus"),
    ("list", "a", "b", "c"),
    ("show", ""),
    ("show", BAD),
    ("show", "x" * 10_000),
    ("show", "*"),
    ("explain", ""),
    ("explain", "ce-weighted-mean", "--reduction", BAD),
    ("run", ""),
    ("run", BAD),
    ("run", *CE, "--dtype", ""),
    ("run", *CE, "--reduction", ""),
    ("run", *CE, "--weight", ""),
    ("run", *CE, "--ignore_index", HUGE),
    ("run", *CE, "--input"),
    ("run", *CE, "extra"),
    ("run", *CE, "-x"),
    ("run", "MSELoss", "--input", BAD, "--target", "1"),
    ("run", "MSELoss", "--input", "\x01", "--target", "1"),
    ("run", "MSELoss", "--input", "[" * 3000, "--target", "1"),
    ("run", "MSELoss", "--input", f"{{fill: 1, shape: [{', '.join('1' * 99)}]}}", "--target", "1"),
    ("run", "MSELoss", "--input", "[[1], [2, 3]]", "--target", "1"),
    ("new", *MSE),
    (*NEW, "--title", ""),
    (*NEW, "--title", BAD),
    (*NEW, "--title", "\x01"),
    ("new", *MSE, "--id", BAD, "--title", "x"),
    ("new", *MSE, "--id", "A B", "--title", "x"),
    (*NEW, "--title", "x", "--digits", HUGE),
    (*NEW, "--title", "x", "--flags", "["),
    (*NEW, "--title", "x", "--file", "/nowhere/x.yaml"),
    (*NEW, "--title", "x", "--file", "/tmp"),
    ("check",),
    ("check", ""),
    ("check", BAD),
    ("check", "/dev/zero"),
    ("export", "--output", "/tmp"),
    ("export", "--output", "/dev/full"),
    ("export", "--output", f"{BAD}/x"),
    ("export", "--truth", "--dtypes", BAD),
    ("export", "--truth", "--losses", "x"),
    ("merge",),
    ("merge", ""),
    ("merge", BAD),
    ("compare", "x"),
    ("compare", "", ""),
    ("compare", BAD, BAD),
    ("compare", "9" * 300, "/dev/null"),
]


@pytest.mark.parametrize("words", WORDS, ids=lambda words: ascii(" ".join(words))[:60])
def test_nonsense_is_answered_in_a_sentence(tmp_path: Path, words: tuple[str, ...]) -> None:
    corpus = ["--corpus", str(folder_of_cases(tmp_path))]
    takes_corpus = words[0] in ("list", "show", "explain", "new", "export") and "--corpus" not in words
    said = typed(*words, *(corpus if takes_corpus else []))
    assert said.status == 2
    assert said.text.strip()
    assert "Traceback" not in said.text


VERIFY: list[tuple[tuple[str, ...], str]] = [
    (("--nonsense",), "unrecognized arguments: --nonsense"),
    (("--numprocesses", HUGE[:20]), "ask for 0 to 1000"),
    (("--numprocesses", "5000"), "ask for 0 to 1000"),
    (("--numprocesses", "-3"), "ask for 0 to 1000"),
    (("--tx", "nonsense"), "the workers of --tx nonsense cannot be started"),
    (("--tx", "popen//python=/nowhere/python"), "cannot be started (FileNotFoundError"),
    (("--time-limit", HUGE), "is not a time limit"),
    (("--baseline", HUGE), "cannot be read: "),
    (("--subjects", BAD), "there is no subject"),
    (("--cases", "["), "'['"),
    (("--shard", HUGE), "there is no shard"),
    (("--corpus", BAD), "the folder cannot be read"),
]


@pytest.mark.parametrize(("words", "said"), VERIFY, ids=[ascii(" ".join(words))[:40] for words, _ in VERIFY])
def test_nonsense_to_verify_is_answered_in_a_sentence(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], words: tuple[str, ...], said: str
) -> None:
    folders = ["--corpus", str(folder_of_cases(tmp_path)), "--reports", str(tmp_path / "reports")]
    status = main(["verify", *folders, "-p", "no:cacheprovider", *words])
    output = "".join(capfd.readouterr())
    assert status == 2
    assert said in output
    assert "Traceback" not in output
    assert "INTERNALERROR" not in output
    assert not (tmp_path / "reports").exists()
