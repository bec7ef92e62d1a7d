"""A runner that does something wrong spoils the call that it was about, and no other."""

from __future__ import annotations

import gc
import os
import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from repository import whole_cases
from runners import before_answering, overhear, subject_of, write_runner

from lossproof.adapters import command
from lossproof.adapters.messages import run_message
from lossproof.checks.examination import Examiner
from lossproof.corpus.case import Case
from lossproof.records.record import Record
from lossproof.subjects.call import Call, Refused, Unsupported, Values

FOREVER = "import time\n        time.sleep(1000)"

# What a runner does if the reduction is the sum, and what the record says of it.
MISBEHAVIOURS: dict[str, tuple[str, str, str]] = {
    "ends": ("import os; os._exit(7)", "error", "raised ProcessEnded: the process ended with status 7"),
    "ends-well": ("sys.exit(0)", "error", "raised ProcessEnded: the process ended with status 0"),
    "crashes": (
        "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)",
        "error",
        "raised ProcessEnded: the process was ended by SIGSEGV",
    ),
    "raises": ("1 / 0", "error", "the process ended with status 1; its stderr: "),
    "says-why": ("1 / 0", "error", "| ZeroDivisionError: division by zero"),
    "hangs": (FOREVER, "error", "raised ProcessEnded: no answer within 2 seconds"),
    "listens-to-no-signal": (
        "import signal\n        signal.signal(signal.SIGTERM, signal.SIG_IGN)\n        " + FOREVER,
        "error",
        "no answer within 2 seconds",
    ),
    "closes-its-stdout": (
        f"import os; os.close(1)\n        {FOREVER}",
        "error",
        "closed its stdout, but did not end",
    ),
    "prints": ("print('hello')", "error", "raised NoAnswer: the answer to message 5 is wrong: it is 'hello'"),
    "prints-and-says-why": (
        "print('oops', file=sys.stderr, flush=True); print('hello')",
        "error",
        "print whatever is no answer to stderr; its stderr: oops",
    ),
    "prints-parts-of-a-line": (
        f"print('hello', end='', flush=True)\n        {FOREVER}",
        "error",
        "no answer within 2 seconds",
    ),
    "prints-without-end": (
        "while True: sys.stdout.write('more' * 10_000)",
        "error",
        "a line of more than 67108864 bytes",
    ),
    "prints-to-stderr-without-end": (
        "while True: sys.stderr.write('more' * 10_000)",
        "error",
        "no answer within 2 seconds; its stderr: ...moremore",
    ),
    "says-why-before-its-stack": (
        "print('Error: far', *['at step (runner.js:1)'] * 30, sep=chr(10), file=sys.stderr); sys.exit(1)",
        "error",
        "its stderr: Error: far ...",
    ),
    "answers-twice": (
        "print(json.dumps({'seq': seq, 'refused': ''}) + chr(10) + 'x')",
        "error",
        "was not asked for; write one line for each message, and all else to stderr",
    ),
    "answers-another": ("return {'seq': seq - 1, 'refused': ''}", "error", "seq is 4, but message 5 is due"),
    "leaves-out-the-value": ("return {'seq': seq}", "error", "it has none of value, refused and unsupported"),
    "misspells": (
        "return {'seq': seq, 'value': tensor([], [1.0]), 'gradient': {}}",
        "error",
        "it has 'gradient', which means nothing",
    ),
    "rounds": (
        "return {'seq': seq, 'value': {'dtype': 'float64', 'shape': [], 'data': ['0.1']}}",
        "error",
        "value.data[0] is '0.1'; it must be a number as C writes it",
    ),
    "overflows": (
        "return {'seq': seq, 'value': {'dtype': 'float64', 'shape': [], 'data': ['0x1p+9999']}}",
        "error",
        "value.data[0] is '0x1p+9999'",
    ),
    "unshaped": (
        "return {'seq': seq, 'value': tensor([2, 2], [1.0])}",
        "error",
        "value.data has 1 elements; a float64 tensor of shape [2, 2] has 4",
    ),
    "other-shape": (
        "return {'seq': seq, 'value': tensor([1], [18.5])}",
        "disagree",
        "shape (1,), should be ()",
    ),
    "other-dtype": (
        "return {'seq': seq, 'value': {**tensor([], [18.5]), 'dtype': 'float32'}}",
        "disagree",
        "has dtype float32, should have float64",
    ),
    "no-gradients": (
        "return {'seq': seq, 'value': tensor([], [18.5])}",
        "unsupported",
        "it computes no gradient by input",
    ),
    "refuses": ("return {'seq': seq, 'refused': 'not today'}", "error", "refused: not today"),
    "lacks": ("return {'seq': seq, 'unsupported': 'no sums'}", "unsupported", "no sums"),
    "wrong": ("return {'seq': seq, 'value': tensor([], [18.0])}", "disagree", "is 18.0, should be 18.5"),
}


