"""Figures of study B: restricted Boltzmann machines against block spins."""
