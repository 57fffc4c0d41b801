"""The stages of sampled lattices and their certificates."""
