"""Two-lattice matching: correlations of equally large lattices, one of which went a step further.

K. G. Wilson (1976, unpublished); R. H. Swendsen in "Real-Space Renormalization", Springer (1982).
Lattices of side L mapped n + 1 times and lattices of side L/2 mapped n times have the same side. At
the critical point both are at the map's fixed point, once n is large enough to forget where they
started, and all their correlations agree. A map without a fixed point there, such as decimation,
whose correlations fall with every step, never has them agree. Both sides being equal, finite size
plays no part.
"""

import numpy as np

from coarsegrain.rg.blocking import Level
from coarsegrain.rg.control_variates import Estimate, FloatArray, controlled, mean_of
from coarsegrain.rg.coupling_operators import EVEN, Operator, terms


def mean_product(
    level: Level, index: int = 0, operator: Operator = EVEN[0], controls: FloatArray | None = None
) -> Estimate:
    """⟨S_a⟩ divided by its number of terms: for nearest neighbours ⟨σ_i σ_j⟩.

    Args:
        level: sums of n lattices.
        index: of the even operator among the level's.
        operator: which it is.
        controls: (n, c) control variates of these lattices, or None.
    """
    of_lattice = level.even[:, :, index].sum(axis=1)
    per_term = of_lattice / (level.even.shape[1] * terms(operator, level.side**2))
    mean = mean_of(per_term)
    return controlled(mean, per_term - mean, controls)


def mismatch(larger: Estimate, smaller: Estimate) -> Estimate:
    """A correlation after n + 1 steps from side L less that after n steps from side L/2.

    The two sets of lattices are independent. 0 at the fixed point of a map.
    """
    error = np.hypot(larger.error, smaller.error)
    return Estimate(larger.value - smaller.value, float(error))
