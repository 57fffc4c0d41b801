"""Probabilities as integers, so that an update is the same on every device.

An event of probability p happens when a random 64-bit integer U is below T = ⌊2⁶⁴ p⌋. U is never
formed: its bits are drawn from the most significant one down, for 64 sites at a time, until the
comparison is decided everywhere. Plane 0 holds the most significant bits. p is a float64, so T/2⁶⁴
is off by at most 2⁻⁵³ p: a bias beyond reach of any sample.
"""

import math
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from coarsegrain.ising.sampler.exponentials import (
    add,
    exponential_minus_one,
    multiply,
    ratio,
)
from coarsegrain.ising.sampler.layout import Words
from coarsegrain.jit import word_function

#: Random planes (and so blocks of two) after which a comparison with 64 bits is over in any case.
PLANES = 64


class Thresholds(NamedTuple):
    """T of the three random decisions, one per lattice (any shape, the same for all three)."""

    #: A bond between equal spins joins them: p = 1 − exp(−2β).
    bond: Words
    #: Heat bath sets a spin against a local field |h| = 2: p = 1/(1 + exp(4β)).
    against_2: Words
    #: The same for |h| = 4: p = 1/(1 + exp(8β)).
    against_4: Words


def fixed_point(probability: float) -> int:
    """⌊2⁶⁴ p⌋, kept below 2⁶⁴."""
    return min(int(math.ldexp(probability, 64)), 2**64 - 1)


def thresholds(betas: npt.NDArray[np.float64]) -> Thresholds:
    """Thresholds of each inverse temperature (n,), β ≥ 0.

    The probabilities are within a unit in the last place of float64, and the same on every
    machine: they come from sums, products and quotients (``exponentials``), never from a C
    library's exp, whose last bit differs between machines.
    """
    distinct, index = np.unique(np.asarray(betas, dtype=np.float64), return_inverse=True)
    m, k = exponential_minus_one(2.0 * distinct)
    one, scale = (np.ones_like(k), np.zeros_like(k)), np.ldexp(1.0, k.astype(np.int64))
    # exp(−2β) = scale (1 + m). Taken from 1 without loss: where k is 0, what is left is −m.
    bond = add((1.0 - scale, np.zeros_like(k)), (-scale * m[0], -scale * m[1]))
    exp_2 = add(one, m)
    exp_2 = scale * exp_2[0], scale * exp_2[1]
    exp_4 = multiply(exp_2, exp_2)
    exp_8 = multiply(exp_4, exp_4)
    probabilities = (
        bond[0] + bond[1],
        ratio(exp_4, add(one, exp_4)),
        ratio(exp_8, add(one, exp_8)),
    )
    return Thresholds(*(_words(p.tolist())[index] for p in probabilities))


def _words(probabilities: Iterable[float]) -> Words:
    return np.array([fixed_point(p) for p in probabilities], dtype=np.uint64)


@word_function
def compare(
    undecided: np.uint64, threshold_bits: np.uint64, random_bits: np.uint64
) -> tuple[np.uint64, np.uint64]:
    """One plane of the comparison U < T: the bits found to be below, and those still undecided.

    A bit is decided at the first plane where U differs from T: it is below if its U has a 0 there.
    """
    below = undecided & threshold_bits & ~random_bits
    return below, undecided & ~(threshold_bits ^ random_bits)
