"""Special inverse temperatures that follow from exact formulas, and the slope of eq. 5."""

import math

from scipy.optimize import minimize_scalar

from coarsegrain.ising.exact import heat_capacity_per_site


def beta_of_largest_heat_capacity(L: int) -> float:
    """β at which Kaufman's heat capacity of the L × L lattice is largest: 0.43593 at L = 32.

    Args:
        L: side of the lattice, even, at least 4.
    Returns:
        β to about 1e-8, J = k_B = 1.
    """
    # the peak lies at 0.4100 for L = 4 and approaches 0.4407 from below
    found = minimize_scalar(
        lambda beta: -heat_capacity_per_site(beta, L),
        bounds=(0.35, 0.45),
        method="bounded",
        options={"xatol": 1e-10},
    )
    return float(found.x)


def slope_of_effective_beta(beta: float) -> float:
    """dβ'/dβ = (3/2) tanh 4β of eq. 5, β' = (3/8) ln cosh 4β; above 1 a fixed point repels."""
    return 1.5 * math.tanh(4 * beta)
