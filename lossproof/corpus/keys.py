"""The words of the case format: every key and every fixed value, in one place.

``cases/schema.json`` says the same to editors; ``tests/test_schema.py`` holds the two together.
"""

from __future__ import annotations

from dataclasses import dataclass

from lossproof.numbers.formats import FORMATS


@dataclass(frozen=True)
class Keys:
    """The keys that a mapping must and may have."""

    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()

    @property
    def all(self) -> tuple[str, ...]:
        """Required and optional ones."""
        return self.required + self.optional


INTEGER_DTYPES = ("int64", "int32", "uint8", "bool")
DTYPES = (*FORMATS, *INTEGER_DTYPES, "complex64")
REDUCTIONS = ("none", "mean", "sum", "batchmean")
SEVERITIES = ("low", "medium", "high")
STAGES = ("construct", "call")
REFUSALS = ("index", "shape", "dtype", "range", "option")
ASPECTS = (
    "class_chain",
    "dictionaries",
    "legacy_reduction",
    "state_dict",
    "buffers",
    "copies",
    "repr",
    "training_mode",
    "log_prob",
    "absent",
    "present",
)
LAYOUTS = ("contiguous", "transposed", "strided", "expanded")
DEFECT_KINDS = ("defect", "convention", "undefined")

FILE = Keys(("cases",), ("document", "loss", "flags"))
DOCUMENT = Keys(("name", "title", "about"))
FLAG = Keys(("bug", "severity", "why"))
SOURCE = Keys(("document", "place", "claim"))
RAISED = Keys(("when", "kind", "torch"))
TORCH = Keys(("type", "match"))
TERM = Keys((), ("loss", "params", "args", "reduction"))
IDENTITY = Keys(("why",), (*TERM.optional, "sum", "reductions"))
ERRATUM = Keys(("says", "because"))
DRIFTED = Keys(("was", "since"), ("unit",))
# What a case can say its document prints, beside reductions under `expect`.
ERRATUM_NUMBERS = "erratum"
MODULE = Keys(("aspect", "expected"))
PRINTED = Keys((), ("digits", *FORMATS))
CASE = Keys(
    ("id", "title"),
    (
        "loss",
        "source",
        "prints",
        "flags",
        "params",
        "args",
        "reductions",
        "dtypes",
        "expect",
        "gradient",
        "raises",
        "warns",
        "same_as",
        "differs_from",
        "erratum",
        "drifted",
        "module",
        "bias",
        "rounded",
        "loses_digits",
        "own_process",
        "repeats",
        "kills",
    ),
)
DEFECT_FILE = Keys(("defects",), ("defaults",))
DEFECT = Keys(
    ("case", "subject", "observed", "expected", "why", "kind"),
    (
        "dtypes",
        "reductions",
        "quantities",
        "layouts",
        "since",
        "until",
        "platform",
        "device",
        "elements",
        "link",
        "searched",
    ),
)
# What a file may say once for all its entries.
DEFECT_DEFAULTS = Keys((), tuple(key for key in DEFECT.all if key not in ("case", "observed")))
OBSERVED = Keys(("budgets",))
PICK_FILE = Keys(("picks",))
PICK = Keys(("conventions", "pick", "subject"), ("since", "until", "link", "searched"))

# A tensor written as a mapping is known by one key; the table gives all keys of that form.
TENSOR_FORMS = {
    "fill": Keys(("fill", "shape"), ("dtype",)),
    "uniform": Keys(("uniform", "shape", "seed")),
    "index": Keys(("index", "shape", "seed")),
    "sigmoid": Keys(("sigmoid",)),
    "softmax": Keys(("softmax", "dim")),
    "log_softmax": Keys(("log_softmax", "dim")),
    "log": Keys(("log",)),
    "concatenate": Keys(("concatenate", "dim")),
    "reshape": Keys(("reshape", "shape")),
    "permute": Keys(("permute", "dims")),
    "complex": Keys(("complex",)),
    "data": Keys(("dtype", "data")),
}

# What cannot stand beside each of these, since it could never be judged.
EXCLUDED = {
    "raises": ("expect", "gradient", "same_as", "differs_from"),
    "module": ("args", "expect", "gradient", "raises", "same_as", "differs_from", "bias"),
}
# Every constructor takes these, whatever else it takes.
COMMON_PARAMETERS = ("reduction", "size_average", "reduce")
