"""Sums of products of neighbouring spins: what the couplings of a Hamiltonian multiply.

A coupling K_a enters the weight exp(Σ_a K_a S_a) with the sum S_a(σ) of one product of spins over
all sites and all orientations of its cluster. Even sums stay under σ → −σ and move the temperature;
odd ones change sign and move the field. On the periodic lattice each bond, plaquette, … counts once
(on 2 × 2 lattices, where both neighbours of a site are one, twice).
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from coarsegrain.jit import kernel, word_function

Spins = npt.NDArray[np.int8]
Sums = npt.NDArray[np.int64]
#: Sites (row, column) whose spins are multiplied.
Cluster = tuple[tuple[int, int], ...]


class Operator(NamedTuple):
    """A sum of products of spins.

    Attributes:
        name: of the coupling.
        clusters: one for each orientation; every site of the lattice is once their origin.
    """

    name: str
    clusters: tuple[Cluster, ...]


#: In the order in which couplings are added: Swendsen's (Phys. Rev. Lett. 42, 859 (1979)).
EVEN = (
    Operator("nearest neighbours", (((0, 0), (0, 1)), ((0, 0), (1, 0)))),
    Operator("diagonal neighbours", (((0, 0), (1, 1)), ((0, 1), (1, 0)))),
    Operator("plaquette", (((0, 0), (0, 1), (1, 0), (1, 1)),)),
    Operator("third neighbours", (((0, 0), (0, 2)), ((0, 0), (2, 0)))),
    Operator(
        "fourth neighbours",
        (((0, 0), (1, 2)), ((0, 0), (2, 1)), ((0, 2), (1, 0)), ((2, 0), (0, 1))),
    ),
)
ODD = (
    Operator("magnetization", (((0, 0),),)),
    Operator(
        "three of a plaquette",
        (
            ((0, 0), (0, 1), (1, 0)),
            ((0, 0), (0, 1), (1, 1)),
            ((0, 0), (1, 0), (1, 1)),
            ((0, 1), (1, 0), (1, 1)),
        ),
    ),
    Operator("three in a row", (((0, 0), (0, 1), (0, 2)), ((0, 0), (1, 0), (2, 0)))),
)


def operator_sums(spins: Spins, operators: Sequence[Operator]) -> Sums:
    """S_a of every lattice.

    Args:
        spins: (n, rows, columns) int8, ±1, periodic.
        operators: k of them.
    Returns:
        (n, k) int64.
    """
    sums = np.zeros((len(spins), len(operators)), dtype=np.int64)
    clusters = [(a, each) for a, operator in enumerate(operators) for each in operator.clusters]
    column = np.array([a for a, _ in clusters])
    first = np.cumsum([0] + [len(sites) for _, sites in clusters])
    sites = np.array([site for _, cluster in clusters for site in cluster])
    _add_products(np.ascontiguousarray(spins), column, first, sites, sums)
    return sums


def terms(operator: Operator, sites: int) -> int:
    """Number of products in a sum over a lattice of so many sites: the sum where all spins are +1.

    S_a divided by it is the mean product, a correlation between −1 and 1.
    """
    return sites * len(operator.clusters)


@word_function
def _count_ones(word: np.uint64) -> np.uint64:
    """Number of ones among 64 bits, by sums over 2, 4 and 8 of them; one instruction if known."""
    word = word - ((word >> np.uint64(1)) & np.uint64(0x5555555555555555))
    word = (word & np.uint64(0x3333333333333333)) + (
        (word >> np.uint64(2)) & np.uint64(0x3333333333333333)
    )
    word = (word + (word >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return (word * np.uint64(0x0101010101010101)) >> np.uint64(56)


@kernel
def _add_products(
    spins: Spins,
    column: npt.NDArray[np.int64],
    first: npt.NDArray[np.int64],
    sites: npt.NDArray[np.int64],
    sums: Sums,
) -> None:
    """Add to sums[i, column[c]] the products over cluster c, sites[first[c]:first[c + 1]].

    A row is a row of bits, 1 for spin −1, so that a product of spins is an exclusive or. The row's
    beginning is repeated after its end, as far as clusters reach; one more word is all zeros.
    """
    n, rows, columns = spins.shape
    reach = sites[:, 1].max()
    words = (columns + 63) // 64
    last = np.uint64(0xFFFFFFFFFFFFFFFF) >> np.uint64(64 * words - columns)
    bits = np.zeros((rows, (columns + reach + 63) // 64 + 1), dtype=np.uint64)
    for i in range(n):
        bits[:] = 0
        for row in range(rows):
            for j in range(columns + reach):
                minus = np.uint64(spins[i, row, j % columns] < 0)
                bits[row, j // 64] |= minus << np.uint64(j % 64)
        for cluster in range(len(column)):
            minus_products = np.uint64(0)
            for row in range(rows):
                for word in range(words):
                    product = np.uint64(0)
                    for k in range(first[cluster], first[cluster + 1]):
                        shift = np.uint64(sites[k, 1])
                        from_row = bits[(row + sites[k, 0]) % rows]
                        product ^= from_row[word] >> shift
                        # by 64 − shift, in two steps: a shift by 64 is not defined
                        product ^= (from_row[word + 1] << np.uint64(1)) << (np.uint64(63) - shift)
                    if word == words - 1:
                        product &= last
                    minus_products += _count_ones(product)
            sums[i, column[cluster]] += rows * columns - 2 * np.int64(minus_products)
