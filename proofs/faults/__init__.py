"""Planted faults: a catalogue of bugs in torch's losses, and the cases that catch them."""
