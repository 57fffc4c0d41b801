"""Transfer learning: a deep net's layers taken from shallow ones (Shukla & Thakur 2021, II.C)."""

import itertools
from collections.abc import Sequence

from coarsegrain.nets.network import Network


def joined(parts: Sequence[Network]) -> Network:
    """The net that applies ``parts`` one after the other.

    Raises:
        ValueError: a part does not have as many inputs as the one before has outputs.
    """
    for before, after in itertools.pairwise(parts):
        if before.sizes[-1] != after.sizes[0]:
            raise ValueError(
                f"a net with {before.sizes[-1]} outputs cannot feed one with "
                f"{after.sizes[0]} inputs."
            )
    return Network(tuple(layer for part in parts for layer in part.layers))
