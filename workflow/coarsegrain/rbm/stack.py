"""Stacks of machines: hidden states of a layer are the data of the next.

(G. Hinton, S. Osindero & Y. Teh, Neural Computation 18, 1527 (2006).) A tied machine of one channel
makes lattices of half the side of lattices.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from coarsegrain.rbm.machine import Machine, TiedMachine, hidden_given_visible

Spins = npt.NDArray[np.int8]

GROUP = 1000  # lattices whose fields are in memory at once


def through_layers(machines: Sequence[Machine], spins: Spins, *, rng: np.random.Generator) -> Spins:
    """Draw the hidden units of the last machine of a stack, layer by layer.

    Args:
        machines: from the lowest layer up; none gives the spins back.
        spins: (n, L, L) or (n, n_visible) int8, ±1.
        rng: draws the units of all layers.
    Returns:
        (n, L', L') int8 if the last is a tied machine of one channel, else (n, n_hidden).
    Raises:
        ValueError: a machine does not fit on the layer below.
    """
    for machine in machines:
        hidden = [
            hidden_given_visible(machine, spins[k : k + GROUP], rng=rng)
            for k in range(0, len(spins), GROUP)
        ]
        spins = np.concatenate(hidden)
        if isinstance(machine, TiedMachine) and machine.channels == 1:
            spins = spins.reshape(len(spins), machine.hidden_side, machine.hidden_side)
    return spins