@pytest.fixture
def case() -> Case:
    return whole_cases()["mse-four"]


def examined(case: Case, folder: Path, *changes: tuple[str, str]) -> list[Record]:
    with subject_of(write_runner(folder, *changes), seconds=2) as subject:
        return Examiner().examine(case, subject, "float64")


@pytest.mark.parametrize("name", MISBEHAVIOURS)
def test_what_a_runner_does_wrong_costs_only_its_own_call(name: str, case: Case, tmp_path: Path) -> None:
    code, outcome, words = MISBEHAVIOURS[name]
    misbehave = before_answering(
        f'seq = message["seq"]\n    if message["parameters"]["reduction"] == "sum":\n        {code}'
    )
    records = examined(case, tmp_path, misbehave)
    found = [record for record in records if record.reduction == "sum"]
    assert any(one.outcome == outcome and words in one.message for one in found), found
    assert all("\n" not in one.message and len(one.message) < 500 for one in found)
    others = [record for record in records if record.reduction != "sum" and record.quantity != "differs_from"]
    assert {record.outcome for record in others} == {"agree"}
    assert {record.quantity for record in others} >= {"value", "gradient:input", "vjp:target"}


def test_a_right_runner_agrees_in_everything(case: Case, tmp_path: Path) -> None:
    records = [one for one in examined(case, tmp_path) if one.quantity != "differs_from"]
    assert {record.outcome for record in records} == {"agree"}
    assert len(records) == 3 * 6


def test_a_gradient_may_be_missing_for_one_argument(case: Case, tmp_path: Path) -> None:
    records = examined(case, tmp_path, ('for name in message["wrt"]}', 'for name in ["target"]}'))
    outcomes = {(one.quantity, one.outcome) for one in records if one.reduction == "mean"}
    assert ("gradient:target", "agree") in outcomes
    assert ("vjp:input", "unsupported") in outcomes


def test_a_message_that_nobody_reads_is_not_waited_for_longer_than_an_answer(tmp_path: Path) -> None:
    numbers = Values(np.ones(100_000), "float64")
    call = Call("MSELoss", {}, {"input": numbers, "target": numbers}, "sum", "float64")
    deaf = (
        "for line in sys.stdin:",
        "import time\nprint(json.dumps(ANNOUNCEMENT), flush=True)\ntime.sleep(1000)\nfor line in ():",
    )
    with (
        subject_of(write_runner(tmp_path, deaf), seconds=2) as subject,
        pytest.raises(Refused, match="no answer within 2 seconds"),
    ):
        subject.run(call)


def test_a_large_message_and_its_answer_arrive(tmp_path: Path) -> None:
    numbers, zeros = np.linspace(0, 1, 100_000), np.zeros(100_000)
    args = {"input": Values(numbers, "float64"), "target": Values(zeros, "float64")}
    call = Call("MSELoss", {}, args, "none", "float64", upstreams=(np.ones(100_000),), wrt=("target",))
    with subject_of(write_runner(tmp_path)) as subject:
        answer = subject.run(call)
    assert np.array_equal(answer.value, numbers**2)
    assert np.array_equal(answer.gradients[0]["target"], -2 * numbers)


