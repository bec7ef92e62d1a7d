"""Building blocks of planted faults: wrong gradients, layouts and reductions."""
