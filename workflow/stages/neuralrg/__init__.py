"""Stages of study C: the neural network renormalization group."""
