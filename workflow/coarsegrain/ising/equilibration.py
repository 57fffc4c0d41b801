"""How many steps a chain needs to forget its start."""

import math

from coarsegrain.ising.sides import check_side


def equilibration_steps(L: int) -> int:
    """Steps from a cold start after which no sample we can draw shows the start.

    ⌈8 + 0.55 L^1.25⌉: 16, 26, 50, 108 and 245 at L = 8, 16, 32, 64 and 128. One number for all β
    in [0, 0.6), so that it cannot depend on how a set of lattices is cut up. Measured with
    ``benchmarks/relaxation.py``: at the slowest β of each of these L (0.41 falling to 0.40), the
    biases of the energy and of m² decay as A exp(−t/τ) and reach 1e-4 standard deviations of one
    lattice, a tenth of the error of a mean of 10⁶ lattices, at 12, 21, 39, 87 and 208 steps. The
    rest is margin. Between these L the rule interpolates; beyond 128 it extrapolates.

    Args:
        L: side of the lattice, even, 4 to 4096.
    """
    check_side(L)
    return math.ceil(8 + 0.55 * math.pow(L, 1.25))
