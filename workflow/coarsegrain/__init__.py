"""Deep learning and the renormalization group on the Ising model: the library."""
