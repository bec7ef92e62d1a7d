"""Where the gradient of CTCLoss is checked: repeated labels, short and empty targets, extremes."""

from __future__ import annotations

from typing import Any

# (T, N, C) = (4, 2, 3); rows need not be normalised, and one is next to certain.
FRAMES = [
    [[-0.5, -1.25, -2.0], [-3.0, -0.125, -7.5]],
    [[-1.0, -1.5, -40.0], [-0.25, -2.0, -3.5]],
    [[0.75, -0.5, -1.0], [-300.0, -0.0625, -5.0]],
    [[-2.5, -0.75, -1.125], [-1.75, -1.0, -0.375]],
]
SINGLE = [frame[0] for frame in FRAMES]

CALLS: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    (
        "CTCLoss",
        {},
        {"log_probs": FRAMES, "targets": [[1, 2], [2, 2]], "input_lengths": [4, 3], "target_lengths": [2, 2]},
    ),
    (
        "CTCLoss",
        {"blank": 2},
        {"log_probs": FRAMES, "targets": [1, 0, 1], "input_lengths": [3, 4], "target_lengths": [3, 0]},
    ),
    (
        "CTCLoss",
        {"zero_infinity": True},
        {
            "log_probs": FRAMES,
            "targets": [[1, 1, 1], [1, 2, 1]],
            "input_lengths": [4, 4],
            "target_lengths": [3, 3],
        },
    ),
    (
        "CTCLoss",
        {"zero_infinity": True},
        {"log_probs": FRAMES, "targets": [[1], [1]], "input_lengths": [0, 1], "target_lengths": [0, 1]},
    ),
    ("CTCLoss", {}, {"log_probs": SINGLE, "targets": [2, 1], "input_lengths": 4, "target_lengths": 2}),
]
