"""The modes of torch: transformed, abstract, disguised, or under other settings, a loss is the same loss.

A mode is one function: it runs, and its source is the program that shows what ran.
"""
