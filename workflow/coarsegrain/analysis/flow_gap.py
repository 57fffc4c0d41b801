"""How far a normalizing flow q is from the dual of the Ising model, p = exp(−E)/Z, in nats.

All follows from the log weights w = −E − ln q of two sets of independent fields, drawn from q and
from p, and from ln Z, which is exact (``ising.dual``):

    gap = KL(q‖p) = ln Z − ⟨w⟩_q,      forward = KL(p‖q) = ⟨w⟩_p − ln Z,
    ⟨w⟩_q ≤ ln Z ≤ ⟨w⟩_p.

The gap, which training minimizes, does not see what q leaves out: covering 18 % of p costs 1.7
nats. The forward KL does, and so does every other mean over samples of p: the share of p where
ln p/q > 5, and the effective sample size ⟨p/q⟩_q²/⟨(p/q)²⟩_q = 1/⟨p/q⟩_p (K. Nicoli et al.,
arXiv:2302.14082), which from samples of q alone is too large where they miss the large weights.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from coarsegrain.analysis.statistics import standard_error
from coarsegrain.ising.dual import DualIsing, Fields
from coarsegrain.rbm.estimate import log_mean

Array = npt.NDArray[np.float64]

#: Fields count as uncovered where q is e^5 = 148 times rarer than p.
UNCOVERED = 5.0
#: Samples treated at once: 32 MB of fields at L = 32.
_PIECE = 4096


class FlowGap(NamedTuple):
    """Distances of q from p, in nats, with standard errors.

    Attributes:
        gap: KL(q‖p), from samples of q.
        gap_error: its standard error.
        forward: KL(p‖q), from samples of p.
        forward_error: its standard error.
        log_z: ln Z, exact.
        lower: what samples of q say ln Z is at least; its error is the gap's.
        upper: what samples of p say ln Z is at most; its error is the forward KL's.
        ess: effective sample size as a share, from samples of q: too large where these miss parts
            of p, and not to be believed where the largest weight has a share of more than a few
            percent.
        largest_weight: share of the largest weight p/q in the sum over the samples of q.
        ess_of_exact: the same effective sample size from samples of p, which miss nothing that p
            has; where it is small, no more than an upper limit.
        uncovered: the probability under p that ln p/q > 5.
        uncovered_error: its standard error.
    """

    gap: float
    gap_error: float
    forward: float
    forward_error: float
    log_z: float
    lower: float
    upper: float
    ess: float
    largest_weight: float
    ess_of_exact: float
    uncovered: float
    uncovered_error: float


class Histogram(NamedTuple):
    """Distribution of ln p/q over samples of p and of q. Under p it is e^(ln p/q) times that of q.

    Attributes:
        edges: (bins + 1,) of the bins, in nats.
        of_p: (bins,) shares of the samples of p; what lies beyond the edges is in the outer bins.
        of_q: (bins,) shares of the samples of q.
    """

    edges: Array
    of_p: Array
    of_q: Array


def log_weights(dual: DualIsing, fields: Fields, log_q: npt.NDArray[np.floating]) -> Array:
    """w = −E(x) − ln q(x) of every sample: ln p/q + ln Z.

    Args:
        dual: p.
        fields: (n, L, L).
        log_q: (n,) of these fields, in nats.
    Returns:
        (n,) in nats.
    Raises:
        ValueError: some are no finite numbers.
    """
    energies = np.concatenate([dual.energy(piece) for piece in pieces(fields)])
    found = -energies - np.asarray(log_q, dtype=np.float64)
    if not np.isfinite(found).all():
        raise ValueError(
            f"{(~np.isfinite(found)).sum()} of {len(found)} fields have no finite energy or ln q: "
            "the flow has diverged; train it with a smaller learning rate."
        )
    return found


def flow_gap(of_q: Array, of_p: Array, log_z: float) -> FlowGap:
    """Measure both divergences and how well q covers p.

    Args:
        of_q: (n,) log weights (``log_weights``) of independent samples of q, n ≥ 2.
        of_p: (m,) log weights of independent samples of p, m ≥ 2.
        log_z: ln Z (``DualIsing.log_integral``).
    """
    lower, upper = float(of_q.mean()), float(of_p.mean())
    uncovered = of_p - log_z > UNCOVERED
    return FlowGap(
        gap=log_z - lower,
        gap_error=float(standard_error(of_q)),
        forward=upper - log_z,
        forward_error=float(standard_error(of_p)),
        log_z=log_z,
        lower=lower,
        upper=upper,
        ess=log_mean(of_q).ess,
        largest_weight=float(1 / np.exp(of_q - of_q.max()).sum()),
        ess_of_exact=float(np.exp(log_z - log_mean(of_p).value)),
        uncovered=float(uncovered.mean()),
        uncovered_error=float(standard_error(uncovered.astype(np.float64))),
    )


def histogram(
    of_q: Array, of_p: Array, log_z: float, *, reach: float = 40.0, bins: int = 160
) -> Histogram:
    """Shares of ln p/q in bins of equal width from −reach to reach; arguments as above."""
    edges = np.linspace(-reach, reach, bins + 1)
    inside = np.nextafter(reach, 0)
    of_p, of_q = (
        np.histogram(np.clip(each - log_z, -inside, inside), edges)[0] / len(each)
        for each in (of_p, of_q)
    )
    return Histogram(edges, of_p, of_q)


def pieces(fields: Fields) -> Iterator[Fields]:
    """The samples in order, a few thousand at a time: what is computed of them then fits memory."""
    for start in range(0, len(fields), _PIECE):
        yield fields[start : start + _PIECE]
