"""Ears and voice of the local twin, shared by the emulated model and the simulated callee."""
