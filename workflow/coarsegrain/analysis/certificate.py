"""The certificate of a set of lattices: is it what it says, to a family-wise level of 1e-6?

All tests compare with something exact: Kaufman's energies and heat capacities, the exact energy
distribution at each lattice's own β, symmetries, and independence. No reference set is needed, so
a certificate costs a fraction of the sampling and has no error of its own. A set fails if any test
is more improbable than the level divided by their number (Bonferroni): correct lattices fail with
probability below 1e-6 per set, however the tests depend on each other.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from coarsegrain.analysis.energy_tests import energies_and_their_law, energy_tests
from coarsegrain.analysis.independence_tests import independence_tests
from coarsegrain.analysis.lattice_check import Check
from coarsegrain.analysis.symmetry_tests import symmetry_tests

# Probability that a correct set of lattices fails. Deliberately no setting: nobody may loosen it.
FAMILY_LEVEL = 1e-6


@dataclass(frozen=True)
class Certificate:
    """What was tested on a set of lattices, and what came out.

    Attributes:
        tests: every test made.
    """

    tests: tuple[Check, ...]

    @property
    def level_per_test(self) -> float:
        """P-value below which a test fails the set."""
        return FAMILY_LEVEL / len(self.tests)

    @property
    def failures(self) -> tuple[Check, ...]:
        """The tests that fail the set, the most improbable first."""
        failed = (test for test in self.tests if test.p_value < self.level_per_test)
        return tuple(sorted(failed, key=lambda test: test.p_value))

    @property
    def passed(self) -> bool:
        """Whether the lattices may be used."""
        return not self.failures


def certify(
    spins: npt.NDArray[np.int8],
    betas: npt.NDArray[np.float64],
    *,
    steps: int | None,
    steps_needed: int,
) -> Certificate:
    """Check a set of lattices.

    >>> from coarsegrain.ising.sampler import sample_lattices
    >>> betas = np.full(1000, 0.4352)
    >>> spins = sample_lattices(betas, 8, seed=1)
    >>> certify(spins, betas, steps=16, steps_needed=16).passed
    True

    Args:
        spins: (n, L, L) ±1, n ≥ 2, L even.
        betas: (n,) inverse temperatures at which they are claimed to be sampled, above 0, below 1.
        steps: length of the Markov chains they come from; None if they were sampled exactly.
        steps_needed: how long the chains had to be, by the measured relaxation time.
    Raises:
        ValueError: the arrays are no such set.
    """
    _check(spins, betas)
    energies = energies_and_their_law(spins, betas)
    tests = [
        *energy_tests(energies, betas),
        *symmetry_tests(spins, betas),
        *independence_tests(spins, betas, energies.normal_scores()),
    ]
    if steps is not None:
        p_value = 1.0 if steps >= steps_needed else 0.0
        words = f"{steps} made, {steps_needed} needed"
        low, high = float(betas.min()), float(betas.max())
        tests.append(Check("steps", low, high, float(steps), p_value, words))
    return Certificate(tuple(tests))


def _check(spins: npt.NDArray[np.int8], betas: npt.NDArray[np.float64]) -> None:
    if spins.ndim != 3 or spins.shape[1] != spins.shape[2] or spins.shape[1] % 2:
        raise ValueError(f"spins has shape {spins.shape}; only L x L lattices with even L have one")
    if len(spins) < 2 or betas.shape != spins.shape[:1]:
        raise ValueError(
            f"there are {len(spins)} lattices and beta has shape {betas.shape}; "
            "a certificate needs at least two lattices and a beta for each"
        )
    if not (np.abs(spins) == 1).all():
        raise ValueError("a spin is neither +1 nor −1")
    if not ((betas > 0) & (betas < 1)).all():
        raise ValueError("a beta is not between 0 and 1")
