"""Faults in the Kullback-Leibler divergence."""
