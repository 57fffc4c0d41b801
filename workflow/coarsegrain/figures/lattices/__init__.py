"""Figures of sampled lattices."""
