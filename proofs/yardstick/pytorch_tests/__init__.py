"""PyTorch's own tests of its losses, as far as they come with the wheel.

The wheel holds the samples, the independent formulas, the expected errors, the tolerances, the skips and the
gradient checks, in ``torch.testing._internal``. What it lacks are the loops over them in its test folder;
those are written again here under their own names, as the skips and tolerances are looked up by the names of
class and test.
"""
