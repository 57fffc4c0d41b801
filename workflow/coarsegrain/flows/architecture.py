"""The flow by sublattices: which sites change when, and where its parameters are.

The idea is that of S.-H. Li and L. Wang (arXiv:1802.02840): from scale to scale a quarter of the
sites goes on, the others are latent variables that are independent and normal. Here a scale 2ⁿ has
the sites whose row and column 2ⁿ divides, an (L/2ⁿ) × (L/2ⁿ) lattice of two sublattices like the
squares of a chessboard. A coupling changes the sites of one of them, each by a monotone spline of
its own value that depends on twelve sites of the other, the four nearest and the eight a knight's
move away, and on the mean of all of them: without it no site knows whether the lattice is ordered.
What a scale passes on are its long waves, by an orthogonal transform (see ``coarse_variables``):
every second site of a lattice of almost independent fields would tell the coarser scales next to
nothing, and block means would tell them where blocks begin, which the target does not know. From
latent variables to fields the coarsest scale comes first, and then

- the fields of the finest scale are multiplied by a circulant matrix, which starts as the square
  root of the exact coupling matrix: what a normal density can tell is told before training;
- the mean of all latent variables has a density with two modes, ±: no map has to tear one in two.

All maps are odd, so the density is even, exactly.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from coarsegrain.flows.coarse_variables import PASSES, SITES, WAVES

Index = npt.NDArray[np.int64]
Number = TypeVar("Number", bound=np.floating)

#: What a site sees: rows and columns of those of the other sublattice.
NEIGHBOURS = (
    (-1, 0), (0, -1), (0, 1), (1, 0),
    (-2, -1), (-2, 1), (-1, -2), (-1, 2), (1, -2), (1, 2), (2, -1), (2, 1),
)  # fmt: skip
#: Inputs of a coupling's net: neighbours, and the mean of the other sublattice.
INPUTS = len(NEIGHBOURS) + 1
#: Of a coupling's outputs, those that are odd: shifts before and after the spline.
SHIFTS = 2
#: The parameters of a coupling, as they stand one behind the other; see ``Architecture.shapes``.
OF_COUPLING = ("first", "second", "last", "spline")


class Layer(NamedTuple):
    """A coupling: which sites it changes, and which these see.

    Attributes:
        changed: (sites,) row-major.
        seen: (sites, 12).
        others: (sites,) the whole other sublattice.
    """

    changed: Index
    seen: Index
    others: Index


@dataclass(frozen=True)
class Architecture:
    """What a flow by sublattices is made of.

    Attributes:
        L: side of the lattice, a power of 2, at least 4.
        couplings: at every scale.
        hidden: units of both hidden layers of a coupling's net.
        bins: of a spline, on each side of 0.
        passes: what a scale passes on to the next one, one of ``coarse_variables.PASSES``.
    Raises:
        ValueError: a number is out of range, or ``passes`` is something else.
    """

    L: int
    couplings: int = 6
    hidden: int = 16
    bins: int = 4
    passes: str = WAVES

    def __post_init__(self) -> None:
        """Check the numbers."""
        if self.L < 4 or self.L & (self.L - 1):
            raise ValueError(f"L is {self.L}; a flow needs a power of 2, at least 4.")
        for name in ("couplings", "hidden", "bins"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}; it must be at least 1.")
        if self.passes not in PASSES:
            raise ValueError(f"passes is {self.passes}; it must be one of {', '.join(PASSES)}.")

    @property
    def scales(self) -> int:
        """Number of scales: log₂ L."""
        return self.L.bit_length() - 1

    @property
    def of_spline(self) -> int:
        """Numbers that a spline has: widths and heights of bins, and slopes at their ends."""
        return 3 * self.bins + 1

    @cached_property
    def layers(self) -> list[Layer]:
        """All couplings, from latent variables to fields."""
        return [
            sublattice_layer(self.L, 2**scale, k % 2)
            for scale in reversed(range(self.scales))
            for k in range(self.couplings)
        ]

    @cached_property
    def transforms(self) -> list[list[int]]:
        """Before each coupling, the steps of the lattices that are transformed.

        Latent variables are brought to coarse variables of coarse variables first, which their own
        mean ends in; each scale but the coarsest then begins with the way back to the sites of its
        lattice, by the transposed matrix.
        """
        steps = [2**scale for scale in range(self.scales - 1)] if self.passes != SITES else []
        found: list[list[int]] = [[] for _ in self.layers]
        found[0] = steps
        for step in steps:
            found[(self.scales - step.bit_length()) * self.couplings] = [step]
        return found

    @cached_property
    def shapes(self) -> Mapping[str, tuple[int, ...]]:
        """Shapes of all parameters by name, in the order in which they stand in one array.

        ``<k>.first``, ``<k>.second``: weights of coupling k from what is seen to hidden units, and
        to the next ones; ``<k>.last``: to the two shifts, and from their squares to the spline's
        numbers, which ``<k>.spline`` is added to. ``spectrum``: logarithms of the circulant
        matrix's eigenvalues, relative to the start. ``modes``: their distance from 0, and the
        logarithm of their standard deviation; ``mean``: spline of the mean.
        """
        H, outputs = self.hidden, SHIFTS + self.of_spline
        shapes: dict[str, tuple[int, ...]] = {}
        for k in range(len(self.layers)):
            of_it = (H, INPUTS), (H, H), (outputs, H), (self.of_spline,)
            shapes |= {f"{k}.{name}": shape for name, shape in zip(OF_COUPLING, of_it)}
        shapes["mean"] = (self.of_spline,)
        shapes["modes"] = (2,)
        shapes["spectrum"] = (int(self.orbits.max()) + 1,)
        return shapes

    @property
    def size(self) -> int:
        """Number of all parameters."""
        return sum(math.prod(shape) for shape in self.shapes.values())

    @cached_property
    def orbits(self) -> Index:
        """(L, L) numbers of the wave vectors' orbits under the symmetries of the square."""
        fold = np.minimum(np.arange(self.L), self.L - np.arange(self.L))
        high, low = np.maximum.outer(fold, fold), np.minimum.outer(fold, fold)
        return np.asarray(high * (high + 1) // 2 + low, dtype=np.int64)

    def views(self, parameters: npt.NDArray[Number]) -> dict[str, npt.NDArray[Number]]:
        """The parameters by name, as views of the one array (size,)."""
        found, at = {}, 0
        for name, shape in self.shapes.items():
            found[name] = parameters[at : at + math.prod(shape)].reshape(shape)
            at += math.prod(shape)
        return found

    def of_coupling(self, parameters: npt.NDArray[Number], coupling: int) -> npt.NDArray[Number]:
        """The numbers of one coupling, as a view of the array (size,) of all parameters."""
        each = [math.prod(self.shapes[f"0.{name}"]) for name in OF_COUPLING]
        return parameters[coupling * sum(each) :][: sum(each)]


def sublattice_layer(L: int, step: int, parity: int) -> Layer:
    """The coupling of one sublattice of the scale whose sites are ``step`` apart."""
    side = L // step
    row, column = np.indices((side, side)).reshape(2, -1)
    mine = (row + column) % 2 == parity
    others = (row[~mine] * L + column[~mine]) * step
    row, column = row[mine], column[mine]
    down, right = np.array(NEIGHBOURS).T
    rows, columns = (row[:, None] + down) % side, (column[:, None] + right) % side
    seen = (rows * L + columns) * step
    return Layer((row * L + column) * step, seen, others)
