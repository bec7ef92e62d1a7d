"""A trial: one case on one subject in one dtype, and what all of its checks share."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from lossproof.checks.recorder import Recorder
from lossproof.corpus.case import Case, KnownDefect
from lossproof.corpus.picks import Pick, picks_of
from lossproof.judging.calls import CallPlanner, make_call, reductions_of
from lossproof.subjects.guarded import GuardedSubject
from lossproof.subjects.subject import Subject
from lossproof.subjects.transcript import Transcript

# Budgets: honest formulas other than the reference's need 1.0 to 1.7; lost digits, 13 and more.
CLOSE = 2.0


@dataclass(frozen=True)
class Extent:
    """How much is examined.

    Attributes:
        layout_dtype: the dtype in which layouts other than contiguous are examined as well.
        with_modes: whether modes are examined as well.
        with_all_ways: whether each call is examined in all modes and ways of calling, of which some otherwise
            take turns.
        with_illustrations: whether records show steps and curves for a reader.
        is_strict: whether a foreign subject disagrees as soon as torch would, rather than being close.
        isolates_refusals: whether what a foreign subject must refuse runs in a process of its own: whatever
            it accepts may corrupt memory.
        picks: the picks of subjects where a formula leaves something open.
        planner: plans the calls. Subjects that share it share the reference's work.
    """

    layout_dtype: str = "float32"
    with_modes: bool = True
    with_all_ways: bool = False
    with_illustrations: bool = True
    is_strict: bool = False
    isolates_refusals: bool = False
    picks: Sequence[Pick] = ()
    planner: CallPlanner = field(default_factory=CallPlanner)


class Trial(Recorder):
    """One case on one subject, guarded, in one dtype; ``picks`` are those on record for the subject."""

    def __init__(
        self,
        extent: Extent,
        case: Case,
        subject: Subject,
        dtype: str | None,
        device: str,
        known_defects: Iterable[KnownDefect] = (),
        transcript: Transcript | None = None,
    ) -> None:
        close = CLOSE if subject.is_foreign and not extent.is_strict else 1.0
        super().__init__(case, subject.name, dtype, device, known_defects, close)
        # A claim about a module has no dtype; float64 is used to read the options of its constructor.
        self.dtype = dtype or "float64"
        self.extent = extent
        self.picks = picks_of(extent.picks, subject.name, subject.version())
        is_risky = extent.isolates_refusals and subject.is_foreign and case.raises is not None
        self.subject = GuardedSubject(subject, case.own_process or is_risky, transcript)

    @property
    def reductions(self) -> tuple[str | None, ...]:
        """The reductions that the case runs in; a claim about a module runs no call."""
        return (None,) if self.case.module is not None else reductions_of(self.case)

    def lacks(self, reduction: str | None) -> str:
        """Why the subject cannot run the case's call; asked before truth is computed, which takes long."""
        if not self.subject.is_foreign or self.case.module is not None:
            return ""
        return self.subject.lacks(make_call(self.case, self.dtype, reduction, device=self.device))

    @property
    def is_in_layout_dtype(self) -> bool:
        """Whether this is the dtype in which more is checked and shown than in the others."""
        preferred, dtypes = self.extent.layout_dtype, self.subject.dtypes
        return self.dtype == (preferred if preferred in dtypes else dtypes[0])
