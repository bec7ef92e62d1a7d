"""What proves the suite: planted faults, honest algorithms, mutants, PyTorch's own tests, the overhead."""
