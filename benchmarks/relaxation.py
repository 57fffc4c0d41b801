"""How fast do the sampler's chains forget their cold start? The basis of ``equilibration_steps``.

    PYTHONPATH=workflow python benchmarks/relaxation.py --side 32 --betas 0.42 0.43 0.4352

Many chains start with all spins equal. After every few steps, the mean of the energy E and of m²
over the chains is compared with equilibrium: the exact energy (Kaufman), and the mean m² of the
last third of the run. The difference in units of one lattice's standard deviation, the bias, is
fitted by A exp(−t/τ) where it is below --from and above 4 of its errors. ``steps`` is where that
exponential falls to --bias: 1e-4 is a tenth of the error of the mean of 10⁶ lattices.

Prints one CSV row per β and observable; the column ``range`` is the bias' fitted range.
The run must be at least 12 τ long (--length), or the m² of equilibrium is not.
"""

import argparse
import math
import sys

import numpy as np

from coarsegrain.ising import exact
from coarsegrain.ising.observables import energy_per_site, magnetization_squared
from coarsegrain.ising.sampler.chains import advance, cold_start
from coarsegrain.ising.sampler.lattices import thresholds_by_lane
from coarsegrain.ising.sampler.layout import LANES, row_layout, unpack_spins


def bias_curves(
    beta: float, L: int, n: int, length: int, stride: int, seed: int
) -> dict[str, np.ndarray]:
    """Bias of E and m² against the step, in standard deviations of one lattice.

    Returns:
        ``step`` (k,), ``energy`` and ``m2`` (k,): the biases; the standard error of each is
        1/√n, save for correlations of m² with its own late mean.
    """
    layout = row_layout(L)
    key = np.uint64(seed), np.uint64(0)
    batch = max(LANES, min(n, 2**22 // L**2 // LANES * LANES))
    times = np.arange(stride, length + 1, stride)
    sums = np.zeros((len(times), 2))
    squares = np.zeros((len(times), 2))
    done = 0
    while done < n:
        by_lane = thresholds_by_lane(np.full(batch, beta))
        shape = (len(by_lane.bond), layout.word_rows, layout.words_per_row, LANES)
        words = np.empty(shape, dtype=np.uint64)
        spins = np.empty((batch, L, L), dtype=np.int8)
        number = np.uint64(done)
        cold_start(words, number, *key, layout)
        for k, time in enumerate(times):
            advance(words, by_lane, number, time - stride + 1, stride, *key, layout)
            unpack_spins(words, spins, layout)
            values = np.stack([energy_per_site(spins), magnetization_squared(spins)])
            sums[k] += values.sum(axis=1)
            squares[k] += (values**2).sum(axis=1)
        done += batch
    means = sums / done
    late = times > 2 * length / 3
    sigma = np.sqrt(np.mean((squares / done - means**2)[late], axis=0))
    equilibrium = np.array([exact.energy_per_site(beta, L), means[late, 1].mean()])
    bias = (means - equilibrium) / sigma
    return {"step": times, "energy": np.abs(bias[:, 0]), "m2": np.abs(bias[:, 1]), "n": done}


def fit_relaxation(
    step: np.ndarray, bias: np.ndarray, error: float, start: float
) -> tuple[float, float, float, float, float]:
    """Fit bias = A exp(−t/τ) from where it is below ``start`` to where it is below 4 errors.

    Returns:
        τ, its error, A, and the largest and smallest bias fitted; NaN with under three points.
    """
    below = np.flatnonzero(bias < start)
    noise = np.flatnonzero(bias < 4 * error)
    if len(below) == 0 or len(noise) == 0 or noise[0] - below[0] < 3:
        return (math.nan,) * 5
    window = slice(below[0], noise[0])
    t, b = step[window], bias[window]
    weights = b / error  # of ln b
    (slope, intercept), covariance = np.polyfit(t, np.log(b), 1, w=weights, cov="unscaled")
    tau = -1 / slope
    return tau, math.sqrt(covariance[0, 0]) * tau**2, math.exp(intercept), b[0], b[-1]


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--side", type=int, required=True, help="L, even")
    parser.add_argument("--betas", type=float, nargs="+", required=True)
    parser.add_argument("--lattices", type=int, default=65536, help="chains per β")
    parser.add_argument("--length", type=int, default=100, help="steps per chain")
    parser.add_argument("--stride", type=int, default=1, help="steps between two measurements")
    parser.add_argument("--from", type=float, default=0.5, dest="start", help="largest bias fitted")
    parser.add_argument("--bias", type=float, default=1e-4, help="bias to extrapolate to")
    parser.add_argument("--seed", type=int, default=1, help="below 2**32")
    arguments = parser.parse_args()

    print("L,beta,observable,n,tau,tau_error,amplitude,range,steps")
    for beta in arguments.betas:
        curves = bias_curves(
            beta,
            arguments.side,
            arguments.lattices,
            arguments.length,
            arguments.stride,
            arguments.seed,
        )
        error = 1 / math.sqrt(curves["n"])
        for name in ("energy", "m2"):
            tau, tau_error, amplitude, high, low = fit_relaxation(
                curves["step"], curves[name], error, arguments.start
            )
            steps = tau * math.log(amplitude / arguments.bias)
            print(
                f"{arguments.side},{beta:g},{name},{curves['n']},{tau:.3f},{tau_error:.3f},"
                f"{amplitude:.2f},{high:.3f}-{low:.4f},{steps:.1f}"
            )
        sys.stdout.flush()


if __name__ == "__main__":
    main()
