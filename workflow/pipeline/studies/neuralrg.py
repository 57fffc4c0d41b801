"""Study C: the neural network renormalization group (Li & Wang 2018, arXiv:1802.02840).

What is measured of a member of a flow is beside its weights (see ``flows``):

    flows/<flow>/member-<k>.gap.csv, .observables.csv, .coverage.csv, .information.csv, .total.csv
                           .samplers.csv; .energies.csv, .couplings.csv, .patterns.csv,
                           .exponents.csv and .examples.csv of what it passes on
"""

from collections.abc import Mapping
from typing import ClassVar

from pipeline.studies.flows import FLOWS, Flows
from pipeline.studies.study import Figure, Recipe, once

#: The flow that is sampled with.
SAMPLED = "sublattices"
#: Exact samples whose mean is a gradient pattern.
PATTERN_SAMPLES = 200


class NeuralRG(Flows):
    """Flows, and what is measured of them."""

    name = "neuralrg"
    title = "C. Neural network renormalization group"
    figures = (
        Figure("gap", "Gap"),
        Figure("information", "Independence of latent variables"),
        Figure("scales", "Scale by scale"),
        Figure("patterns", "Scale by scale"),
        Figure("samples_by_scale", "Scale by scale"),
        Figure("coverage", "Coverage"),
        Figure("samplers", "Samplers"),
    )
    tables: ClassVar[Mapping[str, str]] = {
        "neuralrg_gaps": "collect_gaps",
        "neuralrg_observables": "collect_gaps",
        "neuralrg_information": "collect_information",
        "neuralrg_total_correlation": "collect_information",
        "neuralrg_coverage": "collect_gaps",
        "neuralrg_training": "collect_gaps",
        "neuralrg_gaussian": "collect_gaps",
        "neuralrg_samplers": "collect_samplers",
        "neuralrg_scales": "collect_scales",
        "neuralrg_couplings": "collect_scales",
        "neuralrg_patterns": "collect_scales",
        "neuralrg_exponents": "collect_scales",
        "neuralrg_examples": "collect_scales",
    }
    # what is measured of flows beside their gaps takes longer than they do
    varied = ("neuralrg_gaps", "neuralrg_observables", "neuralrg_training", "neuralrg_gaussian")
    figures_of_variants: ClassVar[Mapping[str, str]] = {"gap_by_setting": "neuralrg_gaps"}

    # What is measured

    def _measured(self, recipe: str, what: str) -> list[str]:
        """The tables of all members that a recipe gives."""
        return [
            f"{self.folder(recipe, name, k)}flows/{name}/member-{k}.{what}.csv"
            for name in FLOWS
            for k in self.members()
        ]

    @once
    def measure_gap(self, flow: str, member: int) -> Recipe:
        """How far a member is from the Ising model."""
        of_it: dict[str, str | int] = {"flow": flow, "member": member}
        lattices, certificates = self._certified("neuralrg/test")
        return Recipe(
            {"flow": self.flow(flow, member), "lattices": lattices},
            {
                "labels": [["flow", FLOWS[flow].label], ["member", member]],
                "beta": self.settings["beta"],
                "samples": self.settings["samples"],
                "draw_seed": self.seed("fresh samples", **of_it),
                "field_seed": self.seed("exact fields"),
                "threads": self.config["threads"],
            },
            waits_for=certificates,
        )

    @once
    def measure_information(self, flow: str, member: int) -> Recipe:
        """How much latent variables of a member have in common."""
        lattices, certificates = self._certified("neuralrg/test")
        return Recipe(
            {"flow": self.flow(flow, member), "lattices": lattices},
            {
                "labels": [["flow", FLOWS[flow].label], ["member", member]],
                "beta": self.settings["beta"],
                "samples": self.settings["information"]["samples"],
                "field_seed": self.seed("fields for information", member=member),
                "latent_seed": self.seed("latent variables", flow=flow, member=member),
                "shuffling_seed": self.seed("shuffled variables", flow=flow, member=member),
                "threads": self.config["threads"],
            },
            waits_for=certificates,
        )

    @once
    def measure_field_information(self, member: int) -> Recipe:
        """How much the fields that a member of every flow maps back have in common."""
        lattices, certificates = self._certified("neuralrg/test")
        return Recipe(
            {"lattices": lattices},
            {
                "labels": [["member", member]],
                "beta": self.settings["beta"],
                "samples": self.settings["information"]["samples"],
                "field_seed": self.seed("fields for information", member=member),
                "shuffling_seed": self.seed("shuffled fields", member=member),
                "threads": self.config["threads"],
            },
            waits_for=certificates,
        )

    @once
    def collect_information(self) -> Recipe:
        """The tables of all flows' mutual information."""

        def of_fields(what: str) -> list[str]:
            return [
                f"{self.folder('measure_field_information', k)}fields/member-{k}.{what}.csv"
                for k in self.members()
            ]

        return Recipe(
            {
                "parts": self._measured("measure_information", "information"),
                "totals": self._measured("measure_information", "total"),
                "fields": of_fields("information"),
                "field_totals": of_fields("total"),
            }
        )

    @once
    def measure_scales(self, flow: str, member: int) -> Recipe:
        """What a member passes on from scale to scale, as many lattices as for information."""
        lattices, certificates = self._certified("neuralrg/test")
        return Recipe(
            {"flow": self.flow(flow, member), "lattices": lattices},
            {
                "labels": [["flow", FLOWS[flow].label], ["member", member]],
                "beta": self.settings["beta"],
                "samples": self.settings["information"]["samples"],
                "patterns": PATTERN_SAMPLES,
                "couplings": [1, 2, 3],
                # the same lattices for all flows
                "field_seed": self.seed("fields for scales", member=member),
                "tie_seed": self.seed("ties of majority", member=member),
                "draw_seed": self.seed("samples by scale", flow=flow, member=member),
                "sign_seed": self.seed("signs by scale", flow=flow, member=member),
                "threads": self.config["threads"],
            },
            waits_for=certificates,
        )

    @once
    def collect_scales(self) -> Recipe:
        """The tables of what all flows pass on."""

        kinds = ("energies", "couplings", "patterns", "exponents", "examples")
        return Recipe({kind: self._measured("measure_scales", kind) for kind in kinds})

    @once
    def collect_gaps(self) -> Recipe:
        """The tables of all flows."""
        return Recipe(
            {
                "gaps": self._measured("measure_gap", "gap"),
                "observed": self._measured("measure_gap", "observables"),
                "coverage": self._measured("measure_gap", "coverage"),
                "histories": [
                    self.flow(name, k, "history.csv") for name in FLOWS for k in self.members()
                ],
            },
            {key: self.settings[key] for key in ("L", "beta")},
        )

    # Sampling

    @once
    def compare_samplers(self, flow: str, member: int) -> Recipe:
        """What an independent lattice costs with a member, and without."""
        settings = self.settings["sampling"]
        lattices, certificates = self._certified("neuralrg/test")
        return Recipe(
            {"flow": self.flow(flow, member), "lattices": lattices},
            {
                "labels": [["flow", FLOWS[flow].label], ["member", member]],
                "beta": self.settings["beta"],
                **{
                    key: settings[key]
                    for key in ("chains", "trajectories", "leapfrogs", "proposals")
                },
                **{
                    f"{purpose}_seed": self.seed(f"sampling: {purpose}", flow=flow, member=member)
                    for purpose in ("draw", "start", "latent", "physical", "accept", "lattice")
                },
                "threads": self.config["threads"],
            },
            waits_for=certificates,
        )

    @once
    def collect_samplers(self) -> Recipe:
        """The table of all members."""
        return Recipe(
            {
                "samplers": [
                    f"{self.folder('compare_samplers', SAMPLED, k)}flows/{SAMPLED}/"
                    f"member-{k}.samplers.csv"
                    for k in self.members()
                ]
            }
        )

    # Figures

    def plot_gap(self) -> Recipe:
        """The gap by step, and both divergences."""
        return Recipe(
            {
                "gaps": self.table("neuralrg_gaps"),
                "training": self.table("neuralrg_training"),
                "gaussian": self.table("neuralrg_gaussian"),
            }
        )

    def plot_information(self) -> Recipe:
        """Mutual information by scale."""
        return Recipe(
            {
                "table": self.table("neuralrg_information"),
                "totals": self.table("neuralrg_total_correlation"),
            }
        )

    def plot_scales(self) -> Recipe:
        """Renormalized energies by scale."""
        return Recipe({"table": self.table("neuralrg_scales")})

    def plot_patterns(self) -> Recipe:
        """Gradient patterns by scale."""
        return Recipe({"table": self.table("neuralrg_patterns")})

    def plot_samples_by_scale(self) -> Recipe:
        """A lattice as flows pass it on."""
        return Recipe({"table": self.table("neuralrg_examples")})

    def plot_coverage(self) -> Recipe:
        """ln p/q under p and under q."""
        return Recipe({"table": self.table("neuralrg_coverage")})

    def plot_samplers(self) -> Recipe:
        """⟨m²⟩ and cost of every sampler."""
        return Recipe({"table": self.table("neuralrg_samplers")})

    def plot_gap_by_setting(self) -> Recipe:
        """Gaps over what the variants change."""
        return Recipe({"table": f"{self.config['results_dir']}/tables/variants/neuralrg_gaps.csv"})
