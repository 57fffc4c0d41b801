"""Figures of study B: Boltzmann machines against block spins."""
