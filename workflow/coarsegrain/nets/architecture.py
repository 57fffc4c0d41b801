"""The nets of paper A: names, sizes, what each learns and where its weights come from.

Sizes follow from L. Levels count coarse-grainings: 0 is the lattice (L² sites), 1 the first
coarse-grained one (L²/2), 2 the second (L²/4).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

THERMOMETER = "thermometer"
WIDE_RANGE_AUTOENCODER = "AE-WR"
#: Layers of a model, with those sizes that the paper gives it.
DEPTH = 4


@dataclass(frozen=True)
class ShallowNet:
    """A net of one layer between two levels; ``hard_coded`` means its weights are the map."""

    name: str
    level_in: int
    level_out: int
    hard_coded: bool = False


@dataclass(frozen=True)
class Model:
    """A four-layer net from lattice to lattice.

    Attributes:
        name: as in the paper.
        transferred: names of the shallow nets whose weights become its leading layers, frozen;
            the layers behind them are trained.
    """

    name: str
    transferred: tuple[str, ...] = ()

    @property
    def trained_layers(self) -> int:
        """Number of layers behind the transferred ones, in a net of the paper's depth."""
        return DEPTH - len(self.transferred)

    @property
    def is_trained(self) -> bool:
        """Whether any layer is left to train."""
        return self.trained_layers > 0


def level_sizes(L: int) -> tuple[int, int, int]:
    """Sites at levels 0, 1, 2."""
    return L * L, L * L // 2, L * L // 4


def shallow_nets(L: int) -> dict[str, ShallowNet]:
    """Coarse-grainers CG, up-scalers UP and hard-coded coarse-grainers HCG, by name."""
    sizes = level_sizes(L)
    nets = [
        ShallowNet(f"{kind}-{sizes[i]}-{sizes[j]}", i, j, hard_coded=kind == "HCG")
        for kind, steps in {
            "CG": [(0, 1), (1, 2)],
            "UP": [(2, 1), (1, 0)],
            "HCG": [(0, 1), (1, 2)],
        }.items()
        for i, j in steps
    ]
    return {net.name: net for net in nets}


def models(L: int) -> dict[str, Model]:
    """Model-1, -2 and -3 with their variants, and AE-WR, by name (Table I and text)."""
    a, b, c = level_sizes(L)
    trained = (f"CG-{a}-{b}", f"CG-{b}-{c}")
    hard_coded = (f"HCG-{a}-{b}", f"HCG-{b}-{c}")
    upscalers = (f"UP-{c}-{b}", f"UP-{b}-{a}")
    nets = [
        Model("Model-1"),
        Model("Model-2", hard_coded),
        Model("Model-2-CG", trained),
        Model("Model-3", trained + upscalers),
        Model("Model-3-HCG", hard_coded + upscalers),
        Model(WIDE_RANGE_AUTOENCODER),
    ]
    return {net.name: net for net in nets}


def model_sizes(
    model: Model, L: int, autoencoder_layers: Sequence[int] | Literal["auto"]
) -> tuple[int, ...]:
    """Units per layer of a model, inputs first.

    Args:
        model: one of ``models(L)``.
        L: linear size of the lattices.
        autoencoder_layers: hidden layers of Model-1 and AE-WR; ``"auto"``: those of the paper.
            Models with transferred layers always have the paper's.
    """
    a, b, c = level_sizes(L)
    if model.transferred or autoencoder_layers == "auto":
        return (a, b, c, b, a)
    return (a, *autoencoder_layers, a)
