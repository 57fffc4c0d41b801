"""The machines of study B: their lattices, and how each is trained.

Where they are, below the folder of the results or of a variant:

    machines/<machine>/member-<k>.safetensors   trained weights, with .history.csv
    machines/<machine>/checkpoints/             of trainings that have not ended
    machines/blocks/member-<k>.nc               lattices of independent blocks, a control's data
    machines/<machine>/member-<k>.layer.nc      hidden states of a layer of a stack
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from coarsegrain.ising.critical_point import BETA_CRITICAL
from pipeline.studies.lattices import Lattices
from pipeline.studies.nets import Nets
from pipeline.studies.study import Config, LatticeSet, Recipe, Study, evenly_spaced, once


@dataclass(frozen=True)
class Machine:
    """A kind of machine.

    Attributes:
        label: what tables and figures call it.
        kernel: sites per side of its kernels, if the config does not decide it; 0: a free machine,
            whose units see all sites.
        channels: number of kernels.
        data: the kind of lattices that it is trained on.
        penalised: whether its weights have the L1 penalty of the config.
        below: the layers of the stack that it is the next one of.
    """

    label: str
    kernel: int | None = None
    channels: int = 1
    data: str = "critical"
    penalised: bool = False
    below: tuple[str, ...] = ()


MACHINES = {
    "tied-1": Machine("tied x1"),
    "tied-2": Machine("tied x2", channels=2),
    "tied-4": Machine("tied x4", channels=4),
    "disjoint": Machine("disjoint 2x2", kernel=2),
    "free": Machine("free", kernel=0, penalised=True),
    "free-no-penalty": Machine("free, no L1", kernel=0),
    "free-hot": Machine("free T=inf", kernel=0, data="hot", penalised=True),
    "free-blocks": Machine("free blocks", kernel=0, data="blocks", penalised=True),
    "wide": Machine("wide", channels=4, data="wide"),
    "low": Machine("low", channels=4, data="low"),
    "high": Machine("high", channels=4, data="high"),
    "layer-1": Machine("stack", data="large"),
    "layer-2": Machine("stack", data="large", below=("layer-1",)),
}
#: Ranges of β of the lattices behind the flow of temperature: one around β_c, one on each side.
RANGES = {"wide": (0.3, 0.57), "low": (0.3, 0.42), "high": (0.46, 0.57)}
#: The study whose nets are put to the same tests, if it is in the same experiment.
NETS_OF = "autoencoder"
#: β that thermometer R can read: on both sides beyond the flow's, or what scatters is not read. The
#: sampler is certified below 0.6.
OF_THERMOMETER = (0.2, 0.599)
#: Infinite temperature, as near as a certificate takes it.
HOT = 1e-6
#: W₀ of the independent blocks that a machine must find again.
SCALE_OF_BLOCKS = 0.5


class Machines(Study):
    """Machines trained on lattices of several kinds, and layer by layer."""

    def __init__(
        self,
        config: Config,
        variant: str = "",
        base: "Machines | None" = None,
        changes: Collection[str] = (),
        *,
        lattices: Lattices,
    ) -> None:
        """See ``Study``; ``lattices`` of the same config."""
        super().__init__(config, variant, base, changes)
        self.lattices = lattices
        self.settings: Mapping[str, Any] = config["rbm"]
        #: The nets of study A, if they are trained in this experiment.
        self.nets: Nets | None = None
        if NETS_OF in config["studies"]:
            nets_of_base = base.nets if base else None
            self.nets = Nets(config, variant, nets_of_base, changes, lattices=lattices)
            assert self.nets.always is not None  # before any recipe is asked for

    # Sets of lattices

    def lattice_sets(self) -> list[str]:
        """Those of all members of all machines, and those for tests and measurements."""
        kinds = dict.fromkeys(each.data for each in MACHINES.values() if each.data != "blocks")
        own = [self.lattice_set(kind, k) for kind in kinds for k in self.members()]
        sides = [f"rbm/L-{side}" for side in self._sides()]
        return [*own, "rbm/test", "rbm/flow", "rbm/reference", *sides]

    def lattice_set(self, kind: str, member: int) -> str:
        """The lattices of a kind of a member, its own."""
        return f"rbm/{kind}/member-{member}"

    def _sides(self) -> list[int]:
        """Of the lattices behind exponents, and of their halves."""
        whole = (self.settings["exponents"]["L"], self.settings["L"])
        return list(dict.fromkeys(each for side in whole for each in (side, side // 2)))

    def lattice_set_of(self, name: str) -> LatticeSet | None:
        """See ``Study``. Coupling from the past would take too long where spins are ordered."""
        found = self._side_and_betas(name)
        return LatticeSet(*found, method="hybrid") if found else None

    def _side_and_betas(self, name: str) -> tuple[int, dict[str, Any]] | None:
        settings, L = self.settings, self.settings["L"]
        own = re.fullmatch(r"rbm/([a-z]+)/member-\d+", name)
        number = settings["lattices"]
        if own and own[1] in RANGES:
            return L, {"uniform": list(RANGES[own[1]]), "number": number}
        of_kind = {
            "critical": (L, settings["beta"]),
            "hot": (L, HOT),
            "large": (settings["exponents"]["L"], BETA_CRITICAL),
        }
        if own and own[1] in of_kind:
            side, beta = of_kind[own[1]]
            return side, {"constant": beta, "number": number}
        if name == "rbm/test":
            return L, {"constant": settings["beta"], "number": settings["test_lattices"]}
        flow = settings["flow"]
        if name == "rbm/flow":
            grid = evenly_spaced(*RANGES["wide"], flow["betas"])
            return L, {"grid": grid, "each": flow["lattices_per_beta"]}
        if name == "rbm/reference":
            # thermometer R needs neighbouring β whose lattices have energies in common
            grid = evenly_spaced(*OF_THERMOMETER, max(4 * flow["betas"], 2 * L))
            return L, {"grid": grid, "each": 2 * flow["lattices_per_beta"]}
        if name in (f"rbm/L-{side}" for side in self._sides()):
            side = int(name.removeprefix("rbm/L-"))
            number = settings["exponents"]["lattices"]
            return side, {"constant": BETA_CRITICAL, "number": number}
        return None

    # Machines

    def members(self) -> range:
        """The numbers of every machine's members."""
        return range(self.config["members"])

    def machine(self, name: str, member: int) -> str:
        """The weights of a machine's member."""
        folder = self.folder("train_machine", name, member)
        return f"{folder}machines/{name}/member-{member}.safetensors"

    def histories(self, name: str) -> list[str]:
        """The histories of all members of a machine."""
        paths = [self.machine(name, member) for member in self.members()]
        return [path.replace(".safetensors", ".history.csv") for path in paths]

    def data(self, name: str, member: int) -> tuple[str, list[str]]:
        """The lattices that a member is trained on, and their certificate, if they have one."""
        kind = MACHINES[name].data
        if kind == "blocks":
            return f"{self.folder('sample_blocks', member)}machines/blocks/member-{member}.nc", []
        lattices = self.lattice_set(kind, member)
        return self.lattices.path(lattices), [self.lattices.certificate(lattices)]

    def labels(self, name: str, member: int) -> list[list[Any]]:
        """What tables call a member: columns and their values, in order."""
        layer = 1 + len(MACHINES[name].below)
        return [
            ["machine", MACHINES[name].label], ["member", member], ["layer", layer],
            ["l1", self.l1(name)],
        ]  # fmt: skip

    def l1(self, name: str) -> float:
        """The strength of the L1 penalty on a machine's weights."""
        return float(self.settings["l1"]) if MACHINES[name].penalised else 0.0

    @once
    def sample_blocks(self, member: int) -> Recipe:
        """Lattices of independent blocks."""
        return Recipe(
            spec={
                "L": self.settings["L"],
                "number": self.settings["lattices"],
                "scale": SCALE_OF_BLOCKS,
                "seed": self.seed("blocks", member=member),
            }
        )

    @once
    def train_machine(self, machine: str, member: int) -> Recipe:
        """A machine's member."""
        kind, settings = MACHINES[machine], self.settings
        of_it: dict[str, str | int] = {"machine": machine, "member": member}
        lattices, certificates = self.data(machine, member)
        kernel = settings["kernel"] if kind.kernel is None else kind.kernel
        size: dict[str, Any] = {"kind": "tied", "channels": kind.channels, "kernel": kernel}
        if kernel == 0:
            hidden = settings["hidden"]
            number = settings["L"] ** 2 // 4 if hidden == "auto" else int(hidden)
            size = {"kind": "free", "hidden": number}
        of_training = ("batch", "chains", "gibbs_steps")
        of_kind = {
            key: settings[key]["tied" if kernel else "free"] for key in ("updates", "learning_rate")
        }
        return Recipe(
            {"lattices": lattices, "below": [self.machine(each, member) for each in kind.below]},
            {
                "machine": machine,
                "member": member,
                **size,
                "settings": {
                    **{key: settings[key] for key in of_training},
                    **of_kind,
                    "l1": self.l1(machine),
                },
                "held_out": 0.1,
                "records": min(40, of_kind["updates"]),
                "start_seed": self.seed("start", **of_it),
                "shuffling_seed": self.seed("shuffling", **of_it),
                "chain_seed": self.seed("chains", **of_it),
                "below_seed": self.seed("below", **of_it),
                "device": self.config["device"],
            },
            waits_for=certificates,
        )

    @once
    def sample_layer(self, machine: str, member: int) -> Recipe:
        """Hidden states of a layer's member, of lattices that it has not seen."""
        lattices = f"rbm/L-{self.settings['exponents']['L']}"
        stack = (*MACHINES[machine].below, machine)
        return Recipe(
            {
                "lattices": self.lattices.path(lattices),
                "machines": [self.machine(each, member) for each in stack],
            },
            {"seed": self.seed("layer", machine=machine, member=member)},
            waits_for=[self.lattices.certificate(lattices)],
        )
