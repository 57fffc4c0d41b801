"""Study B: Boltzmann machines against block spins (Taylor 2023, arXiv:2308.11075).

What is measured with the machines, the tables and the figures; beside the machines in
``machines/<machine>/`` their .likelihood.csv and .couplings.csv.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from coarsegrain.nets.architecture import THERMOMETER
from pipeline.studies.machines import MACHINES, RANGES
from pipeline.studies.maps import STACK, Maps
from pipeline.studies.study import Figure, Recipe, once

FREE = [name for name, machine in MACHINES.items() if machine.kernel == 0]
FLOW = ("wide", "low", "high")
#: Machines at the side of the study, on lattices at its β.
CRITICAL = [name for name, machine in MACHINES.items() if machine.data == "critical"]
#: Numbers of reconstructions after which β is measured.
RECONSTRUCTIONS = (0, 1, 2, 5, 10, 30, 100, 300, 1000)
#: Of the flow in one dimension: changes of scale, K that nets learn from and that tables show, and
#: rings whose lengths are measured, from the K' of the smallest K up.
RING_FLOW: Mapping[str, Any] = {
    "scales": [2, 3],
    "learn": {
        "lowest": 0.15, "highest": 1.6, "couplings": 24, "hidden": 16, "learning_rate": 1e-2,
    },
    "show": {"lowest": 0.2, "highest": 1.5, "number": 14},
    "rings": {"spins": 256, "lowest": 0.004, "highest": 1.65, "couplings": 30, "degree": 8},
}  # fmt: skip
#: Of machines on a ring, trained with exact gradients.
RING_MACHINE: Mapping[str, Any] = {
    "spins": 8, "couplings": [0.2, 0.6, 1.0], "learning_rate": 0.1, "l2": 1e-3,
}  # fmt: skip


class BoltzmannMachines(Maps):
    """What is measured with the machines, the tables and the figures."""

    name = "rbm"
    title = "B. Boltzmann machines against block spins"
    figures = (
        Figure("exponents", "The test of RG"),
        Figure("ring_flow", "One dimension"),
        Figure("likelihood", "Likelihood"),
        Figure("couplings", "Likelihood"),
        Figure("receptive_fields", "Blocking"),
        Figure("blocking", "Blocking"),
        Figure("temperature_flow", "Flow of temperature"),
        Figure("training", "Training"),
    )
    tables: ClassVar[Mapping[str, str]] = {
        "mcrg": "collect_exponents",
        "rg_maps": "collect_exponents",
        "rbm_ring_flow": "learn_ring_flow",
        "rbm_ring_lengths": "learn_ring_flow",
        "rbm_ring_machine": "fit_ring_machine",
        "rbm_convergence": "collect_machine_convergence",
        "rbm_likelihood": "collect_likelihoods",
        "rbm_couplings": "collect_couplings",
        "rbm_fields": "measure_fields",
        "rbm_field_units": "measure_fields",
        "rbm_soft_majority": "fit_soft_majority",
        "rbm_block_mechanism": "block_mechanism",
        "rbm_flow": "reconstruction_flow",
    }

    def _all(self, names: Sequence[str], purpose: str) -> dict[str, Any]:
        """All members of machines, with what tables call them and a seed for each."""
        every = [(name, k) for name in names for k in self.members()]
        return {
            "names": [name for name, _ in every],
            "files": [self.machine(name, k) for name, k in every],
            "entries": [
                {
                    "labels": self.labels(name, k),
                    "seed": self.seed(purpose, machine=name, member=k),
                }
                for name, k in every
            ],
        }

    def _histories(self) -> list[str]:
        return [path for name in MACHINES for path in self.histories(name)]

    # One dimension

    @once
    def learn_ring_flow(self) -> Recipe:
        """The flow of the coupling of the ring."""
        ring, members = self.settings["ring"], len(self.members())
        rings = RING_FLOW["rings"]
        # a mean of spins' products must come out above 0, by six standard errors
        measurable = round(6 / math.sqrt(rings["spins"] * ring["rings"]), 6)
        lowest = max(rings["lowest"], measurable)
        return Recipe(
            spec={
                **RING_FLOW,
                "learn": {**RING_FLOW["learn"], "steps": ring["steps"]},
                "rings": {**rings, "lowest": lowest, "number": ring["rings"]},
                "members": dict.fromkeys(("exact", "exact_plain_loss", "samples"), members),
                "seed": self.seed("ring flow"),
            }
        )

    @once
    def fit_ring_machine(self) -> Recipe:
        """Machines that are the Ising ring."""
        steps = self.settings["ring"]["steps"]
        return Recipe(
            spec={
                **RING_MACHINE,
                "steps": {"bonds": steps // 10, "bonds_l2": steps // 5, "free": steps // 2},
                "members": len(self.members()),
                "seed": self.seed("ring machine"),
            }
        )

    # Likelihood and couplings

    @once
    def collect_machine_convergence(self) -> Recipe:
        """Which trainings have come to rest."""
        models = [machine.label for machine in MACHINES.values() for _ in self.members()]
        return Recipe({"histories": self._histories()}, {"models": models})

    @once
    def measure_likelihood(self, machine: str, member: int) -> Recipe:
        """How far a machine's member is from the Ising model."""
        lattices, certificates = self._certified("rbm/test")
        return Recipe(
            {"machine": self.machine(machine, member), "lattices": lattices},
            {
                "labels": self.labels(machine, member),
                "ising": True,
                "effort": dict(self.settings["likelihood"]),
                "seed": self.seed("likelihood", machine=machine, member=member),
            },
            waits_for=certificates,
        )

    @once
    def collect_likelihoods(self) -> Recipe:
        """Those of all machines at the critical point."""
        files = [
            f"{self.folder('measure_likelihood', name, k)}machines/{name}/member-{k}.likelihood.csv"
            for name in CRITICAL
            for k in self.members()
        ]
        return Recipe({"likelihoods": files})

    @once
    def measure_couplings(self, machine: str, member: int) -> Recipe:
        """The couplings of a machine's member, and of the lattices of its layer."""
        layer = 1 + len(MACHINES[machine].below)
        lattices, certificates = self._certified(
            f"rbm/L-{self.settings['exponents']['L']}" if machine in STACK else "rbm/test"
        )
        fine: list[str] = []
        of_fine: dict[str, int] = {}
        if layer > 1:
            below = MACHINES[machine].below[-1]
            fine, of_fine = [lattices], {"blockings": layer - 1}
            folder = self.folder("sample_layer", below, member)
            lattices = f"{folder}machines/{below}/member-{member}.layer.nc"
        return Recipe(
            {"machine": self.machine(machine, member), "lattices": lattices, "fine": fine},
            {
                "labels": self.labels(machine, member),
                **of_fine,
                "chains": 2500,
                "steps": 100,
                "seed": self.seed("couplings", machine=machine, member=member),
            },
            waits_for=certificates,
        )

    @once
    def collect_couplings(self) -> Recipe:
        """Those of all machines at the critical point, and of the stack."""
        files = [
            f"{self.folder('measure_couplings', name, k)}machines/{name}/member-{k}.couplings.csv"
            for name in (*CRITICAL, *STACK)
            for k in self.members()
        ]
        return Recipe({"couplings": files})

    # Blocking

    @once
    def measure_fields(self) -> Recipe:
        """How local the units of machines are."""
        every = self._all([*FREE, "tied-1", "tied-4", "disjoint"], "fields")
        return Recipe({"machines": every["files"]}, {"machines": every["entries"], "shuffles": 20})

    @once
    def fit_soft_majority(self) -> Recipe:
        """How far units are soft majorities of blocks."""
        every = self._all([*FREE, "tied-1", "disjoint"], "soft majority")
        lattices, certificates = self._certified("rbm/test")
        return Recipe(
            {"lattices": lattices, "machines": every["files"]},
            {"machines": every["entries"], "lattices": 500},
            waits_for=certificates,
        )

    @once
    def block_mechanism(self) -> Recipe:
        """What a machine with one unit per disjoint block loses."""
        sets = [self._certified(f"rbm/L-{side}") for side in self._sides()]
        return Recipe(
            {"lattices": [path for path, _ in sets]},
            {"exact": [[4, self.settings["beta"]], [8, self.settings["beta"]]]},
            waits_for=[each for _, certificates in sets for each in certificates],
        )

    # Flow of temperature

    @once
    def reconstruction_flow(self) -> Recipe:
        """β of lattices that machines reconstruct again and again."""
        every = self._all(FLOW, "reconstruction")
        for name, entry in zip(every["names"], every["entries"]):
            low, high = RANGES[name]
            entry["labels"] = [*entry["labels"], ["beta_low", low], ["beta_high", high]]
        (lattices, one), (reference, other) = (
            self._certified(each) for each in ("rbm/flow", "rbm/reference")
        )
        thermometers: list[str] = []
        if self.nets and self.settings["L"] == self.nets.L:
            thermometers = self.nets.networks(THERMOMETER)
        return Recipe(
            {
                "lattices": lattices,
                "reference": reference,
                "machines": every["files"],
                "thermometers": thermometers,
            },
            {"machines": every["entries"], "steps": list(RECONSTRUCTIONS)},
            waits_for=[*one, *other],
        )

    # Figures

    def plot_exponents(self) -> Recipe:
        """Exponents by map."""
        return Recipe({"table": self.table("mcrg"), "verdicts": self.table("rg_maps")})

    def plot_ring_flow(self) -> Recipe:
        """The learned flow of the ring."""
        return Recipe({"table": self.table("rbm_ring_flow")})

    def plot_likelihood(self) -> Recipe:
        """Distance from the Ising model by architecture."""
        return Recipe({"table": self.table("rbm_likelihood")})

    def plot_couplings(self) -> Recipe:
        """Couplings by layer."""
        return Recipe({"table": self.table("rbm_couplings")})

    def plot_receptive_fields(self) -> Recipe:
        """Pictures of units of the first members."""
        shown = [*FREE, "tied-4"]
        return Recipe(
            {"machines": [self.machine(each, 0) for each in shown]},
            {"words": [MACHINES[each].label for each in shown], "units": 8},
        )

    def plot_blocking(self) -> Recipe:
        """Locality and tiling against chance."""
        return Recipe({"table": self.table("rbm_fields")})

    def plot_temperature_flow(self) -> Recipe:
        """β under reconstruction."""
        return Recipe({"table": self.table("rbm_flow")})

    def plot_training(self) -> Recipe:
        """Whether trainings have converged, of a few; the table has all."""
        shown = {name: MACHINES[name].label for name in ("tied-1", "tied-4", "free")}
        shown["layer-1"] = "stack, layer 1"
        return Recipe(
            {"histories": [path for name in shown for path in self.histories(name)]},
            {"words": [words for name, words in shown.items() for _ in self.members()]},
        )
