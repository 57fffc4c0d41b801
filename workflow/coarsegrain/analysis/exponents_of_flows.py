"""What a flow passes on, put to the test of RG that every map is put to.

The signs of the fields on each scale are coarse spins of the lattice that the fields were drawn
from. Lattices of half the side would need a flow of their own, so matching cannot be told.
"""

from collections.abc import Sequence

import numpy as np

from coarsegrain.flows.flow import PassedOn
from coarsegrain.rg.blocking import SMALLEST_SIDE, Level
from coarsegrain.rg.coupling_operators import EVEN, ODD, Spins, operator_sums


def levels(spins: Spins, passed: Sequence[PassedOn]) -> list[Level]:
    """Sums of lattices, and of the signs of what is passed on from their fields.

    Args:
        spins: (n, L, L) int8, ±1.
        passed: of the fields of these lattices, from the finest scale on.
    Returns:
        One level before the first step, and one after each.
    """
    signs = [np.where(each.fields > 0, np.int8(1), np.int8(-1)) for each in passed]
    even, odd = EVEN[:4], ODD[:2]
    found = []
    for lattices in [spins, *(each for each in signs if each.shape[1] >= SMALLEST_SIDE)]:
        sums = operator_sums(lattices, (*even, *odd))[:, None]
        found.append(Level(lattices.shape[1], sums[..., : len(even)], sums[..., len(even) :]))
    return found
