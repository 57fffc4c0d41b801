"""Real-space renormalization: maps from lattices to coarser lattices."""
