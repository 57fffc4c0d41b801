"""What all variables of a lattice have in common, in nats: their total correlation.

S. Watanabe, IBM J. Res. Dev. 4, 66 (1960). Of variables x with the density p,

    C(x) = Σ h(x_i) − h(x) = KL(p(x) ‖ Π p(x_i)),

which is 0 if and only if they are all independent; mutual information of pairs can be 0 before. For
the dual of the Ising model h(x) = ⟨E⟩ + ln Z is known without binning or fitting. An invertible map
z(x) leaves KL(p‖q) as it is, and if q is the density of fields x of independent normal z,

    KL(p‖q) = C(z) + Σ KL(z_i ‖ N(0, 1)),

so a flow's forward KL is the most that its latent variables can have in common; where a flow makes
a field in two ways, of which one is drawn, too.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from coarsegrain.analysis.statistics import standard_error

Array = npt.NDArray[np.float64]

#: Independent parts of the samples, whose spread gives errors.
BATCHES = 10


class Shared(NamedTuple):
    """A total correlation, or a limit of it.

    Attributes:
        nats: of all variables of a lattice.
        error: its standard error.
    """

    nats: float
    error: float


class Decorrelated(NamedTuple):
    """Fields after a linear map.

    Attributes:
        fields: (n, L, L).
        log_det: ln |det| of the map.
    """

    fields: Array
    log_det: float


def decorrelated(fields: Array) -> Decorrelated:
    """Fields after the linear map that makes the plane waves' variances 1 over these samples.

    Whatever is translation invariant is then uncorrelated, without any flow.

    Args:
        fields: (n, L, L), of mean 0.
    """
    waves = np.fft.fft2(fields)
    spectrum = (np.abs(waves) ** 2).mean(axis=0) / fields[0].size
    log_det = -float(np.log(spectrum).sum()) / 2
    return Decorrelated(np.asarray(np.fft.ifft2(waves / np.sqrt(spectrum)).real), log_det)


def total_correlation(variables: Array, log_p: Array, *, batches: int = BATCHES) -> Shared:
    """C of variables that are all distributed alike: N h(x_i) + ⟨ln p(x)⟩.

    The entropy of one is by O. Vasicek, J. R. Stat. Soc. B 38, 54 (1976), from all sites together.

    Args:
        variables: (n, L, L) independent samples, translation invariant; a remainder is left out.
        log_p: (n,) ln of their density.
        batches: of samples.
    """
    from scipy.stats import differential_entropy  # takes long, and few need it

    each = len(variables) // batches
    found = np.empty(batches)
    for b in range(batches):
        part = slice(b * each, (b + 1) * each)
        entropy = float(differential_entropy(variables[part].reshape(-1), method="vasicek"))
        found[b] = variables[0].size * entropy + log_p[part].mean()
    return Shared(float(found.mean()), float(standard_error(found)))


def most_of_latents(log_p: Array, log_q: Array) -> Shared:
    """The most that C of a flow's latent variables can be: KL(p‖q).

    Args:
        log_p: (n,) ln p of samples of p.
        log_q: (n,) ln q of the same.
    """
    ratio = log_p - log_q
    return Shared(float(ratio.mean()), float(standard_error(ratio)))
