"""The trainings whose steps ``training.py`` counts: nets, lattices, settings, as in paper A."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from coarsegrain.ising.sampler import sample_lattices
from coarsegrain.nets.network import Layer, Network
from coarsegrain.nets.training import Data, Member, TrainingSettings, glorot_network
from coarsegrain.nets.training.cpu.dense import DenseTrainer
from coarsegrain.nets.training.cpu.shallow import ShallowTrainer, is_shallow
from coarsegrain.nets.training.trainer import MemberTrainer
from coarsegrain.rg.decimation import decimate, decimation_matrix

BETA = 0.4352
WIDE_RANGE = (0.01, 0.6)
#: Validation lattices per training lattice, the paper's 4,800 to 19,200.
VALIDATION = 4
SEED = 1


@dataclass(frozen=True)
class Problem:
    """A training: one net on its lattices at one batch size.

    Attributes:
        net: its name.
        member: starting weights in float32, data, seed.
        settings: loss, optimizer, batch size.
        frozen: leading layers that stay as they are.
        encoded_beforehand: peers are given the frozen layers' outputs instead of these layers.
    """

    net: str
    member: Member
    settings: TrainingSettings
    frozen: int = 0
    encoded_beforehand: bool = False

    @property
    def name(self) -> str:
        """What stands in the tables."""
        return f"{self.net}, batch {self.settings.batch_size}"

    @property
    def trained(self) -> tuple[Layer, ...]:
        """The layers that are trained, as they start."""
        return self.member.network.layers[self.frozen :]

    @property
    def is_shallow(self) -> bool:
        """Whether it is trained unit by unit."""
        return is_shallow(self.member, self.settings, self.frozen)

    def trainer(self, precision: str = "float32") -> MemberTrainer:
        """What the library trains it with, in one thread."""
        if self.is_shallow:
            return ShallowTrainer(self.member, self.settings, precision=precision, threads=1)
        return DenseTrainer(self.member, self.settings, frozen=self.frozen, precision=precision)

    def of_first(self, number: int) -> "Problem":
        """The same on the first training lattices only."""
        inputs, targets = self.member.data
        return replace(self, member=replace(self.member, data=(inputs[:number], targets[:number])))

    def with_epsilon(self, epsilon: float) -> "Problem":
        """The same with another ε of Adam."""
        return replace(self, settings=replace(self.settings, adam_epsilon=epsilon))

    def for_peers(self) -> "Problem":
        """The same without frozen layers, if peers are to be given these layers' outputs."""
        if not self.encoded_beforehand:
            return self
        encoder = Network(self.member.network.layers[: self.frozen])
        data, validation = (
            (encoder(inputs), targets)
            for inputs, targets in (self.member.data, self.member.validation)
        )
        member = replace(
            self.member, network=Network(self.trained), data=data, validation=validation
        )
        return replace(self, member=member, frozen=0)


def problems(L: int, shallow: int, deep: int, names: Sequence[str] | None) -> list[Problem]:
    """All trainings, or those of the named nets.

    Args:
        L: side of the lattices.
        shallow: training lattices of nets of one layer.
        deep: those of the others, whose step does not depend on it.
        names: of nets, see ``NETS``.
    """
    sets = _Lattices(L, shallow, deep)
    chosen = names or list(NETS)
    return [
        Problem(net, member, settings(batch, loss), frozen, "encoded" in net)
        for net in chosen
        for make, batches, loss, frozen in [NETS[net]]
        for member in [make(sets)]
        for batch in batches
    ]


def settings(batch: int, loss: str) -> TrainingSettings:
    """The paper's loss, Keras' default Adam with torch's place of ε; λ as in config.yaml."""
    return TrainingSettings(
        loss=loss, l1=1e-5, learning_rate=1e-3, adam_betas=(0.9, 0.999), adam_epsilon=1e-7,
        batch_size=batch, epochs=1,
    )  # fmt: skip


class _Lattices:
    """Lattices for training and validation, sampled once for all nets."""

    def __init__(self, L: int, shallow: int, deep: int) -> None:
        self.L, self.sites = L, L * L
        most = max(shallow, deep)
        betas = np.random.default_rng(SEED).uniform(*WIDE_RANGE, size=deep + deep // VALIDATION)
        critical = np.full(most + most // VALIDATION, BETA)
        self.shallow, self.deep, self.betas = shallow, deep, betas.reshape(-1, 1)
        self.critical = sample_lattices(critical, L, seed=SEED)
        self.wide_range = sample_lattices(betas, L, seed=SEED + 1)

    def member(self, network: Network, inputs, targets, number: int) -> Member:
        layers = (
            Layer(
                layer.weight.astype(np.float32),
                None if layer.bias is None else layer.bias.astype(np.float32),
                layer.activation,
            )
            for layer in network.layers
        )
        end = number + number // VALIDATION
        data: Data = inputs[:number], targets[:number]
        validation: Data = inputs[number:end], targets[number:end]
        return Member(Network(tuple(layers)), data, validation, seed=SEED)


def _linear(*sizes: int) -> Network:
    return glorot_network(sizes, ["linear"] * (len(sizes) - 1), biases=False, seed=SEED)


def _coarse_grainer(sets: _Lattices) -> Member:
    network = _linear(sets.sites, sets.sites // 2)
    return sets.member(network, sets.critical, decimate(sets.critical), sets.shallow)


def _upscaler(sets: _Lattices) -> Member:
    network = _linear(sets.sites // 2, sets.sites)
    return sets.member(network, decimate(sets.critical), sets.critical, sets.shallow)


def _autoencoder(sets: _Lattices) -> Member:
    network = _linear(*_model_sizes(sets.sites))
    return sets.member(network, sets.critical, sets.critical, sets.deep)


def _wide_range_autoencoder(sets: _Lattices) -> Member:
    network = _linear(*_model_sizes(sets.sites))
    return sets.member(network, sets.wide_range, sets.wide_range, sets.deep)


def _decimated_autoencoder(sets: _Lattices) -> Member:
    decoder = _linear(*_model_sizes(sets.sites)[2:])
    encoder = tuple(Layer(decimation_matrix(sets.L, step)) for step in (1, 2))
    network = Network(encoder + decoder.layers)
    return sets.member(network, sets.critical, sets.critical, sets.deep)


def _thermometer(sets: _Lattices) -> Member:
    sizes = [sets.sites, sets.sites // 2, 1]
    network = glorot_network(sizes, ["tanh", "relu"], biases=True, seed=SEED)
    return sets.member(network, sets.wide_range, sets.betas, sets.deep)


def _model_sizes(sites: int) -> tuple[int, ...]:
    return sites, sites // 2, sites // 4, sites // 2, sites


#: Member, batch sizes, loss and number of frozen layers of every net.
NETS: dict[str, tuple[Callable[[_Lattices], Member], tuple[int, ...], str, int]] = {
    "CG": (_coarse_grainer, (10, 50, 100), "hinge", 0),
    "UP": (_upscaler, (10,), "hinge", 0),
    "Model-1": (_autoencoder, (10, 100), "hinge", 0),
    "Model-2": (_decimated_autoencoder, (10, 100), "hinge", 2),
    "Model-2, encoded beforehand": (_decimated_autoencoder, (10, 100), "hinge", 2),
    "AE-WR": (_wide_range_autoencoder, (10, 100), "hinge", 0),
    "thermometer": (_thermometer, (10, 20), "mse", 0),
}
