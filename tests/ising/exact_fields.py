"""The dual of the 4 x 4 lattice at any β as a mixture of 65,536 normal densities."""

import math
from functools import cache

import numpy as np
from scipy.integrate import quad

from coarsegrain.ising.dual import log_cosh
from coarsegrain.ising.observables import energy_per_site
from rg.exact_states import all_states

N = 16


def coupling_matrix(L, beta):
    """K, (L², L²): β for every bond of a site to a neighbour, the offset on the diagonal."""
    K = np.zeros((L * L, L * L))
    for row in range(L):
        for column in range(L):
            for down, right in ((0, 1), (1, 0)):
                neighbour = (row + down) % L * L + (column + right) % L
                K[row * L + column, neighbour] += beta
                K[neighbour, row * L + column] += beta
    return K + np.eye(L * L) * (0.1 - np.linalg.eigvalsh(K).min())


@cache
def probabilities(beta):
    """(65536,) of all states."""
    weights = np.exp(-beta * N * (energy_per_site(all_states()) + 2))
    return weights / weights.sum()


def drawn_lattices(beta, n, seed):
    """(n, 4, 4) independent states."""
    rng = np.random.default_rng(seed)
    return all_states()[rng.choice(2**N, size=n, p=probabilities(beta))]


def drawn_fields(dual, n, seed):
    """(n, 4, 4) independent fields of the dual."""
    lattices = drawn_lattices(dual.beta, n, seed)
    return dual.draw_fields(lattices, np.random.default_rng(seed + 1000))


def normal_mean(function, mean, variance):
    """E f(x) of one normal variable, by adaptive quadrature."""

    def integrand(g):
        return float(function(mean + math.sqrt(variance) * g)) * math.exp(-(g**2) / 2)

    centre = min(max(-mean / math.sqrt(variance), -9.0), 9.0)  # where functions of |x| bend
    integral = quad(integrand, -10, 10, points=[centre], epsabs=1e-12, epsrel=1e-12, limit=200)
    return integral[0] / math.sqrt(2 * math.pi)


def mean_of_linear(function, beta, coefficients):
    """E f(Σ a_i x_i) over the dual: given the spins, a normal variable of mean aᵀK s.

    Args:
        function: of arrays.
        beta: of the dual.
        coefficients: (4, 4) the a_i.
    """
    K, a = coupling_matrix(4, beta), coefficients.reshape(N)
    means = np.round(all_states().reshape(-1, N) @ (K @ a), 9)
    levels, at = np.unique(means, return_inverse=True)
    chances = np.bincount(at, weights=probabilities(beta))
    variance = a @ K @ a
    return sum(
        chance * normal_mean(function, mean, variance) for chance, mean in zip(chances, levels)
    )


def covariance(beta):
    """⟨x xᵀ⟩ = K + K⟨s sᵀ⟩K over the dual, (16, 16); the mean is 0."""
    K, spins = coupling_matrix(4, beta), all_states().reshape(-1, N).astype(float)
    return K + K @ (spins.T * probabilities(beta) @ spins) @ K


def mean_energy(beta):
    """⟨E⟩ over the dual."""
    inverse = np.linalg.inv(coupling_matrix(4, beta))
    site = np.zeros((4, 4))
    site[0, 0] = 1
    return np.sum(inverse * covariance(beta)) / 2 - N * mean_of_linear(log_cosh, beta, site)


def assert_mean(values, exact):
    """The sample's mean is the exact one within four standard errors."""
    error = values.std(ddof=1) / math.sqrt(len(values))
    assert abs(values.mean() - exact) < 4 * error
