"""The vocabulary of the case format: every key and every fixed value.

``cases/schema.json`` says the same to editors; ``tests/own/corpus/test_schema.py`` keeps the two in step.
"""

from __future__ import annotations

from dataclasses import dataclass

from lossproof.numbers.formats import FORMATS


@dataclass(frozen=True)
class Keys:
    """The required and the optional keys of a mapping."""

    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()

    @property
    def all(self) -> tuple[str, ...]:
        """All keys, the required ones first."""
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
# Modes that take turns: a case may not meet them, and meets others once there are more of them.
TAKING_TURNS = frozenset(
    (
        "meta",
        "fake",
        "no_grad",
        "inference_mode",
        "without_gradients",
        "only_first",
        "only_last",
        "after_layer",
        "offset",
        "first_offset",
        "others_offset",
        "sliced",
        "first_spread",
        "others_spread",
        "same_tensor",
        "transposed_view",
        "accumulated",
        "third_backward",
        "kept_gradients",
        "create_graph",
        "hooked",
        "anomaly_mode",
        "other_call_between",
        "summed",
        "upstream_spread",
        "upstream_zeros",
        "upstream_infinite",
        "other_thread",
        "other_default_dtype",
        "checkpointed",
        "swapped",
        "shifted",
        "reversed_rows",
        "halved_weights",
        "defaults_given",
        "defaults_left_out",
        "numbers_of_another_kind",
        "variance_as_number",
        "lengths_in_tuples",
        "called_before",
        "other_batch_before",
        "evaluating",
        "copied",
        "reloaded",
        "reweighted",
        "converted",
        "two_threads",
    )
)
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
# In `prints`, this stands for the numbers of the erratum, besides the reductions under `expect`.
ERRATUM_NUMBERS = "erratum"
MODULE = Keys(("aspect", "expected"))
PRINTED = Keys((), ("digits", *FORMATS))
_CALL = ("loss", "params", "args", "upstream", "reductions", "dtypes")
_RESULTS = ("expect", "gradient", "same_as", "differs_from")
_DEMANDS = ("raises", "warns", "module", "bias", "own_process", "repeats")
_REMARKS = ("source", "prints", "flags", "erratum", "drifted", "rounded", "loses_digits", "kills")
CASE = Keys(("id", "title"), (*_CALL, *_RESULTS, *_DEMANDS, *_REMARKS))
DEFECT_FILE = Keys(("defects",), ("defaults",))
_RELEASES = ("since", "until", "link", "searched")
DEFECT = Keys(
    ("case", "subject", "observed", "expected", "why", "kind"),
    ("dtypes", "reductions", "quantities", "layouts", "platform", "device", "elements", *_RELEASES),
)
# Keys that a file may state once for all its entries.
DEFECT_DEFAULTS = Keys((), tuple(key for key in DEFECT.all if key not in ("case", "observed")))
OBSERVED = Keys(("budgets",))
PICK_FILE = Keys(("picks",))
PICK = Keys(("conventions", "pick", "subject"), _RELEASES)

# One key identifies the form of a tensor; the table gives all keys of the form.
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
    "patch": Keys(("patch", "at", "numbers")),
    "complex": Keys(("complex",)),
    "data": Keys(("dtype", "data")),
}

# Keys that exclude each other: what they ask for could never be judged.
EXCLUDED = {
    "raises": ("upstream", *_RESULTS),
    "module": ("args", "upstream", "expect", "gradient", "raises", "same_as", "differs_from", "bias"),
}
# Parameters of every constructor.
COMMON_PARAMETERS = ("reduction", "size_average", "reduce")
