"""What a flow is to those who use it: a density q(x) of lattices of fields, to be drawn from."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Fields = npt.NDArray[np.floating]


@dataclass(frozen=True)
class Drawn:
    """Samples of a flow.

    Attributes:
        fields: (n, L, L) x.
        log_q: (n,) ln q(x) in nats.
    """

    fields: Array
    log_q: Array


class Flow(Protocol):
    """A density of fields on an L x L lattice."""

    @property
    def L(self) -> int:
        """Side of the lattice."""

    def draw(self, number: int, *, seed: int) -> Drawn:
        """Independent samples: the same for the same number and seed."""

    def log_density(self, fields: Fields) -> Array:
        """ln q(x) in nats, (n,), of fields (n, L, L)."""

    def latents(self, fields: Fields, *, seed: int) -> Array:
        """The latent variables z (n, L, L) that the flow makes fields (n, L, L) of.

        If the fields have the density q, they are independent and normal, N(0, 1). A flow of two
        signs may make a field in two ways: one is drawn, with its probability given the field.
        """
