"""The renormalized energy of what a flow passes on to a scale, E_s(y) = −ln q_s(y).

A flow gives it in closed form, its normalization included. How right is it? Exact samples x of p
passed on to y have a density p_s, and a map cannot make two densities easier to tell apart (S.
Kullback and R. Leibler, Ann. Math. Stat. 22, 79 (1951)):

    KL(p_s‖q_s) ≤ KL(p‖q),

whose right side is measured. Where q_s = p_s, means over exact and over fresh samples agree. And is
it more than the energy of a free field? With a free field g of the exact samples' covariance,

    ⟨ln q_s − ln g⟩_p = KL(p_s‖g) − KL(p_s‖q_s),

the nats by which it tells more of exact samples. Whatever is fitted is fitted to one half of these
and judged on the other.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from coarsegrain.analysis.free_field import free_field
from coarsegrain.analysis.statistics import standard_error
from coarsegrain.rg.small_matrices import solution

Array = npt.NDArray[np.float64]

#: The local operator that a free field's energy does not have.
QUARTIC = "y⁴"


class Mean(NamedTuple):
    """A mean over samples, its standard error, and their standard deviation, in nats."""

    nats: float
    error: float
    spread: float


class RenormalizedEnergy(NamedTuple):
    """What there is to say of E_s.

    Attributes:
        exact: over exact samples.
        fresh: over the flow's own.
        free: of the free field's energy, over half of the exact samples.
        beyond_free: what E_s tells of these beyond the free field.
        beyond_two_signs: the same beyond a free field of two signs.
    """

    exact: Mean
    fresh: Mean
    free: Mean
    beyond_free: Mean
    beyond_two_signs: Mean


class Couplings(NamedTuple):
    """E_s as a sum of local operators: least squares over half of the samples.

    Attributes:
        of_operators: in nats.
        errors: their standard errors.
        explained: R² over the other half: the share of the variance of E_s.
    """

    of_operators: dict[str, float]
    errors: dict[str, float]
    explained: float


def renormalized_energy(fields: Array, log_q: Array, log_q_of_fresh: Array) -> RenormalizedEnergy:
    """Measure E_s.

    Args:
        fields: (n, side, side) passed on from exact samples.
        log_q: (n,) ln of the density that the flow gives them.
        log_q_of_fresh: (m,) the same of what is passed on from the flow's own samples.
    """
    half = len(fields) // 2
    beyond = []
    for two_signs in (False, True):
        log_g = free_field(fields[:half], two_signs=two_signs).log_density(fields[half:])
        beyond += [_mean(-log_g), _mean(log_q[half:] - log_g)]
    free, beyond_free, _, beyond_two_signs = beyond
    return RenormalizedEnergy(
        _mean(-log_q), _mean(-log_q_of_fresh), free, beyond_free, beyond_two_signs
    )


def local_operators(fields: Array) -> dict[str, Array]:
    """Sums over a lattice of fields (n, side, side) of local products, (n,) each, by name.

    Of a single site there are no neighbours.
    """
    square = fields**2
    found = {"y²": square}
    if fields.shape[1] > 1:
        down = np.roll(fields, 1, axis=1)
        straight = fields * (down + np.roll(fields, 1, axis=2))
        diagonal = fields * (np.roll(down, 1, axis=2) + np.roll(down, -1, axis=2))
        found |= {"y y' nearest": straight, "y y' diagonal": diagonal}
    found[QUARTIC] = square**2
    return {name: np.asarray(each.sum(axis=(1, 2))) for name, each in found.items()}


def fitted_couplings(energies: Array, operators: dict[str, Array]) -> Couplings:
    """Fit energies (n,), which may have any constant, by operators (n,)."""
    half = len(energies) // 2
    names = list(operators)
    inputs = np.stack(list(operators.values()), axis=1)
    centre, scale = inputs[:half].mean(axis=0), inputs[:half].std(axis=0)
    inputs = (inputs - centre) / scale
    target = energies - energies[:half].mean()
    fitted = inputs[:half]
    gram = _means_of_products(fitted, fitted)
    both = np.concatenate([_means_of_products(fitted, target[:half, None]), np.eye(len(names))], 1)
    slopes, *inverse = solution(gram, both).T
    rest = target - (inputs * slopes).sum(axis=1)
    # what each sample moves the slopes by: right for any distribution of what is left
    moves = sum(fitted[:, k : k + 1] * inverse[k] for k in range(len(names))) * rest[:half, None]
    errors = moves.std(axis=0) / np.sqrt(half) / scale
    spread = target[half:] - target[half:].mean()
    explained = 1 - float((rest[half:] ** 2).sum() / (spread**2).sum())
    return Couplings(
        dict(zip(names, (slopes / scale).tolist())), dict(zip(names, errors.tolist())), explained
    )


def _means_of_products(a: Array, b: Array) -> Array:
    return np.asarray([[(x * y).mean() for y in b.T] for x in a.T])


def _mean(values: Array) -> Mean:
    return Mean(float(values.mean()), float(standard_error(values)), float(values.std(ddof=1)))
