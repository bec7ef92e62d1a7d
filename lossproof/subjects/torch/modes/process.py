"""Ways of calling in which the call is the same, but the process around it is another."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import torch
from torch.utils.checkpoint import checkpoint

from lossproof.subjects.promise import Promise
from lossproof.subjects.torch.modes.mode import EVERY_DTYPE, Loss, Mode, Names, Result, Tensors, always, plain


def other_thread(loss: Loss, tensors: Tensors, wrt: Names, upstream: torch.Tensor) -> Result:
    """A thread other than the first makes the call and runs backward."""
    with ThreadPoolExecutor(max_workers=1) as other:
        return other.submit(plain, loss, tensors, wrt, upstream).result()


def other_default_dtype(loss: Loss, tensors: Tensors, wrt: Names, upstream: torch.Tensor) -> Result:
    """The default dtype, which tensors get that are made without one, is neither single nor the call's."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float16 if upstream.dtype == torch.float64 else torch.float64)
    try:
        return plain(loss, tensors, wrt, upstream)
    finally:
        torch.set_default_dtype(before)


def checkpointed(loss: Loss, tensors: Tensors, wrt: Names, upstream: torch.Tensor) -> Result:
    """Nothing is kept for backward, which makes the call again."""

    def kept_by_nobody(**tensors: torch.Tensor) -> torch.Tensor:
        output: torch.Tensor = checkpoint(lambda: loss(**tensors), use_reentrant=False)
        return output

    return plain(kept_by_nobody, tensors, wrt, upstream)


_THREAD = "from concurrent.futures import ThreadPoolExecutor"
_CHECKPOINT = "from torch.utils.checkpoint import checkpoint"
MODES: Mapping[str, Mode] = {
    "other_thread": Mode(
        other_thread, Promise.AS_PLAIN, EVERY_DTYPE, always, helpers=(plain,), imports=(_THREAD,)
    ),
    "other_default_dtype": Mode(other_default_dtype, Promise.AS_PLAIN, EVERY_DTYPE, always, helpers=(plain,)),
    "checkpointed": Mode(
        checkpointed, Promise.AS_PLAIN, EVERY_DTYPE, always, helpers=(plain,), imports=(_CHECKPOINT,)
    ),
}
