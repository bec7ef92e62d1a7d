"""No process of a runner outlives the one that started it, however that ends."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from runners import before_answering, write_runner
from suite_runs import Suite

# A process that holds a lock on a file as long as it lives, and heeds neither signals nor its input.
_STUBBORN = """\
import fcntl, signal, time
for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGPIPE):
    signal.signal(number, signal.SIG_IGN)
held = open({lock!r})
fcntl.flock(held, fcntl.LOCK_SH)
open({lock!r} + str({number}), "w").close()
"""
# A runner that answers the first message, and then hangs, as does a process that it has started.
_HANGING = """\
import subprocess, sys
subprocess.Popen([sys.executable, "-c", {code!r} + "time.sleep(100)"])
exec({code!r})
time.sleep(100)
"""
_OWNER = """\
import sys, numpy as np
from lossproof.adapters.command import CommandSubject
from lossproof.subjects.call import Call, Values
number = Values(np.ones(()), "float64")
subject = CommandSubject(sys.argv[1])
subject.run(Call("MSELoss", {}, {"input": number, "target": number}, "sum", "float64"))
"""
_SECONDS = 30.0


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    path = tmp_path / "lock"
    path.touch()
    return path


@pytest.fixture
def command(tmp_path: Path, lock: Path) -> str:
    """A runner that hangs at its first call."""
    code = [_STUBBORN.format(lock=str(lock), number=number) for number in (1, 2)]
    hanging = _HANGING.format(code=code[0]).replace(f"exec({code[0]!r})", f"exec({code[1]!r})")
    return write_runner(tmp_path, before_answering(f"exec({hanging!r})"))


def wait_until_both_hang(lock: Path) -> None:
    limit = time.monotonic() + _SECONDS
    while not all(Path(f"{lock}{number}").exists() for number in (1, 2)):
        assert time.monotonic() < limit, "the runner has not got its message"
        time.sleep(0.02)


def all_are_gone(lock: Path) -> bool:
    """Whether nobody holds the lock, at once or within a while."""
    limit = time.monotonic() + _SECONDS
    with lock.open() as file:
        while time.monotonic() < limit:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return True
            except BlockingIOError:
                time.sleep(0.02)
    return False


@contextmanager
def owned(command: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process with the subject, which waits for its runner."""
    path = os.pathsep.join(filter(None, [str(Path(__file__).parents[3]), os.environ.get("PYTHONPATH", "")]))
    owner = subprocess.Popen(
        [sys.executable, "-c", _OWNER, command],
        env=os.environ | {"PYTHONPATH": path},
        # What a shell starts in the background ignores Ctrl-C, and so would this process.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    try:
        yield owner
    finally:
        owner.kill()
        owner.wait()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGSEGV])
def test_they_end_with_a_process_that_is_ended(command: str, lock: Path, number: signal.Signals) -> None:
    with owned(command) as owner:
        wait_until_both_hang(lock)
        owner.send_signal(number)
        owner.wait(_SECONDS)
        assert all_are_gone(lock)


def test_they_end_with_a_trial_that_exceeds_its_time_limit(command: str, lock: Path, suite: Suite) -> None:
    (suite.cases / "losses.yaml").write_text(
        """\
loss: MSELoss
cases:
  - id: one
    title: a difference of one
    args: {input: 2, target: 1}
    reductions: [sum]
"""
    )
    finished = suite.verify("--command", command, "--time-limit", "10")
    assert all_are_gone(lock)
    assert Path(f"{lock}1").exists()
    assert finished.returncode == 1
    assert "not done within 10 seconds, the time limit of a trial" in finished.stdout


def test_they_end_with_a_run_that_is_interrupted(command: str, lock: Path, suite: Suite) -> None:
    (suite.cases / "losses.yaml").write_text(
        "cases:\n  - {id: one, title: one, loss: MSELoss, args: {input: 2, target: 1}, reductions: [sum]}\n"
    )
    run = suite.start("--command", command)
    try:
        wait_until_both_hang(lock)
        run.send_signal(signal.SIGINT)
        run.communicate(timeout=_SECONDS)
    finally:
        run.kill()
    assert all_are_gone(lock)
