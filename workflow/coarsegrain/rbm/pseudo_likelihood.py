"""Pseudo-likelihood: how well a machine tells single units from all others.

    ln PL(v) = Σ_i ln p(v_i | all others),   p(v_i | …) = p*(v)/(p*(v) + p*(v with unit i turned))

(J. Besag, The Statistician 24, 179 (1975).) It needs no normalization, and rises while a machine
learns local structure, though not by as much as the likelihood.
"""

import numpy as np
import numpy.typing as npt

from coarsegrain.jit import kernel
from coarsegrain.rbm.logistic import exp_of_negative, log_2cosh_of, log_of_one_plus
from coarsegrain.rbm.machine import FreeMachine, Machine, fields


def log_pseudo_likelihood(
    machine: Machine, v: npt.NDArray[np.int8], units: npt.NDArray[np.int64] | None = None
) -> float:
    """Mean of ln p(v_i | all others) per visible unit, in nats.

    Args:
        machine: free or tied.
        v: (n, n_visible) or (n, L, L) int8, ±1.
        units: the visible units i to be told; None for all.
    """
    units = np.arange(machine.n_visible) if units is None else units
    flat = np.ascontiguousarray(v.reshape(len(v), -1))
    dense = machine.dense()
    bias = np.zeros(machine.n_visible)
    if isinstance(machine, FreeMachine) and machine.visible_bias is not None:
        bias += machine.visible_bias
    rows = np.ascontiguousarray(dense.weights[units], dtype=np.float64)
    total: float = _sum(rows, bias, units, flat, fields(machine, v))
    return total / (len(flat) * len(units))


@kernel
def _sum(rows, bias, units, v, x):  # type: ignore[no-untyped-def]
    """Sum over states and units.

    Args:
        rows: (units, hidden) float64, the units' weights.
        bias: (visible,) float64.
        units: (units,) int64.
        v: (n, visible) int8.
        x: (n, hidden) float64 fields.
    """
    result = 0.0
    for k in range(len(units)):
        sees = np.nonzero(rows[k])[0]
        for r in range(len(v)):
            sign = v[r, units[k]]
            # ln p* of the state minus that of the state with the unit turned
            gain = 2 * sign * bias[units[k]]
            for j in sees:
                gain += log_2cosh_of(x[r, j]) - log_2cosh_of(x[r, j] - 2 * sign * rows[k, j])
            # ln σ(gain)
            result += min(gain, 0.0) - log_of_one_plus(exp_of_negative(-abs(gain)))
    return result
