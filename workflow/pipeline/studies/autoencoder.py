"""Study A: autoencoders against decimation (Shukla & Thakur 2021, arXiv:2108.06157).

Where its results are, below the folder of the results or of a variant:

    nets/<net>/member-<k>.safetensors               trained weights, with .history.csv, .losses.csv
    nets/<net>/member-<k>.transferred.safetensors   layers taken from shallow nets
    nets/<net>/hard_coded.safetensors               a map as weights
    nets/<net>/together/members-<k>-<l>.safetensors members that were trained in one job
    nets/<net>/checkpoints/                         of trainings that have not ended
"""

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any, ClassVar

from coarsegrain.nets.architecture import (
    THERMOMETER,
    WIDE_RANGE_AUTOENCODER,
    model_sizes,
    models,
    shallow_nets,
)
from coarsegrain.nets.splits import number_for_testing
from pipeline.studies.lattices import Lattices
from pipeline.studies.study import Config, Figure, Recipe, Study, once

WIDE_RANGE_NETS = (WIDE_RANGE_AUTOENCODER, THERMOMETER)
#: β of the lattices that the gallery shows (fig. 14).
GALLERY = (0.025, 0.25, 0.5)


class Autoencoder(Study):
    """Nets that compress lattices, nets that decimate them, and a net that measures their β."""

    name = "autoencoder"
    title = "A. Autoencoder against decimation"
    figures = (
        Figure("loss_curves", "Losses", "Figures 9 and A.1"),
        Figure("reconstructions", "Losses", "Figure 10"),
        Figure("weight_matrices", "Weights", "Figures 11, B.1 and B.2"),
        Figure("spin_correlations", "Weights", "Figures 12, B.3 and B.4"),
        Figure("local_entropy", "Entropy", "Figure 13"),
        Figure("lattice_gallery", "Entropy", "Figure 14"),
        Figure("thermometer", "Flow of beta", "Figure 15"),
        Figure("beta_flow", "Flow of beta", "Figure 16"),
        Figure("autoencoder_wide_range_losses", "Losses", "Figure A.2"),
        Figure("exact_thermometer", "Flow of beta"),
    )
    tables: ClassVar[Mapping[str, str]] = {
        "model_losses": "collect_losses",
        "model_architectures": "describe_models",
        "convergence": "collect_convergence",
        "exact_points": "exact_points",
        "local_entropy": "local_entropy",
        "entropy_gaps": "local_entropy",
        "thermometer": "measure_thermometer",
        "exact_thermometer": "measure_exact_thermometer",
        "beta_flow": "beta_flow",
        "beta_fixed_point": "beta_flow",
    }

    def __init__(
        self,
        config: Config,
        variant: str = "",
        base: "Autoencoder | None" = None,
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
        return [*sorted(own), *tests, "thermometer_test", "local_entropy"]

    def betas_of(self, lattice_set: str) -> Mapping[str, Any] | None:
        """See ``Study``."""
        wide = self.config["lattices"]["wide_range"]
        if lattice_set == "thermometer_test":  # the middles of equal intervals of the wide range
            test = self.config["thermometer"]["test"]
            half = (wide["beta_max"] - wide["beta_min"]) / (2 * test["number_of_betas"])
            low, high = wide["beta_min"] + half, wide["beta_max"] - half
            grid = evenly_spaced(low, high, test["number_of_betas"])
            return {"grid": grid, "each": test["lattices_per_beta"]}
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

    # Tables

    @once
    def evaluate_model(self, net: str, member: int) -> Recipe:
        """Losses and recovered spins of a net's member."""
        trained = self._trained_layers(net)
        spec = {
            "net": net,
            "member": member,
            "loss": self.config["nets"]["loss"],
            "l1": self.config["nets"]["l1"] if trained else 0.0,
            "trained_layers": trained,
            "validation_fraction": self.config["lattices"]["validation_fraction"],
        }
        return Recipe(
            {
                "network": self.network(net, member),
                **self._lattices(net, self.lattice_set(net, member)),
                **self._lattices(net, self.test_set(net), "test"),
            },
            spec,
            waits_for=[
                *self._certificate(net, member),
                self.lattices.certificate(self.test_set(net)),
            ],
        )

    def _trained_layers(self, net: str) -> int:
        """How many layers, counted from the last, are trained in the net itself."""
        if net in self.shallow_nets:
            return 0 if self.shallow_nets[net].hard_coded else 1
        return self.models[net].trained_layers

    @once
    def collect_losses(self) -> Recipe:
        """The losses of all nets and members."""
        losses = [
            f"{self.folder('evaluate_model', net, k)}nets/{net}/member-{k}.losses.csv"
            for net in self.nets
            for k in self.members(net)
        ]
        return Recipe({"losses": losses})

    @once
    def collect_convergence(self) -> Recipe:
        """Which trainings have come to rest."""
        shallow = [name for name, net in self.shallow_nets.items() if not net.hard_coded]
        models = [name for name, net in self.models.items() if net.is_trained]
        return Recipe({"histories": self.histories(*shallow, *models, THERMOMETER)})

    def exact_points(self) -> Recipe:
        """Inverse temperatures that are known exactly."""
        return Recipe(spec={"L": self.L})

    def describe_models(self) -> Recipe:
        """The models layer by layer (Table I)."""
        nets = self.config["nets"]
        return Recipe(
            spec={
                "L": self.L,
                **{key: nets[key] for key in ("autoencoder_layers", "activation", "map")},
                "thermometer_hidden": self.config["thermometer"]["hidden"],
            }
        )

    @once
    def local_entropy(self) -> Recipe:
        """Local entropies of lattices, of the autoencoder's output and of decimated lattices."""
        return Recipe(
            {
                "lattices": self.lattices.path("local_entropy"),
                "autoencoders": self.networks(WIDE_RANGE_AUTOENCODER),
            },
            {"autoencoder_image": self.config["local_entropy"]["autoencoder_image"]},
            waits_for=[self.lattices.certificate("local_entropy")],
        )

    @once
    def measure_thermometer(self) -> Recipe:
        """Predicted against actual β."""
        return Recipe(
            {
                "lattices": self.lattices.path("thermometer_test"),
                "thermometers": self.networks(THERMOMETER),
            },
            waits_for=[self.lattices.certificate("thermometer_test")],
        )

    @once
    def measure_exact_thermometer(self) -> Recipe:
        """β before and after each map, by the exact energy."""
        return Recipe(
            {
                "lattices": self.lattices.path("thermometer_test"),
                "autoencoders": self.networks(WIDE_RANGE_AUTOENCODER),
            },
            waits_for=[self.lattices.certificate("thermometer_test")],
        )

    @once
    def beta_flow(self) -> Recipe:
        """The flow of β under the autoencoder and under decimation."""
        return Recipe(
            {
                "lattices": self.lattices.path("thermometer_test"),
                "autoencoders": self.networks(WIDE_RANGE_AUTOENCODER),
                "thermometers": self.networks(THERMOMETER),
            },
            {
                "bootstrap_samples": self.config["bootstrap_samples"],
                "seed": self.seed("bootstrap", table="beta_fixed_point"),
            },
            waits_for=[self.lattices.certificate("thermometer_test")],
        )

    # Figures

    def plot_loss_curves(self) -> Recipe:
        """Figures 9 and A.1."""
        histories = self.histories("Model-1", "Model-2", "Model-2-CG")
        return Recipe({"histories": histories, "losses": self.table("model_losses")})

    def plot_reconstructions(self) -> Recipe:
        """Figure 10: the first test lattice, by the models' first members."""
        models = ("Model-1", "Model-2", "Model-3")
        return Recipe(
            {
                "lattices": self.lattices.path(self.test_set("Model-1")),
                **{each.lower().replace("-", "_"): self.network(each, 0) for each in models},
            },
            {"L": self.L, "lattice": 0},
            waits_for=[self.lattices.certificate(self.test_set("Model-1"))],
        )

    def _encoders(self) -> dict[str, str]:
        """The first member of both coarse-grainers and of Model-1."""
        first, second = (name for name in self.shallow_nets if name.startswith("CG-"))
        return {
            "rg_1": self.network(first, 0),
            "rg_2": self.network(second, 0),
            "autoencoder": self.network("Model-1", 0),
        }

    def plot_weight_matrices(self) -> Recipe:
        """Figures 11, B.1 and B.2."""
        return Recipe(self._encoders())

    def plot_spin_correlations(self) -> Recipe:
        """Figures 12, B.3 and B.4."""
        return Recipe(self._encoders(), {"L": self.L})

    def plot_local_entropy(self) -> Recipe:
        """Figure 13."""
        return Recipe({"table": self.table("local_entropy")})

    def plot_lattice_gallery(self) -> Recipe:
        """Figure 14."""
        return Recipe(
            {
                "lattices": self.lattices.path("local_entropy"),
                "autoencoder": self.network(WIDE_RANGE_AUTOENCODER, 0),
            },
            {"L": self.L, "betas": list(GALLERY)},
            waits_for=[self.lattices.certificate("local_entropy")],
        )

    def plot_thermometer(self) -> Recipe:
        """Figure 15."""
        histories = self.histories(THERMOMETER)
        return Recipe({"table": self.table("thermometer"), "histories": histories})

    def plot_exact_thermometer(self) -> Recipe:
        """Ours: which way each map moves β."""
        return Recipe({"table": self.table("exact_thermometer")})

    def plot_beta_flow(self) -> Recipe:
        """Figure 16."""
        tables = {"table": "beta_flow", "fixed_points": "beta_fixed_point"}
        return Recipe({option: self.table(name) for option, name in tables.items()})

    def plot_autoencoder_wide_range_losses(self) -> Recipe:
        """Figure A.2."""
        return Recipe({"histories": self.histories(WIDE_RANGE_AUTOENCODER)})


def evenly_spaced(low: float, high: float, number: int) -> Sequence[float]:
    """So many numbers from ``low`` to ``high``, both included."""
    return [round(low + k * (high - low) / (number - 1), 12) for k in range(number)]
