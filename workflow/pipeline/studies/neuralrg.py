"""Study C: the neural network renormalization group (Li & Wang 2018, arXiv:1802.02840).

Where results are, below the folder of the results or of a variant:

    flows/<flow>/member-<k>.safetensors   trained weights, with .history.csv, .gap.csv,
                                          .observables.csv, .coverage.csv, .information.csv
                                          .total.csv and .samplers.csv; .energies.csv,
                                          .couplings.csv, .patterns.csv, .exponents.csv and
                                          .examples.csv of what it passes on
    flows/<flow>-L<size>/                 the same of smaller lattices, from which a flow is grown
    flows/<flow>/checkpoints/             of trainings that have not ended
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from pipeline.studies.lattices import Lattices
from pipeline.studies.study import Config, Figure, LatticeSet, Recipe, Study, once


@dataclass(frozen=True)
class Flow:
    """A kind of flow.

    Attributes:
        label: what tables and figures call it.
        stage: that trains it.
        exact: whether it learns from exact samples, too, by as much as the config says.
    """

    label: str
    stage: str = "train_flow"
    exact: bool = False


FLOWS = {
    "sublattices": Flow("sublattices", exact=True),
    "energy-alone": Flow("sublattices, energy alone"),
    "patches": Flow("patches", stage="train_patch_flow"),
}
#: The flow that is sampled with.
SAMPLED = "sublattices"
#: Exact samples whose mean is a gradient pattern.
PATTERN_SAMPLES = 200


def _flow_of(name: str) -> Flow:
    """The flow of a name, which may end in the size of a smaller one."""
    return FLOWS[name.partition("-L")[0]]


class NeuralRG(Study):
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

    def __init__(
        self,
        config: Config,
        variant: str = "",
        base: "NeuralRG | None" = None,
        changes: Collection[str] = (),
        *,
        lattices: Lattices,
    ) -> None:
        """See ``Study``; ``lattices`` of the same config."""
        super().__init__(config, variant, base, changes)
        self.lattices = lattices
        self.settings: Mapping[str, Any] = config["neuralrg"]

    # Sets of lattices

    def lattice_sets(self) -> list[str]:
        """Those that members learn from, and those that all flows are measured on."""
        sizes = self.sizes() if self._learns() else []
        own = [self._learned_from(k, L) for L in sizes for k in self.members()]
        return [*own, "neuralrg/test"]

    def lattice_set_of(self, name: str) -> LatticeSet | None:
        """See ``Study``."""
        study, _, kind = name.partition("/")
        if study != self.name:
            return None
        number = self.settings["test_lattices" if kind == "test" else "lattices"]
        betas = {"constant": self.settings["beta"], "number": number}
        return LatticeSet(self._size_of(kind), betas, method="hybrid")

    def sizes(self) -> list[int]:
        """The linear sizes of a flow while it is grown, the last one its own."""
        L, first = self.settings["L"], self.settings["grown_from"]
        size = L if first == "auto" else int(first)
        return [size << k for k in range((L // size).bit_length())]

    def _learned_from(self, member: int, L: int) -> str:
        return f"neuralrg/member-{member}{self._at(L)}"

    def _at(self, L: int) -> str:
        """The end of a name that stands for a smaller size."""
        return "" if self.settings["L"] == L else f"-L{L}"

    def _size_of(self, name: str) -> int:
        _, found, size = name.rpartition("-L")
        return int(size if found else self.settings["L"])

    def _learns(self) -> bool:
        return bool(self.settings["likelihood"] > 0)

    def _certified(self, name: str) -> tuple[str, list[str]]:
        return self.lattices.path(name), [self.lattices.certificate(name)]

    # Flows

    def members(self) -> range:
        """The numbers of every flow's members."""
        return range(self.config["members"])

    def trained_by(self, stage: str) -> list[str]:
        """The flows that a stage trains, by name."""
        return [name for name, flow in FLOWS.items() if flow.stage == stage]

    def flow(self, name: str, member: int, end: str = "safetensors") -> str:
        """The weights of a flow's member, or another file that is made with it."""
        recipe = _flow_of(name).stage
        return f"{self.folder(recipe, name, member)}flows/{name}/member-{member}.{end}"

    @once
    def train_flow(self, flow: str, member: int) -> Recipe:
        """A member of a flow by sublattices."""
        settings, kind, L = self.settings, _flow_of(flow), self._size_of(flow)
        of_it: dict[str, str | int] = {"flow": flow, "member": member}
        share = settings["likelihood"] if kind.exact else 0
        lattices, certificates = (
            self._certified(self._learned_from(member, L)) if share > 0 else ("", [])
        )
        name, smaller = flow.removesuffix(self._at(L)), L // 2
        grown = smaller in self.sizes()
        return Recipe(
            {
                "lattices": [lattices] if lattices else [],
                "smaller": [self.flow(f"{name}{self._at(smaller)}", member)] if grown else [],
            },
            {
                "flow": kind.label,
                "member": member,
                "architecture": {
                    "L": L,
                    **{key: settings[key] for key in ("couplings", "hidden", "bins", "means")},
                },
                "ingredients": dict(settings["ingredients"]),
                "beta": settings["beta"],
                "settings": {key: settings[key] for key in ("steps", "batch", "learning_rate")},
                "likelihood": share,
                "records": min(50, settings["steps"]),
                "start_seed": self.seed("start", **of_it),
                "sample_seed": self.seed("samples", **of_it),
            },
            waits_for=certificates,
        )

    @once
    def train_patch_flow(self, flow: str, member: int) -> Recipe:
        """A member of the authors' flow."""
        settings = self.settings["patches"]
        depth = settings["depth"]
        of_it: dict[str, str | int] = {"flow": flow, "member": member}
        return Recipe(
            spec={
                "flow": FLOWS[flow].label,
                "member": member,
                "architecture": {
                    "L": self.settings["L"],
                    "couplings": settings["couplings"],
                    "hidden": [settings["hidden"]] * 3,
                    "depth": None if depth == "auto" else int(depth),
                },
                "beta": self.settings["beta"],
                "settings": {
                    **{key: settings[key] for key in ("steps", "batch", "learning_rate")},
                    "warm_up": 1,
                    "constant": True,
                },
                "weight_decay": settings["weight_decay"],
                "records": min(50, settings["steps"]),
                "start_seed": self.seed("start", **of_it),
                "sample_seed": self.seed("samples", **of_it),
            }
        )

    # What is measured

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
    def collect_information(self) -> Recipe:
        """The tables of all flows' mutual information."""

        def measured(what: str) -> list[str]:
            return [
                f"{self.folder('measure_information', name, k)}flows/{name}/member-{k}.{what}.csv"
                for name in FLOWS
                for k in self.members()
            ]

        return Recipe({"parts": measured("information"), "totals": measured("total")})

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

        def measured(what: str) -> list[str]:
            return [
                f"{self.folder('measure_scales', name, k)}flows/{name}/member-{k}.{what}.csv"
                for name in FLOWS
                for k in self.members()
            ]

        kinds = ("energies", "couplings", "patterns", "exponents", "examples")
        return Recipe({kind: measured(kind) for kind in kinds})

    @once
    def collect_gaps(self) -> Recipe:
        """The tables of all flows."""
        every = [(name, k) for name in FLOWS for k in self.members()]

        def measured(what: str) -> list[str]:
            return [
                f"{self.folder('measure_gap', name, k)}flows/{name}/member-{k}.{what}.csv"
                for name, k in every
            ]

        return Recipe(
            {
                "gaps": measured("gap"),
                "observed": measured("observables"),
                "coverage": measured("coverage"),
                "histories": [self.flow(name, k, "history.csv") for name, k in every],
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
