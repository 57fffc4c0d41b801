"""Lattices mapped to coarser ones step by step, and the sums of spins on the way."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from coarsegrain.rg.block_maps import BlockMap, Spins
from coarsegrain.rg.coupling_operators import EVEN, ODD, Operator, Sums, operator_sums

#: Lattices in one piece: which random numbers a lattice gets depends on it.
PIECE_SITES = 2**21
#: A coarse lattice of a smaller side is not looked at.
SMALLEST_SIDE = 4
#: Shifts of the origin, rows and columns, in the order in which they are used.
SHIFTS = ((0, 0), (1, 1), (0, 1), (1, 0))


class Level(NamedTuple):
    """Sums of lattices of one side, before or after a number of steps.

    Attributes:
        side: of the lattices.
        even: (n, shifts, number of even operators) int64; one shift before the first step.
        odd: (n, shifts, number of odd operators) int64.
    """

    side: int
    even: Sums
    odd: Sums


def steps_possible(L: int, maps: int) -> int:
    """How many of so many maps lattices of side L allow, down to the smallest side."""
    steps = 0
    while steps < maps and L % 2 == 0 and L // 2 >= SMALLEST_SIDE:
        L, steps = L // 2, steps + 1
    return steps


def blocked(
    spins: Spins,
    maps: Sequence[BlockMap],
    *,
    seed: int,
    shifts: int = 4,
    even: Sequence[Operator] = EVEN[:4],
    odd: Sequence[Operator] = ODD[:2],
) -> list[Level]:
    """Sums of lattices before the maps and after each one of them.

    Before each step the origin is shifted, so that every lattice is mapped ``shifts`` times with
    other blocks. Sums do not depend on the origin.

    Args:
        spins: (n, L, L) int8, ±1.
        maps: one for each step; those that the side does not allow are left out.
        seed: of what is random in the maps.
        shifts: 1 to 4.
        even: operators that stay under σ → −σ.
        odd: operators that change sign.
    Returns:
        One level before the maps and one after each step.
    """
    L = spins.shape[1]
    operators = (*even, *odd)
    steps = steps_possible(L, len(maps))
    piece = max(1, PIECE_SITES // L**2)
    pieces: list[list[list[Sums]]] = [[[] for _ in range(shifts)] for _ in range(steps)]
    before = []
    for number, start in enumerate(range(0, len(spins), piece)):
        fine = spins[start : start + piece]
        before.append(operator_sums(fine, operators))
        for shift in range(shifts):
            rng = np.random.default_rng([seed, L, number, shift])
            coarse = fine
            for step in range(steps):
                coarse = maps[step](_shifted(coarse, shift), rng=rng)
                pieces[step][shift].append(operator_sums(coarse, operators))
    levels = [np.concatenate(before)[:, None]]
    levels += [
        np.stack([np.concatenate(of_shift) for of_shift in of_step], axis=1) for of_step in pieces
    ]
    return [
        Level(L >> step, sums[..., : len(even)], sums[..., len(even) :])
        for step, sums in enumerate(levels)
    ]


def _shifted(spins: Spins, shift: int) -> Spins:
    rows, columns = SHIFTS[shift]
    return spins if shift == 0 else np.roll(spins, (-rows, -columns), axis=(1, 2))
