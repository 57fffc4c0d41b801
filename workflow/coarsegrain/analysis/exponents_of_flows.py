"""What a flow passes on, put to the test of RG that every map is put to.

The signs of the fields on each scale are coarse spins of the lattice that the fields were drawn
from. Lattices of half the side would need a flow of their own, so matching cannot be told. A flow
of two signs makes what it passes on of x or of −x; a map must be odd, so its fields get the sign
with which they overlap with x. Block means, or long waves, of fields that only the exact coupling
matrix was taken from are coarse spins without any training.
"""

from collections.abc import Sequence

import numpy as np

from coarsegrain.flows.coarse_variables import transform
from coarsegrain.flows.flow import Array, PassedOn
from coarsegrain.ising.dual import DualIsing
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


def untrained(fields: Array, dual: DualIsing, passes: str) -> list[PassedOn]:
    """What a flow passes on before any training: of K^(−½) x of fields x (n, L, L).

    Args:
        fields: see above.
        dual: the model.
        passes: what a scale passes on, one of ``flows.coarse_variables.PASSES``.
    """
    found, y = [], dual.multiplied(fields, -0.5)
    unknown = np.full(len(fields), np.nan)
    for scale in range(1, dual.L.bit_length()):
        coarse = transform(passes, y.shape[1])[::2]
        y = coarse @ y @ coarse.T
        found.append(PassedOn(scale, y, unknown))
    return found


def of_its_fields(passed: PassedOn, fields: Array) -> PassedOn:
    """What was made of fields x (n, L, L) or of −x, with the sign of x: Σ y x > 0, site by site."""
    step = 2**passed.scale
    overlap = (passed.fields * fields[:, ::step, ::step]).sum(axis=(1, 2))
    return passed._replace(fields=passed.fields * np.sign(overlap)[:, None, None])
