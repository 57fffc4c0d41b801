"""Rule fit_ring_machine: machines trained on the exact distribution of a ring of spins."""

import numpy as np
import pandas as pd

from coarsegrain.ising.ring import all_states, entropy, state_probabilities
from coarsegrain.rbm.ring_machine import (
    ExactSettings,
    bond_mask,
    bond_weights,
    coupling_of_weights,
    kullback_leibler,
    symmetric_weight,
    train_exactly,
)
from coarsegrain.storage.tables import write_table
from pipeline.stage import Output, Spec, run

DECIMALS = 12


def main(*, table: Output, spec: Spec) -> None:
    """Train one hidden unit per bond: with the bond mask, the same with L2, and without the mask.

    Machines: "bonds", "bonds_l2", "free". Columns: kl, in nats, by enumeration; over the bonds, the
    largest deviations of artanh(tanh W₁ tanh W₂) from K, of |W₁| from |W₂|, and of both from the
    symmetric weight ½ arcosh e^(2K). A free machine's units have no bonds, and NaN there. All are
    rounded to 12 decimals: beyond, they are the rounding errors of sums of terms of order 1.

    Spec: spins, couplings (the K), members, learning_rate, l2, steps (by machine), seed.
    """
    N, rows = spec["spins"], []
    states = all_states(N)
    for machine, steps in spec["steps"].items():
        mask = np.ones((N, N), dtype=bool) if machine == "free" else bond_mask(N)
        l2 = spec["l2"] if machine == "bonds_l2" else 0.0
        settings = ExactSettings(steps=steps, learning_rate=spec["learning_rate"], l2=l2)
        for K in spec["couplings"]:
            p = state_probabilities(K, N)
            for member in range(spec["members"]):
                rng = np.random.default_rng([spec["seed"], member])
                weights = train_exactly(states, p, mask, settings, rng=rng)
                deviations = (
                    (np.nan,) * 3 if machine == "free" else _deviations(bond_weights(weights), K)
                )
                kl = kullback_leibler(weights, states, p)
                rows.append((machine, member, K, entropy(K, N), kl, *deviations))
    columns = [
        "machine", "member", "K", "entropy", "kl", "coupling_deviation", "weight_difference",
        "symmetric_deviation",
    ]  # fmt: skip
    found = pd.DataFrame(rows, columns=columns)
    numbers = found.columns[3:]
    found[numbers] = found[numbers].round(DECIMALS) + 0.0  # no −0
    write_table(table, found)


def _deviations(pairs: np.ndarray, K: float) -> tuple[float, float, float]:
    couplings = np.array([coupling_of_weights(*pair) for pair in pairs.tolist()])
    sizes = np.abs(pairs)
    return (
        float(np.abs(couplings - K).max()),
        float(np.abs(sizes[:, 0] - sizes[:, 1]).max()),
        float(np.abs(sizes - symmetric_weight(K)).max()),
    )


if __name__ == "__main__":
    run(main)
