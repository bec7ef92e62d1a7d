"""Faults that were written from public issues before their authors had seen any case."""
