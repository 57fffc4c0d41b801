"""What the symmetries of the Ising model make certain, at any inverse temperature.

Turning all spins over, moving or turning the lattice changes no probability. A quantity that such
a change turns into its negative is as likely positive as negative: given the sizes, its signs are
fair coins, and the null distribution needs no model.
"""

from collections.abc import Iterator

import numpy as np
from scipy.special import bdtr

from coarsegrain.analysis.lattice_check import (
    Check,
    FloatArray,
    normal_p,
    random_signs_z,
    skewed_p,
    worst_of,
)
from coarsegrain.ising.observables import Spins


def symmetry_tests(spins: Spins, betas: FloatArray) -> Iterator[Check]:
    """Both signs, all sites, all bonds and both directions must be equal.

    Args:
        spins: (n, L, L) ±1.
        betas: (n,) inverse temperatures.
    """
    n, L, _ = spins.shape
    low, high = float(betas.min()), float(betas.max())
    right = (spins * np.roll(spins, -1, axis=2)).sum(axis=1, dtype=np.int64)
    down = (spins * np.roll(spins, -1, axis=1)).sum(axis=2, dtype=np.int64)
    rows = spins.sum(axis=2, dtype=np.int64)
    total = rows.sum(axis=1)

    decided = int(np.count_nonzero(total))
    up = int(np.count_nonzero(total > 0))
    statistic = (2 * up - decided) / max(1.0, decided**0.5)
    words = f"{up} of {decided} lattices have more spins up"
    yield Check("sign of the magnetization", low, high, statistic, fair_coins_p(up, decided), words)

    checkerboard = np.where(np.indices((L, L)).sum(axis=0) % 2 == 0, 1, -1).astype(np.int8)
    staggered = (spins * checkerboard).sum(axis=(1, 2), dtype=np.int64)
    half = L // 2
    odd_quantities = {
        "magnetization": total,
        "rows against columns": right.sum(axis=1) - down.sum(axis=1),
        # m² of the even minus that of the odd sites
        "even against odd sites": total * staggered,
        "upper against lower half": rows[:, :half].sum(axis=1) ** 2
        - rows[:, half:].sum(axis=1) ** 2,
        "halves of the horizontal bonds": right[:, :half].sum(axis=1) - right[:, half:].sum(axis=1),
        "halves of the vertical bonds": down[:, :half].sum(axis=1) - down[:, half:].sum(axis=1),
    }
    for name, values in odd_quantities.items():
        z = random_signs_z(values.astype(np.float64))
        yield Check(name, low, high, z, normal_p(z), f"{n} lattices")

    yield _sites(spins, betas)
    yield _bonds(spins, betas, (right.sum(axis=1) + down.sum(axis=1)) / (2 * L**2))


def fair_coins_p(up: int, number: int) -> float:
    """Two-sided probability of so many heads among fair coins."""
    return min(1.0, 2 * float(bdtr(min(up, number - up), number, 0.5)))


def _sites(spins: Spins, betas: FloatArray) -> Check:
    """At every site, the number of lattices with its spin up is that of heads of n coins."""
    n, L, _ = spins.shape
    excess = spins.sum(axis=0, dtype=np.int64)
    worst = int(np.abs(excess).argmax())
    value = int(excess.flat[worst])
    p_value = min(1.0, L**2 * fair_coins_p((n + value) // 2, n))
    words = f"worst of {L**2} sites: row {worst // L}, column {worst % L}"
    low, high = float(betas.min()), float(betas.max())
    return Check("every site", low, high, value / n**0.5, p_value, words)


def _bonds(spins: Spins, betas: FloatArray, mean_bond: FloatArray) -> Check:
    """Every bond has, on average, the mean value of its lattice's bonds.

    A bond σσ' of a lattice with mean bond e differs from it with variance 1 − e² and third moment
    −2e(1 − e²), averaged over bonds; by symmetry no bond is special.
    """
    n, L, _ = spins.shape
    variance = float(np.mean(1 - mean_bond**2))
    if variance == 0:
        return worst_of("every bond", betas, [(0.0, 1.0, "no two neighbours differ")])
    skewness = float(np.mean(-2 * mean_bond * (1 - mean_bond**2))) / variance**1.5 / n**0.5
    tried = []
    for axis, direction in ((2, "horizontal"), (1, "vertical")):
        bonds = (spins * np.roll(spins, -1, axis=axis)).sum(axis=0, dtype=np.int64) / n
        z = (bonds - mean_bond.mean()) * (n / variance) ** 0.5
        for worst in (int(z.argmax()), int(z.argmin())):
            value = float(z.flat[worst])
            words = f"worst of {2 * L**2} bonds: {direction}, row {worst // L}, column {worst % L}"
            tried.append((value, min(1.0, L**2 / 2 * skewed_p(value, skewness)), words))
    return worst_of("every bond", betas, tried)
