"""Figures of study A: autoencoders against decimation."""
