"""The stages of study A: autoencoders against decimation."""
