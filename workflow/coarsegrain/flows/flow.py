"""What a flow is to those who use it: a density q(x) of lattices of fields, to be drawn from."""

from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Fields = npt.NDArray[np.floating]


#: Streams of random words: latent variables for training, and for fresh samples.
TRAINING, FRESH = 0, 1


class Step(NamedTuple):
    """A loss and its gradient.

    Attributes:
        loss: (samples,) ln q(x) + E(x) in nats.
        gradient: (size,) of its mean.
    """

    loss: Array
    gradient: Array


@dataclass(frozen=True)
class Drawn:
    """Samples of a flow.

    Attributes:
        fields: (n, L, L) x.
        log_q: (n,) ln q(x) in nats.
    """

    fields: Array
    log_q: Array


class PassedOn(NamedTuple):
    """What the finer scales of a flow pass on to the coarser ones, and how likely they make it.

    Attributes:
        scale: s ≥ 1; the fields are on sites whose row and column 2^s divides.
        fields: (n, L/2^s, L/2^s).
        log_q: (n,) ln density, in nats, that the flow gives to these fields alone.
    """

    scale: int
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

    def passed_on(self, fields: Fields, *, seed: int) -> list[PassedOn]:
        """What the scales 0 … s − 1 make of fields (n, L, L), for s = 1, 2, …

        A sign is drawn as in ``latents``, from the same seed.
        """
