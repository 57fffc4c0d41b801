"""Restricted Boltzmann machines with ±1 units: distributions, training and likelihood."""
