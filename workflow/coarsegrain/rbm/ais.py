"""ln Z of a machine by annealed importance sampling.

R. M. Neal, Stat. Comput. 11, 125 (2001); for machines Salakhutdinov & Murray, ICML 2008. Between
independent units (β = 0) and the machine (β = 1) lie machines with the weights β W and its biases:

    ln p*_β(v) = a·v + Σ_j ln 2cosh(b_j + β Σ_i v_i W_ij)

A chain starts with a draw at β_0 = 0, where ln Z_0 = Σ_i ln 2cosh a_i + Σ_j ln 2cosh b_j. At every
step its log weight grows by ln p*_β'(v) − ln p*_β(v), β' the next β, and then v makes a Gibbs step
at β'. The mean of the weights is Z/Z_0 without bias, however short the chains. Its logarithm is too
small, on average, and too small by much where few chains carry all the weight: the effective sample
size tells (``estimate.LogMean``).
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from coarsegrain.jit import kernel
from coarsegrain.rbm.chains import (
    HIDDEN,
    LANES,
    START,
    VISIBLE,
    draw,
    fields_of,
    key,
    sides,
    small_exp,
    uniform_numbers,
)
from coarsegrain.rbm.estimate import LogMean, log_mean
from coarsegrain.rbm.logistic import log_2cosh
from coarsegrain.rbm.machine import Machine

Array = npt.NDArray[np.float64]

# Running products are kept between these by counting factors of the larger: the factors that come
# in between two looks are at most 2 each, and four.
_SMALL, _LARGE = 1e-150, 1e150
_LOG_LARGE = 345.38776394910684  # ln 1e150


class Annealed(NamedTuple):
    """What annealed importance sampling tells about a machine.

    Attributes:
        log_z: ln Z with its error and effective sample size.
        log_weights: (chains,) of the chains, their mean is Z / Z_0.
        visible: (chains, n_visible) int8, where the chains ended; weighted, samples of the machine.
    """

    log_z: LogMean
    log_weights: Array
    visible: npt.NDArray[np.int8]


@kernel
def _anneal(hidden, visible, betas, chain, k0, k1, sums, products, shifts):  # type: ignore[no-untyped-def]
    """Anneal LANES chains.

    Their log weights are sums + ln products + shifts · ln 1e150.

    Args:
        hidden: Side.
        visible: Side.
        betas: (steps + 1,) from 0 to 1.
        chain: number of the chain in lane 0.
        k0: lower half of the key.
        k1: its upper half.
        sums: (LANES,) zeros.
        products: (LANES,) ones.
        shifts: (LANES,) zeros.
    Returns:
        (n_visible, LANES) the last states.
    """
    n_visible, n_hidden = visible.inputs.shape[0], hidden.inputs.shape[0]
    x, y = np.zeros((n_hidden, LANES)), np.zeros((n_visible, LANES))
    v, h = np.empty((n_visible, LANES)), np.empty((n_hidden, LANES))
    u = np.empty((4, LANES))
    draw(y, visible.bias, 0.0, START, np.uint64(0), chain, k0, k1, u, v)
    fields_of(hidden, v, x)
    for step in range(len(betas) - 1):
        old, new, number = betas[step], betas[step + 1], np.uint64(step + 1)
        for four in range((n_hidden + 3) // 4):
            uniform_numbers(four, HIDDEN, number, chain, k0, k1, u)
            for unit in range(4 * four, min(4 * four + 4, n_hidden)):
                b = hidden.bias[unit]
                for lane in range(LANES):
                    f0, f1 = b + old * x[unit, lane], b + new * x[unit, lane]
                    e0, e1 = small_exp(-2.0 * abs(f0)), small_exp(-2.0 * abs(f1))
                    sums[lane] += abs(f1) - abs(f0)
                    products[lane] *= (1.0 + e1) / (1.0 + e0)
                    likely = 1.0 if f1 >= 0.0 else -1.0
                    up = u[unit - 4 * four, lane] * (1.0 + e1) < 1.0
                    h[unit, lane] = likely if up else -likely
            for lane in range(LANES):
                small, large = products[lane] < _SMALL, products[lane] > _LARGE
                products[lane] *= _LARGE if small else (_SMALL if large else 1.0)
                shifts[lane] += -1.0 if small else (1.0 if large else 0.0)
        if step == len(betas) - 2:
            break  # the last weight is in; its step would move v only
        fields_of(visible, h, y)
        draw(y, visible.bias, new, VISIBLE, number, chain, k0, k1, u, v)
        fields_of(hidden, v, x)
    return v


def annealed_importance_sampling(
    machine: Machine, *, chains: int, steps: int, seed: int
) -> Annealed:
    """Estimate ln Z.

    Args:
        machine: free or tied.
        chains: independent chains, at least 2; their number is rounded up to a multiple of 32.
        steps: between independent units and the machine, evenly spaced in β.
        seed: key of the random numbers.
    Raises:
        ValueError: a number is too small.
    """
    if chains < 2 or steps < 1:
        raise ValueError(f"{chains} chains of {steps} steps; at least 2 of 1 step are needed.")
    both, (k0, k1) = sides(machine), key(seed)
    betas = np.arange(steps + 1) / steps
    log_weights, ends = [], []
    for first in range(0, chains, LANES):
        sums, products, shifts = np.zeros(LANES), np.ones(LANES), np.zeros(LANES)
        v = _anneal(
            both.hidden, both.visible, betas, np.uint64(first), k0, k1, sums, products, shifts
        )
        log_weights.append(sums + np.log(products) + shifts * _LOG_LARGE)
        ends.append(v.T.astype(np.int8))
    found = np.concatenate(log_weights)
    independent = float(log_2cosh(both.visible.bias).sum() + log_2cosh(both.hidden.bias).sum())
    return Annealed(log_mean(found).plus(independent), found, np.concatenate(ends))
