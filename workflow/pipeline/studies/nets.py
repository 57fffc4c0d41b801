"""The nets of study A: their lattices, their weights, how each is trained.

Where they are, below the folder of the results or of a variant:

    nets/<net>/member-<k>.safetensors               trained weights, with .history.csv,
                                                    .losses.csv and .amplitudes.csv
    nets/<net>/member-<k>.transferred.safetensors   layers taken from shallow nets
    nets/<net>/hard_coded.safetensors               a map as weights
    nets/<net>/together/members-<k>-<l>.safetensors members that were trained in one job
    nets/<net>/checkpoints/                         of trainings that have not ended
"""

import re
from collections.abc import Collection, Mapping
from typing import Any

from coarsegrain.nets.architecture import (
    THERMOMETER,
    WIDE_RANGE_AUTOENCODER,
    model_sizes,
    models,
    shallow_nets,
)
from coarsegrain.nets.splits import number_for_testing
from pipeline.memory import training_mb
from pipeline.studies.lattices import Lattices
from pipeline.studies.study import Config, LatticeSet, Recipe, Study, evenly_spaced, once

WIDE_RANGE_NETS = (WIDE_RANGE_AUTOENCODER, THERMOMETER)
#: Lattices of twice the side, to be decimated to that of the others; and those that calibrate
#: thermometer R.
OF_BOTH_THERMOMETERS = ("doubled_test", "distant_reference")
#: β that thermometer R reads: from where long waves differ from none, to where the sampler is
#: certified.
OF_DISTANT_THERMOMETER = (0.3, 0.599)


