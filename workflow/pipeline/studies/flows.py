"""The flows of study C: their lattices, and how each is trained.

Where they are, below the folder of the results or of a variant:

    flows/<flow>/member-<k>.safetensors   trained weights, with .history.csv
    flows/<flow>-L<size>/                 the same of smaller lattices, from which a flow is grown
    flows/<flow>/checkpoints/             of trainings that have not ended
    fields/member-<k>.information.csv     of exact fields, which all flows of a member map back
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.studies.lattices import Lattices
from pipeline.studies.study import Config, LatticeSet, Recipe, Study, once


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


def _flow_of(name: str) -> Flow:
    """The flow of a name, which may end in the size of a smaller one."""
    return FLOWS[name.partition("-L")[0]]


class Flows(Study):
    """Lattices and trained flows of a study."""

    def __init__(
        self,
        config: Config,
        variant: str = "",
        base: "Flows | None" = None,
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
                    **{key: settings[key] for key in ("couplings", "hidden", "bins", "passes")},
                },
                "ingredients": dict(settings["ingredients"]),
                "beta": settings["beta"],
                "settings": {key: settings[key] for key in ("steps", "batch", "learning_rate")},
                "likelihood": share,
                "records": min(50, settings["steps"]),
                "start_seed": self.seed("start", **of_it),
                "sample_seed": self.seed("samples", **of_it),
                "mean_seed": (
                    self.seed("fields for the mean", **of_it) if self._fits_mean(L, share) else None
                ),
            },
            waits_for=certificates,
        )

    def _fits_mean(self, L: int, share: float) -> bool:
        """Whether the mean is fitted: to exact samples, at the flow's own size, if it has modes."""
        settings = self.settings
        asked = settings["fit_mean"] and settings["ingredients"]["modes"]
        return bool(asked and share > 0 and settings["L"] == L)

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
