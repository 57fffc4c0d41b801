"""Couplings of a set of lattices, by pseudo-likelihood.

J. Besag, J. R. Stat. Soc. B 36, 192 (1974). In a model Σ_α K_α S_α of the operators of
``effective_couplings`` a spin given all others is

    p(σ_i | others) = 1/(1 + exp(−2 σ_i Σ_α K_α φ_α,i)),   φ_α,i = Σ of the terms with i, less σ_i

The K_α that make the product of these over all sites and lattices largest are consistent estimates
where the lattices are samples of such a model, and a definition of its couplings where not. The
fields φ are small integers, so all that enters is a table of how often each set of them occurs with
each spin. Errors: jackknife over blocks of lattices.
"""

import itertools

import numpy as np
import numpy.typing as npt

from coarsegrain.rbm.effective_couplings import OPERATORS, Operator

Array = npt.NDArray[np.float64]
Spins = npt.NDArray[np.int8]

_MOST_STEPS = 50
_SMALLEST_STEP = 1e-12


class UndeterminedCouplings(ValueError):
    """No finite couplings are the likeliest: lattices are few, and all alike."""


def fitted_couplings(
    lattices: Spins, operators: tuple[Operator, ...] = OPERATORS, *, blocks: int = 20
) -> tuple[Array, Array]:
    """The couplings of largest pseudo-likelihood, and their standard errors.

    Args:
        lattices: (n, L, L) int8, ±1, L at least 4; independent, at least ``blocks`` of them.
        operators: whose couplings; at most five.
        blocks: of the jackknife.
    Returns:
        (operators,) and (operators,).
    Raises:
        ValueError: there are fewer lattices than blocks.
        UndeterminedCouplings: the largest is at infinity.
    """
    if len(lattices) < blocks:
        raise ValueError(f"{len(lattices)} lattices cannot make {blocks} blocks.")
    edges = np.linspace(0, len(lattices), blocks + 1).astype(int)
    values, counts = _tables(lattices, operators, edges)
    total = counts.sum(axis=0)
    best = _largest(values, total, np.zeros(len(operators)))
    left_out = np.array([_largest(values, total - each, best) for each in counts])
    deviations = left_out - left_out.mean(axis=0)
    return best, np.sqrt((blocks - 1) / blocks * (deviations**2).sum(axis=0))


def fields(lattices: Spins, operator: Operator) -> npt.NDArray[np.int8]:
    """φ of every site: (n, L, L), the sum over the terms with it of their other spins."""
    total = np.zeros(lattices.shape, dtype=np.int8)
    for term in operator.terms:
        for own in term:
            product = np.ones(lattices.shape, dtype=np.int8)
            for other in term:
                if other != own:
                    shift = (own[0] - other[0], own[1] - other[1])
                    product *= np.roll(lattices, shift, axis=(1, 2))
            total += product
    return total


def _tables(
    lattices: Spins, operators: tuple[Operator, ...], edges: npt.NDArray[np.int64]
) -> tuple[Array, Array]:
    """All sets of fields (sets, operators), and how often each occurs with σ = −1 and +1.

    The counts are (blocks, sets, 2), of the blocks of lattices between the edges.
    """
    most = [sum(map(len, operator.terms)) for operator in operators]
    levels = [range(-m, m + 1) for m in most]
    values = np.array(list(itertools.product(*levels)), dtype=np.float64)
    counts = np.empty((len(edges) - 1, len(values), 2))
    for block, (start, stop) in enumerate(itertools.pairwise(edges)):
        part = lattices[start:stop]
        number = np.zeros(part.shape, dtype=np.int64)
        for m, operator in zip(most, operators):
            number = number * (2 * m + 1) + (fields(part, operator) + m)
        number = 2 * number + (part > 0)
        counts[block] = np.bincount(number.ravel(), minlength=counts[0].size).reshape(-1, 2)
    seen = counts.sum(axis=(0, 2)) > 0
    return values[seen], counts[:, seen]


def _largest(values: Array, counts: Array, start: Array) -> Array:
    """Newton's method on the pseudo-likelihood, which is concave."""
    both, excess = counts.sum(axis=1), counts[:, 1] - counts[:, 0]
    couplings, last = start.copy(), np.inf
    for _ in range(_MOST_STEPS):
        means = np.tanh(values @ couplings)
        slope = values.T @ (excess - both * means)
        curvature = (values * (both * (1 - means**2))[:, None]).T @ values
        try:
            step = np.linalg.solve(curvature, slope)
        except np.linalg.LinAlgError:
            break
        size = float(np.abs(step).max())
        couplings = couplings + step
        if size < _SMALLEST_STEP or (size < 1e-9 and size >= last):
            return couplings
        last = size
        if not np.isfinite(size) or np.abs(couplings).max() > 20:
            break
    raise UndeterminedCouplings(
        "the pseudo-likelihood has no largest value: the lattices do not determine the couplings."
    )