class Nets(Study):
    """Nets that compress lattices, nets that decimate them, and a net that measures their β."""

    def __init__(
        self,
        config: Config,
        variant: str = "",
        base: "Nets | None" = None,
        changes: Collection[str] = (),
        *,
        lattices: Lattices,
    ) -> None:
        """See ``Study``; ``lattices`` of the same config."""
        super().__init__(config, variant, base, changes)
        self.lattices = lattices
        self.L: int = config["L"]
        self.shallow_nets = shallow_nets(self.L)
        self.models = models(self.L)
        #: Of which losses are told.
        self.nets = [*self.shallow_nets, *self.models]

    def nets_to_tell_of(self) -> list[str]:
        """See ``Study``."""
        return [*self.nets, THERMOMETER]

    def is_told(self, net: str) -> bool:
        """Whether tables that tell of several nets tell of this one."""
        return self.told is None or net in self.told

    # Sets of lattices

    def lattice_set(self, net: str, member: int) -> str:
        """The lattices of a net's member, its own."""
        # Nothing is trained in a hard-coded net: it is evaluated on its trained twin's lattices.
        return f"{self._kind(net)}/{net.removeprefix('H')}/member-{member}"

    def test_set(self, net: str) -> str:
        """The lattices that a net is tested on, as are all others of its kind."""
        return f"{self._kind(net)}_test"

    def _kind(self, net: str) -> str:
        return "wide_range" if net in WIDE_RANGE_NETS else "critical"

    def lattice_sets(self) -> list[str]:
        """Those of all members of all nets, and those for tests and measurements."""
        nets = [*self.nets, THERMOMETER]
        own = {self.lattice_set(net, k) for net in nets for k in self.members(net)}
        tests = dict.fromkeys(self.test_set(net) for net in self.nets)
        return [*sorted(own), *tests, "thermometer_test", *OF_BOTH_THERMOMETERS, "local_entropy"]

    def lattice_set_of(self, name: str) -> LatticeSet | None:
        """See ``Study``. Exact thermometers need lattices where spins are ordered, too."""
        if name == "doubled_test":
            return LatticeSet(2 * self.L, self._of_thermometer_test(), method="hybrid")
        if name == "distant_reference":
            return LatticeSet(self.L, self._of_distant_reference(), method="hybrid")
        betas = self._betas_of(name)
        return LatticeSet(self.L, betas) if betas else None

    def _of_distant_reference(self) -> dict[str, Any]:
        """So many β that neighbouring ones have lattices with energies in common."""
        test = self.config["thermometer"]["test"]
        number = max(test["number_of_betas"], min(2 * self.L, 256))
        grid = evenly_spaced(*OF_DISTANT_THERMOMETER, number)
        return {"grid": grid, "each": 2 * test["lattices_per_beta"]}

    def _of_thermometer_test(self) -> dict[str, Any]:
        """The middles of equal intervals of the wide range."""
        wide, test = self.config["lattices"]["wide_range"], self.config["thermometer"]["test"]
        half = (wide["beta_max"] - wide["beta_min"]) / (2 * test["number_of_betas"])
        low, high = wide["beta_min"] + half, wide["beta_max"] - half
        grid = evenly_spaced(low, high, test["number_of_betas"])
        return {"grid": grid, "each": test["lattices_per_beta"]}

    def _betas_of(self, lattice_set: str) -> Mapping[str, Any] | None:
        wide = self.config["lattices"]["wide_range"]
        if lattice_set == "thermometer_test":
            return self._of_thermometer_test()
        if lattice_set == "local_entropy":
            entropy = self.config["local_entropy"]
            grid = evenly_spaced(
                entropy["beta_min"], entropy["beta_max"], entropy["number_of_betas"]
            )
            return {"grid": grid, "each": entropy["lattices_per_beta"]}
        own = re.fullmatch(r"(critical|wide_range)(_test|/(.+)/member-\d+)", lattice_set)
        if own is None or own[3] not in (None, *self.nets, THERMOMETER):
            return None
        lattices = self.config["lattices"]
        number = lattices[own[1]]["number"]
        tested = number_for_testing(number, lattices["test_fraction"])
        number = tested if own[2] == "_test" else number - tested
        if own[1] == "critical":
            return {"constant": lattices["critical"]["beta"], "number": number}
        return {"uniform": [wide["beta_min"], wide["beta_max"]], "number": number}

    # Nets

    def members(self, net: str) -> range:
        """The numbers of a net's members."""
        return range(self.config["members_of"].get(net, self.config["members"]))

    def network(self, net: str, member: int) -> str:
        """The weights of a net's member."""
        if net in self.shallow_nets and self.shallow_nets[net].hard_coded:
            return f"{self.folder('hard_code_weights', net)}nets/{net}/hard_coded.safetensors"
        if net in self.models and not self.models[net].is_trained:
            return self._transferred(net, member)
        return f"{self.folder('train_net', net, member)}nets/{net}/member-{member}.safetensors"

    def networks(self, net: str) -> list[str]:
        """The weights of all members of a net."""
        return [self.network(net, member) for member in self.members(net)]

    def encoder(self, net: str, member: int) -> str:
        """The weights of which the first two layers lead from a model's lattice to its code."""
        if self.models[net].transferred:
            return self._transferred(net, member)
        return self.network(net, member)

    def halves_the_side(self, net: str) -> bool:
        """Whether a model's code is a linear map to a lattice of half the side."""
        sizes = model_sizes(self.models[net], self.L, self.config["nets"]["autoencoder_layers"])
        return (
            len(sizes) > 2
            and 4 * sizes[2] == sizes[0]
            and self.config["nets"]["activation"] == "linear"
        )

    def histories(self, *nets: str) -> list[str]:
        """The histories of all members of nets."""
        return [
            self.network(net, member).replace(".safetensors", ".history.csv")
            for net in nets
            for member in self.members(net)
        ]

    def _transferred(self, net: str, member: int) -> str:
        folder = self.folder("transfer_weights", net, member)
        return f"{folder}nets/{net}/member-{member}.transferred.safetensors"

    def _levels(self, net: str) -> tuple[int, int]:
        """How often a net's inputs and targets are coarse-grained."""
        shallow = self.shallow_nets.get(net)
        return (shallow.level_in, shallow.level_out) if shallow else (0, 0)

    def _lattices(self, net: str, lattice_set: str, name: str = "lattices") -> dict[str, str]:
        """A net's inputs and targets in a set, for the options ``<name>_in`` and ``<name>_out``."""
        into, out = (self.lattices.path(lattice_set, level) for level in self._levels(net))
        return {f"{name}_in": into, f"{name}_out": out}

    def _certificate(self, net: str, member: int) -> list[str]:
        return [self.lattices.certificate(self.lattice_set(net, member))]

    @once
    def hard_code_weights(self, net: str) -> Recipe:
        """A coarse-graining map as the weights of a net."""
        spec = {
            "L": self.L,
            "map": self.config["nets"]["map"],
            "step": self.shallow_nets[net].level_out,
            "precision": self.config["precision"],
        }
        return Recipe(spec=spec)

    @once
    def transfer_weights(self, net: str, member: int) -> Recipe:
        """Shallow nets as the leading layers of a model."""
        parts = self.models[net].transferred
        return Recipe({"parts": [self.network(part, member) for part in parts]})

    @once
    def train_net(self, net: str, member: int) -> Recipe:
        """One member of a net, trained alone or taken from where it was trained with others."""
        transferred = net in self.models and self.models[net].transferred
        return Recipe(
            {
                **self._lattices(net, self.lattice_set(net, member)),
                "transferred": [self._transferred(net, member)] if transferred else [],
            },
            self._training_spec(net, member),
            waits_for=self._certificate(net, member),
            parts={"together": self._together(net, member)},
        )

    def _together(self, net: str, member: int) -> list[str]:
        """The file of the members that are trained in one job with this one; none if it is alone.

        Groups are fixed, so that every job of a run finds the same: of ``members_per_job`` members
        each, from the first on.
        """
        size = self.config["members_per_job"]
        first = member - member % size
        group = [k for k in range(first, first + size) if k in self.members(net)]
        if member not in group or len(group) < 2:
            return []
        folder = f"{self.config['results_dir']}/{self.variant}nets/{net}/together"
        return [f"{folder}/members-{'-'.join(map(str, group))}.safetensors"]

    def train_members(self, net: str, members: str) -> Recipe:
        """Several members of a net, as ``0-1-2``, in one job."""
        recipes = [self.train_net(net, int(k)) for k in members.split("-")]
        inputs: dict[str, list[str]] = {"lattices_in": [], "lattices_out": [], "transferred": []}
        for recipe in recipes:
            for option, files in recipe.inputs.items():
                inputs[option] += [files] if isinstance(files, str) else files
        return Recipe(
            inputs,
            {"members": [recipe.spec for recipe in recipes]},
            waits_for=[each for recipe in recipes for each in recipe.waits_for],
        )

    def memory_mb(self, net: str, members: str) -> int:
        """Megabytes that it takes to train some members, as ``0-1-2``, in one job."""
        specs = [self._training_spec(net, int(k)) for k in members.split("-")]
        number = self.config["lattices"][self._kind(net)]["number"]
        return training_mb(specs, number, self.L * self.L)

    def _training_spec(self, net: str, member: int) -> dict[str, Any]:
        """See ``coarsegrain.nets.training`` and ``pipeline.training.TrainingSpec``."""
        config = self.config
        sizes = self._trained_sizes(net)
        if net == THERMOMETER:
            targets, activations = "betas", ["tanh", "relu"]
        else:
            targets, activations = "spins", [config["nets"]["activation"]] * (len(sizes) - 1)
        return {
            "net": net,
            "member": member,
            "sizes": sizes,
            "activations": activations,
            "biases": net == THERMOMETER,
            "targets": targets,
            "settings": self._training_settings(net),
            "validation_fraction": config["lattices"]["validation_fraction"],
            "start_seed": self.seed("start", net=net, member=member),
            "shuffling_seed": self.seed("shuffling", net=net, member=member),
            **{key: config[key] for key in ("device", "threads", "precision")},
        }

    def _trained_sizes(self, net: str) -> list[int]:
        """Units of the layers that are trained in the net itself, inputs first."""
        if net == THERMOMETER:
            return [self.L * self.L, self.config["thermometer"]["hidden"], 1]
        if net in self.shallow_nets:
            return [int(size) for size in net.split("-")[1:]]
        model = self.models[net]
        whole = model_sizes(model, self.L, self.config["nets"]["autoencoder_layers"])
        return list(whole[len(model.transferred) :])

    def _training_settings(self, net: str) -> dict[str, Any]:
        nets, thermometer = self.config["nets"], self.config["thermometer"]
        adam = {key: nets[key] for key in ("learning_rate", "adam_betas", "adam_epsilon")}
        if net == THERMOMETER:
            return {
                **adam,
                "loss": "mse",
                "l1": 0.0,
                "batch_size": thermometer["batch_size"],
                "epochs": thermometer["max_epochs"],
                "stop_at_loss": thermometer["stop_mse"],
            }
        depth = "shallow" if net in self.shallow_nets else "deep"
        settings = {key: nets[key] for key in ("loss", "l1", "batch_size")}
        if nets["stopping"] == "plateau":
            settings |= {f"plateau_{key}": value for key, value in nets["plateau"].items()}
        return {**adam, "epochs": nets["epochs"][depth], **settings}
