"""Study A: autoencoders against decimation (Shukla & Thakur 2021, arXiv:2108.06157)."""

from collections.abc import Mapping
from typing import ClassVar

from coarsegrain.nets.architecture import THERMOMETER, WIDE_RANGE_AUTOENCODER, model_sizes
from pipeline.studies.nets import Nets
from pipeline.studies.study import Figure, Recipe, once

#: β of the lattices that the gallery shows (fig. 14).
GALLERY = (0.025, 0.25, 0.5)


class Autoencoder(Nets):
    """What is measured with the nets, the tables and the figures."""

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
        Figure("exact_thermometers", "Flow of beta"),
        Figure("loss_floors", "Losses"),
    )
    tables: ClassVar[Mapping[str, str]] = {
        "model_losses": "collect_losses",
        "amplitudes": "collect_losses",
        "loss_floors": "measure_floors",
        "model_architectures": "describe_models",
        "convergence": "collect_convergence",
        "exact_points": "exact_points",
        "local_entropy": "local_entropy",
        "entropy_gaps": "local_entropy",
        "local_order": "measure_local_order",
        "thermometer": "measure_thermometer",
        "exact_thermometers": "measure_exact_thermometers",
        "weight_maps": "measure_weights",
        "beta_flow": "beta_flow",
        "beta_fixed_point": "beta_flow",
    }

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
        members = [
            f"{self.folder('evaluate_model', net, k)}nets/{net}/member-{k}"
            for net in self.nets
            if self.is_told(net)
            for k in self.members(net)
        ]
        return Recipe(
            {name: [f"{each}.{name}.csv" for each in members] for name in ("losses", "amplitudes")}
        )

    @once
    def measure_floors(self) -> Recipe:
        """What linear codes lose, fitted to the lattices of which Model-2's decoder learns.

        Codes of any rank have that of Model-1's.
        """
        net = "Model-2"
        sets = [self.lattice_set(net, member) for member in self.members(net)]
        return Recipe(
            {
                "lattices": [self.lattices.path(each) for each in sets],
                "test": self.lattices.path(self.test_set(net)),
            },
            {
                "seed": self.seed("random codes", table="loss_floors"),
                "rank": min(self._trained_sizes("Model-1")),
                "validation_fraction": self.config["lattices"]["validation_fraction"],
            },
            waits_for=[self.lattices.certificate(each) for each in (*sets, self.test_set(net))],
        )

    @once
    def collect_convergence(self) -> Recipe:
        """Which trainings have come to rest; in a variant, which of its own."""
        shallow = [name for name, net in self.shallow_nets.items() if not net.hard_coded]
        models = [name for name, net in self.models.items() if net.is_trained]
        # with a model come the nets that it is made of
        parts = {
            part
            for name, net in self.models.items()
            if self.is_told(name)
            for part in net.transferred
        }
        told = [
            name for name in (*shallow, *models, THERMOMETER) if self.is_told(name) or name in parts
        ]
        every = self.histories(*told)
        place = f"{self.config['results_dir']}/{self.variant}"
        own = [path for path in every if path.startswith(place)]
        return Recipe({"histories": own or every})

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
    def measure_local_order(self) -> Recipe:
        """Bonds and islands of lattices before and after each map."""
        return Recipe(
            {
                "lattices": self.lattices.path("local_entropy"),
                "autoencoders": self.networks(WIDE_RANGE_AUTOENCODER),
            },
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
    def measure_exact_thermometers(self) -> Recipe:
        """β before and after each map, by the exact energy and by long distances."""
        sets = {
            "lattices": "thermometer_test",
            "doubled": "doubled_test",
            "reference": "distant_reference",
        }
        return Recipe(
            {
                **{option: self.lattices.path(name) for option, name in sets.items()},
                "autoencoders": self.networks(WIDE_RANGE_AUTOENCODER),
            },
            waits_for=[self.lattices.certificate(name) for name in sets.values()],
        )

    @once
    def measure_weights(self) -> Recipe:
        """Encoders as matrices: of both coarse-grainers, of Model-1 and of AE-WR."""
        first, second = (name for name in self.shallow_nets if name.startswith("CG-"))
        hard_coded = [name for name, net in self.shallow_nets.items() if net.hard_coded]
        both = range(min(len(self.members(first)), len(self.members(second))))
        members = {
            "first": [(first, k) for k in both],
            "second": [(second, k) for k in both],
            "autoencoders": [("Model-1", k) for k in self.members("Model-1")],
            "wide_range": [
                (WIDE_RANGE_AUTOENCODER, k) for k in self.members(WIDE_RANGE_AUTOENCODER)
            ],
        }
        members = {
            option: [each for each in members[option] if self.is_told(each[0])]
            for option in members
        }
        inputs = {option: [self.network(*each) for each in members[option]] for option in members}
        seeds = {
            option: [self.train_net(*each).spec["start_seed"] for each in members[option]]
            for option in members
        }
        return Recipe(
            {**inputs, "hard_coded": [self.network(name, 0) for name in hard_coded]},
            {"L": self.L, "start_seeds": seeds},
        )

    @once
    def beta_flow(self) -> Recipe:
        """The flow of β under the autoencoder and under decimation."""
        sets = {"lattices": "thermometer_test", "doubled": "doubled_test"}
        return Recipe(
            {
                **{option: self.lattices.path(name) for option, name in sets.items()},
                "autoencoders": self.networks(WIDE_RANGE_AUTOENCODER),
                "thermometers": self.networks(THERMOMETER),
            },
            {
                "bootstrap_samples": self.config["bootstrap_samples"],
                "seed": self.seed("bootstrap", table="beta_fixed_point"),
            },
            waits_for=[self.lattices.certificate(name) for name in sets.values()],
        )

    # Figures

    def plot_loss_curves(self) -> Recipe:
        """Figures 9 and A.1."""
        histories = self.histories("Model-1", "Model-2", "Model-2-CG")
        tables = {"losses": "model_losses", "floors": "loss_floors"}
        return Recipe(
            {"histories": histories, **{name: self.table(of) for name, of in tables.items()}}
        )

    def plot_loss_floors(self) -> Recipe:
        """Ours: what models lose beside linear codes, and the size of each model's code."""
        layers = self.config["nets"]["autoencoder_layers"]
        ranks = {
            name: min(model_sizes(model, self.L, layers))
            for name, model in self.models.items()
            if self.test_set(name) == self.test_set("Model-2")
        }
        tables = {"floors": "loss_floors", "amplitudes": "amplitudes"}
        return Recipe({name: self.table(of) for name, of in tables.items()}, {"ranks": ranks})

    def plot_reconstructions(self) -> Recipe:
        """Figure 10: the first test lattice, by the members of the models."""
        models = ("Model-1", "Model-2", "Model-3")
        return Recipe(
            {
                "lattices": self.lattices.path(self.test_set("Model-1")),
                **{each.lower().replace("-", "_"): self.networks(each) for each in models},
            },
            {"L": self.L, "lattice": 0},
            waits_for=[self.lattices.certificate(self.test_set("Model-1"))],
        )

    def _encoders(self) -> dict[str, list[str]]:
        """All members of both coarse-grainers and of Model-1."""
        first, second = (name for name in self.shallow_nets if name.startswith("CG-"))
        nets = {"rg_1": first, "rg_2": second, "autoencoders": "Model-1"}
        return {option: self.networks(net) for option, net in nets.items()}

    def plot_weight_matrices(self) -> Recipe:
        """Figures 11, B.1 and B.2."""
        return Recipe(self._encoders())

    def plot_spin_correlations(self) -> Recipe:
        """Figures 12, B.3 and B.4."""
        return Recipe(self._encoders(), {"L": self.L})

    def plot_local_entropy(self) -> Recipe:
        """Figure 13."""
        return Recipe(
            {"table": self.table("local_entropy"), "gaps": self.table("entropy_gaps")},
            {"autoencoder_image": self.config["local_entropy"]["autoencoder_image"]},
        )

    def plot_lattice_gallery(self) -> Recipe:
        """Figure 14."""
        return Recipe(
            {
                "lattices": self.lattices.path("local_entropy"),
                "autoencoders": self.networks(WIDE_RANGE_AUTOENCODER),
            },
            {"L": self.L, "betas": list(GALLERY)},
            waits_for=[self.lattices.certificate("local_entropy")],
        )

    def plot_thermometer(self) -> Recipe:
        """Figure 15."""
        histories = self.histories(THERMOMETER)
        tables = {"table": "thermometer", "exact": "exact_thermometers"}
        return Recipe(
            {"histories": histories, **{name: self.table(of) for name, of in tables.items()}}
        )

    def plot_exact_thermometers(self) -> Recipe:
        """Ours: which way each map moves β."""
        return Recipe({"table": self.table("exact_thermometers")})

    def plot_beta_flow(self) -> Recipe:
        """Figure 16."""
        tables = {
            "table": "beta_flow",
            "fixed_points": "beta_fixed_point",
            "exact": "exact_thermometers",
        }
        return Recipe({option: self.table(name) for option, name in tables.items()})

    def plot_autoencoder_wide_range_losses(self) -> Recipe:
        """Figure A.2."""
        return Recipe({"histories": self.histories(WIDE_RANGE_AUTOENCODER)})
