"""PyTorch's own tests on the planted faults, as a yardstick."""
