"""Normalizing flows: densities of fields on a lattice that can be drawn from and evaluated."""
