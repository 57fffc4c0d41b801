"""Restricted Boltzmann machines with ±1 units: what they are, sampling, training."""
