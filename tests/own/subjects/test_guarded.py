"""What a subject does to the numbers that it gets stays its own affair."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from examined_cases import DISTANCE
from pretenders import Directions, Modal

from lossproof.judging.calls import CallPlanner
from lossproof.subjects.call import Call, ModeObservation, Observation
from lossproof.subjects.guarded import GuardedSubject


def test_a_subject_may_overwrite_its_directions() -> None:
    def overwrite(mode: str, call: Call, answer: Observation, directions: Directions) -> ModeObservation:
        for direction in directions.values():
            direction[:] = 3.0
        return ModeObservation(answer.value, answer.dtype)

    call = replace(CallPlanner().plan(DISTANCE, "float32", "mean").call, upstreams=(), wrt=())
    direction = np.ones(2)
    direction.setflags(write=False)  # calls share it
    subject = GuardedSubject(Modal(("jvp",), overwrite))
    subject.run_mode("jvp", call, {"input": direction})
    assert direction.tolist() == [1.0, 1.0]
