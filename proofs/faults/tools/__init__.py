"""What several planted faults are made of: gradients, layouts, reductions gone wrong."""
