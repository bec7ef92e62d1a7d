"""``lossproof.toml``: how it is read, and what is refused in it."""

from __future__ import annotations

import pytest

from lossproof.corpus.complaints import CorpusError
from lossproof.corpus.observed import Observed
from lossproof.corpus.project_file import read_project

CASES = ("ce-one", "ce-two", "mse-one")

WHOLE = """\
subject = "kernels.py:loss"   # a comment
as = "cross_entropy"
dtypes = ["float32", "bfloat16"]
lacks = ["empty"]
flags = ["Kink"]
quantities = ["value", "gradient*"]
no_refusals = true
quick = true
fixed = {reduction = "none", margin = 0.5}

[[differs]]
cases = "ce-*"
quantities = ["gradient:*"]
reason = "probabilities are clipped"
link = "https://example.org/1"

[[defects]]
case = "mse-one"
dtypes = ["float32"]
observed = [1.250, nan, -inf, "RuntimeError: no"]
elements = 3
why = "it is wrong"
"""


def complaints(text: str) -> str:
    with pytest.raises(CorpusError) as caught:
        read_project(text, CASES)
    return str(caught.value)


def test_options_differences_and_defects_are_read() -> None:
    project = read_project(WHOLE, CASES)
    assert project.options == {
        "subject": "kernels.py:loss",
        "as": "cross_entropy",
        "dtypes": "float32,bfloat16",
        "lacks": "empty",
        "flags": "Kink",
        "quantities": "value,gradient*",
        "no_refusals": "yes",
        "quick": "yes",
        "fixed": "reduction=none,margin=0.5",
    }
    first, second, defect = project.entries
    assert [(one.case, one.pattern, one.kind) for one in (first, second)] == [
        ("ce-one", "ce-*", "convention"),
        ("ce-two", "ce-*", "convention"),
    ]
    assert (first.quantities, first.why, first.link, first.line) == (
        ("gradient:*",),
        "probabilities are clipped",
        "https://example.org/1",
        11,
    )
    assert first.observed == Observed(("varies",))
    assert (defect.case, defect.pattern, defect.kind, defect.elements) == ("mse-one", "", "defect", (3,))
    assert (defect.file, defect.line, defect.dtypes) == ("lossproof.toml", 17, ("float32",))
    assert str(defect.observed) == "1.250 or nan or -.inf or RuntimeError: no"
    assert defect.observed.explains(["1.2504"], None)
    assert not defect.observed.explains(["1.26"], None)


def test_an_empty_file_is_a_mistake() -> None:
    assert "the file is empty" in complaints("# nothing")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x = = 3", "lossproof.toml:1: TOML cannot be read here"),
        ("subject = 'a\nb'", "lossproof.toml:1: TOML cannot be read here"),
        (
            "# 1\n\nsubjet = 'x:y'",
            "lossproof.toml:3: 'subjet' is not a key of the file; did you mean 'subject'?",
        ),
        ("subject = 3", "lossproof.toml:1: subject is a number ('3') but must be a text"),
        ("as = 'L1Loss'\ndtypes = 'float32'", "lossproof.toml:2: dtypes is a text ('float32')"),
        ("fixed = 3", 'lossproof.toml:1: fixed is not a table; write fixed = {reduction = "none"}'),
        ("defects = 3", "lossproof.toml:1: defects is a number ('3')"),
        ("[[defects]]\nwhy = 'w'\nobserved = 1.0", "lossproof.toml:1: the defect lacks the key 'case'"),
        (
            "[[defects]]\ncase = 'mse-on'\nwhy = 'w'\nobserved = 1.0",
            "lossproof.toml:2: case is 'mse-on', which is not known; did you mean 'mse-one'?",
        ),
        (
            "[[differs]]\nreason = 'r'\ncases = 'nll-*'",
            "lossproof.toml:3: no case matches 'nll-*'; see 'lossproof list'",
        ),
        (
            "[[defects]]\ncase = 'mse-one'\nwhy = 'w'\nobserved = 1.0\n\n[[defects]]\nobserved = [true]\n",
            "lossproof.toml:7: observed is",
        ),
    ],
)
def test_what_is_wrong_is_said_with_its_line(text: str, said: str) -> None:
    assert said in complaints(text)


def test_all_complaints_come_at_once() -> None:
    assert len(complaints("az = 1\ndtypes = 3\n[[differs]]\ncases = 'ce-*'").splitlines()) == 3