@pytest.mark.parametrize(
    ("id", "reason"),
    [
        ("mse-weight-negative", "squares has no parameter 'weight'"),
        ("mse-column-against-row", "squares does not broadcast its arguments"),
        ("mse-legacy-none", ""),
    ],
)
def test_what_a_runner_cannot_be_given_is_not_sent(
    id: str, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = overhear(monkeypatch)
    with subject_of(write_runner(tmp_path)) as subject:
        records = Examiner().examine(whole_cases()[id], subject, "float64")
    assert {record.message for record in records} == {reason}
    assert any('"run"' in line for line in said) is (not reason)


def test_a_reduction_of_old_that_must_be_refused_is_not_sent_as_an_ordinary_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = overhear(monkeypatch)
    with subject_of(write_runner(tmp_path, ('"MSELoss"', '"HuberLoss"'))) as subject:
        records = Examiner().examine(whole_cases()["huber-refuses-legacy-reduction"], subject, "float64")
    assert {(record.outcome, record.message) for record in records} == {
        ("unsupported", "squares takes 'reduction' only, so that it cannot refuse 'size_average'")
    }
    assert not any('"run"' in line for line in said)


ONE = Values(np.ones(()), "float64")
SUM = Call("MSELoss", {}, {"input": ONE, "target": ONE}, "sum", "float64")


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        (replace(SUM, loss="L1Loss"), "squares has no L1Loss"),
        (
            replace(SUM, args={"input": ONE, "target": Values(np.ones(()), "float16")}),
            "squares has no float16",
        ),
    ],
)
def test_so_is_a_call_of_an_identity(call: Call, reason: str, tmp_path: Path) -> None:
    without = ('"integers", "mixed_dtypes"', '"integers"')
    with subject_of(write_runner(tmp_path, without)) as subject, pytest.raises(Unsupported) as lacking:
        subject.run(call)
    assert str(lacking.value) == reason


def test_a_parameter_that_is_fixed_is_told_and_not_sent(case: Case, tmp_path: Path) -> None:
    changes = (
        ('"parameters": ["reduction"]', '"parameters": [], "fixed": {"reduction": "sum"}'),
        ('message["parameters"]["reduction"]', '"sum"'),
    )
    records = examined(case, tmp_path, *changes)
    found = {
        record.reduction: (record.outcome, record.message) for record in records if record.quantity == "value"
    }
    assert found["sum"] == ("agree", "")
    assert found["mean"] == ("unsupported", "squares has no parameter 'reduction'")


def test_a_copy_in_another_process_starts_a_runner_of_its_own(case: Case, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    started = ("import json\n", f"import json, os\nopen({str(mark)!r}, 'a').write(f'{{os.getpid()}} ')\n")
    with subject_of(write_runner(tmp_path, started)) as subject:
        copy = pickle.loads(pickle.dumps(subject))
        assert len(mark.read_text().split()) == 1, "nothing is started before it is needed"
        assert copy.announcement == subject.announcement
        try:
            assert Examiner().examine(case, copy, "float64") == Examiner().examine(case, subject, "float64")
        finally:
            copy.close()
    assert len(set(mark.read_text().split())) == 2


def test_it_is_stopped_by_a_message(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    stopped = ('== "stop":\n', f'== "stop":\n        open({str(mark)!r}, "w").close()\n')
    with subject_of(write_runner(tmp_path, stopped)):
        assert not mark.exists()
    assert mark.exists()


def test_one_that_is_forgotten_ends(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    started = ("import json\n", f"import json, os\nopen({str(pid)!r}, 'w').write(str(os.getpid()))\n")
    subject = command.CommandSubject(write_runner(tmp_path, started))
    os.kill(int(pid.read_text()), 0)
    del subject
    gc.collect()
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.read_text()), 0)


def test_what_it_prints_to_stderr_is_passed_on(
    case: Case, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    examined(case, tmp_path, before_answering("print('thinking', file=sys.stderr)"))
    assert "thinking\n" in capsys.readouterr().err


@pytest.mark.parametrize("checks", [False, True])
def test_lossproofs_own_messages_are_checked_if_wished(
    checks: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "run_message", lambda *parts: {**run_message(*parts), "upstreams": []})
    with subject_of(write_runner(tmp_path), checks_messages=checks) as subject:
        if not checks:
            assert subject.run(SUM).value == 0
            return
        with pytest.raises(Refused) as refused:
            subject.run(SUM)
    assert "message 1 of lossproof itself is wrong: it has 'upstreams', which means nothing" in str(
        refused.value
    )
