"""The table of CTCLoss."""

from __future__ import annotations

from proofs.combinations.circumstances import LONG_DTYPES, UPSTREAMS, chosen, common, option, upstream
from proofs.combinations.table import Call, Choice, Levels, Rule, Table
from proofs.combinations.tensors import Shape, Tensor, drawn, function_of, listed

_BATCHES: Levels = ("-a batch", "one of a batch", "no batch", "a batch of 17")
_FRAMES: Levels = ("-few frames", "one frame", "near 16 or 32 frames", "near 64 frames")
_SIZES = {
    "-few frames": (5, 6, 7),
    "one frame": (1,),
    "near 16 or 32 frames": (15, 16, 17, 31, 32, 33),
    "near 64 frames": (63, 64, 65),
    "-few classes": (3, 4, 5),
    "two classes": (2,),
    "near 32 classes": (31, 32, 33),
    "near 128 or 256 classes": (127, 129, 256, 257),
}
_CLASSES: Levels = ("-few classes", "two classes", "near 32 classes", "near 128 or 256 classes")
_TARGETS: Levels = ("-padded", "concatenated")
_DTYPES: Levels = ("-int64", "int32 targets")
_LENGTHS: Levels = (
    "-full",
    "shorter inputs",
    "a target of length 0",
    "targets too long",
    "inputs of length 0",
)
_LABELS: Levels = ("-different labels", "repeated labels", "last labels")
_BLANKS: Levels = ("-blank left out", "blank 0", "the last class blank", "blank between")
_LOGITS: Levels = ("-ordinary", "certain", "even")


def _lengths(choice: Choice, frames: int, batch: int) -> tuple[list[int], list[int]]:
    """The lengths of the inputs and of the targets."""
    inputs = [frames] * batch
    longest = max(min((frames - 1) // 2, 5), 0 if frames < 2 else 1)
    targets = [max(longest - item % 2, min(longest, 1)) for item in range(batch)]
    if choice["lengths"] == "shorter inputs":
        inputs = [max(frames - 1 - item % 2, 1) for item in range(batch)]
    if choice["lengths"] == "a target of length 0":
        targets[-1] = 0
    if choice["lengths"] == "targets too long":
        targets[0] = frames + 1
    if choice["lengths"] == "inputs of length 0":
        inputs[0], targets[0] = 0, 0
    return inputs, targets


def _labels(choice: Choice, classes: int, blank: int, count: int, item: int) -> list[int]:
    others = [label for label in range(classes) if label != blank]
    if choice["labels"] == "last labels":
        others = others[::-1]
    if choice["labels"] == "repeated labels":
        return [others[(place // 2 + item) % len(others)] for place in range(count)]
    return [others[(place + item) % len(others)] for place in range(count)]


def _ctc(choice: Choice) -> Call:
    frames = choice.among("frames", *_SIZES[choice["frames"]])
    classes = choice.among("classes", *_SIZES[choice["classes"]])
    batch = {"-a batch": 3, "a batch of 17": 17}.get(choice["batch"], 1)
    blank = {"the last class blank": classes - 1, "blank between": classes // 2}.get(choice["blank"], 0)
    inputs, lengths = _lengths(choice, frames, batch)
    width = max(*lengths, 1) if batch > 1 else max(lengths[0], 1)
    rows = [_labels(choice, classes, blank, length, item) for item, length in enumerate(lengths)]
    dtype = "int32" if choice["target dtype"] == "int32 targets" else "int64"
    is_alone = choice["batch"] == "no batch"
    if choice["targets"] == "concatenated" or is_alone:
        targets = listed([label for row in rows for label in row], dtype)
    else:
        padding = (blank + 1) % classes
        targets = listed([row + [padding] * (width - len(row)) for row in rows], dtype)
    own: Shape = (frames, classes) if is_alone else (frames, batch, classes)
    args = {
        "log_probs": _log_probs(choice, own).text,
        "targets": targets.text,
        "input_lengths": listed(inputs[0] if is_alone else inputs).text,
        "target_lengths": listed(lengths[0] if is_alone else lengths).text,
    }
    params = {
        "blank": None if choice["blank"] == "-blank left out" else str(blank),
        "zero_infinity": chosen(choice, "zero_infinity"),
    }
    return Call(args, params, upstream(choice, () if is_alone else (batch,)))


def _log_probs(choice: Choice, own: Shape) -> Tensor:
    reach = {"-ordinary": 2.0, "certain": 12.0, "even": 2.0**-8}[choice["logits"]]
    logits = drawn(-reach, reach, own, choice.seed("log_probs"), choice.format)
    return function_of("log_softmax", logits, len(own) - 1)


TABLES = (
    Table(
        "CTCLoss",
        {
            **common(),
            "dtype": LONG_DTYPES,
            "batch": _BATCHES,
            "frames": _FRAMES,
            "classes": _CLASSES,
            "targets": _TARGETS,
            "target dtype": _DTYPES,
            "lengths": _LENGTHS,
            "labels": _LABELS,
            "blank": _BLANKS,
            "logits": _LOGITS,
            "zero_infinity": option("zero_infinity", "false", "true"),
            "upstream": UPSTREAMS,
        },
        (
            Rule(
                ("frames", "lengths"),
                lambda frames, lengths: frames != "near 64 frames" or lengths != "targets too long",
            ),
            # One size is large at a time.
            Rule(
                ("frames", "classes"),
                lambda frames, classes: frames in _FRAMES[:2] or classes in _CLASSES[:2],
            ),
            Rule(
                ("frames", "batch"), lambda frames, batch: frames in _FRAMES[:2] or batch != "a batch of 17"
            ),
            Rule(
                ("classes", "batch"),
                lambda classes, batch: classes in _CLASSES[:2] or batch != "a batch of 17",
            ),
            # A known defect: where a target begins is not counted in strides; the first begins at 0.
            Rule(
                ("targets", "batch"),
                lambda targets, batch: targets == "-padded" or batch == "one of a batch",
            ),
            Rule(("batch", "targets"), lambda batch, targets: batch != "no batch" or targets == "-padded"),
            Rule(
                ("batch", "lengths"),
                lambda batch, lengths: batch != "no batch" or lengths not in ("inputs of length 0",),
            ),
        ),
        _ctc,
    ),
)
