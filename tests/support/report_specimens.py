"""Records and runs that are made up, for the reports."""

from __future__ import annotations

import math
from dataclasses import replace

from lossproof.records.outcome import Outcome
from lossproof.records.quantity import Quantity
from lossproof.records.record import Record, Run, TestResult

AGREES = Record(
    case="ce-weighted-mean",
    title="the weighted mean divides by the sum of the picked weights",
    loss="CrossEntropyLoss",
    subject="torch.nn",
    dtype="float32",
    device="cpu",
    layout="contiguous",
    reduction="mean",
    quantity=Quantity("value"),
    outcome=Outcome.AGREE,
    error_over_budget=0.25,
    source={"document": "002_76d7edb28dd97171", "place": "2, CE", "claim": "D002-6"},
    file="cases/losses/cross_entropy.yaml",
    line=12,
    flags=["MeanDenominator"],
)

WRONG = replace(AGREES, outcome=Outcome.DISAGREE, error_over_budget=3.5e6)

NUMBERS = {
    "stated": ["0.5224"],
    "shape": [],
    "true": ["0.52237254"],
    "true_shape": [],
    "dtype": "",
    "by": "document",
}

DETAIL = {
    "inputs": "input = [[1, 2]]",
    "params": "weight = [1, 2]",
    "expected": "0.3642",
    "observed": "0.6070",
    "why": "mean divides by the picked weights' sum",
    "snippet": "import torch\nprint(torch.nn.CrossEntropyLoss())",
}

DISAGREES = replace(
    AGREES,
    outcome=Outcome.DISAGREE,
    error_over_budget=3.5e6,
    message="off by 0.2428",
    detail=DETAIL,
    quantity=Quantity("gradient:input"),
)

ERRS = replace(
    AGREES, outcome=Outcome.ERROR, error_over_budget=None, message="RuntimeError: no kernel", detail=DETAIL
)

UNSUPPORTED = replace(
    AGREES, outcome=Outcome.UNSUPPORTED, error_over_budget=None, message="no float16 on this device"
)

DEFECT = replace(
    AGREES, outcome=Outcome.KNOWN_DEFECT, error_over_budget=math.inf, message="gives nan, should give inf"
)

RUN = Run(
    versions={"python": "3.11.7", "torch": "2.13.0"},
    machine={"platform": "Linux", "cpu_count": 2},
    options={"subjects": "", "dtypes": ""},
    complete=True,
    problems=[],
    known_defects=[],
    started="2026-01-02T03:04:05+00:00",
    seconds=1.5,
    tested=["torch"],
)

PLAIN = replace(RUN, options={"subjects": "", "dtypes": "", "cases": "", "device": "cpu"})

HOSTILE = (
    '</script><img src=x onerror="alert(1)"> <!-- '
    "\x1b[2J\x00\ud800\ufffe\u202egnp.exe ]]> @@data@@ \\u003c &amp;"
)


def result_of(*records: Record, name: str = "a", line: int = 12) -> TestResult:
    return TestResult(
        f"test_case[{name}]", "ce-weighted-mean", "cases/losses/cross_entropy.yaml", line, 0.25, records
    )
