"""PyTorch's own tests of its losses, as far as they come with the wheel.

The wheel holds the samples, the independent formulas, the expected errors, the tolerances, the skips and the
gradient checks, in ``torch.testing._internal``. It lacks the loops over them in PyTorch's test folder.
Those are rewritten here under their original names, since skips and tolerances are looked up by the names of
class and test.
"""
