"""A trial: one case on one subject in one dtype, and what all of its checks share."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from lossproof.checks.recorder import Recorder
from lossproof.corpus.case import Case, KnownDefect
from lossproof.corpus.picks import Pick, picks_of
from lossproof.judging.calls import CallPlanner, reductions_of
from lossproof.subjects.guarded import GuardedSubject
from lossproof.subjects.subject import Subject


@dataclass(frozen=True)
class Extent:
    """How much is examined.

    Attributes:
        layout_dtype: the dtype in which layouts other than contiguous are examined as well.
        with_modes: whether modes are examined as well.
        with_illustrations: whether records show steps and curves for a reader.
        picks: the picks of subjects where a formula leaves something open.
        planner: plans the calls. Subjects that share it share the reference's work.
    """

    layout_dtype: str = "float32"
    with_modes: bool = True
    with_illustrations: bool = True
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
    ) -> None:
        super().__init__(case, subject.name, dtype, device, known_defects)
        # A claim about a module has no dtype; float64 is used to read the options of its constructor.
        self.dtype = dtype or "float64"
        self.extent = extent
        self.picks = picks_of(extent.picks, subject.name, subject.version())
        self.subject = GuardedSubject(subject, is_isolated=case.own_process)

    @property
    def reductions(self) -> tuple[str | None, ...]:
        """The reductions that the case runs in; a claim about a module runs no call."""
        return (None,) if self.case.module is not None else reductions_of(self.case)

    @property
    def is_in_layout_dtype(self) -> bool:
        """Whether this is the dtype in which more is checked and shown than in the others."""
        preferred, dtypes = self.extent.layout_dtype, self.subject.dtypes
        return self.dtype == (preferred if preferred in dtypes else dtypes[0])
