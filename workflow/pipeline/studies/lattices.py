"""Lattices for all studies: sampled, certified, and coarse-grained."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from coarsegrain.errors import ConfigError
from pipeline.studies.study import Figure, LatticeSet, Recipe, Study, once


class Lattices(Study):
    """Sets of independent lattices, each certified before anything is computed from it.

    ``lattices/<set>.nc`` is a set, ``lattices/<set>.step-1.nc`` and ``.step-2.nc`` are the same
    lattices coarse-grained once and twice, ``certificates/<set>.json`` is its certificate.
    """

    name = "lattices"
    title = "Lattices"
    figures = (Figure("certificates", "Certificates"),)
    tables: ClassVar[Mapping[str, str]] = {"certificates": "collect_certificates"}
    #: The studies that these lattices are for.
    users: Sequence[Study] = ()

    def path(self, lattice_set: str, level: int = 0) -> str:
        """A set, coarse-grained ``level`` times."""
        if level == 0:
            return f"{self.folder('sample_lattices', lattice_set)}lattices/{lattice_set}.nc"
        folder = self.folder("decimate_lattices", lattice_set)
        return f"{folder}lattices/{lattice_set}.step-{level}.nc"

    def certificate(self, lattice_set: str) -> str:
        """The certificate of a set."""
        return f"{self.folder('certify_lattices', lattice_set)}certificates/{lattice_set}.json"

    def lattice_set_of(self, name: str) -> LatticeSet:
        """What a set holds, from the study that uses it.

        Raises:
            ConfigError: none does.
        """
        for study in self.users:
            if found := study.lattice_set_of(name):
                return found
        raise ConfigError(f"there is no set of lattices {name}; see the rules' inputs.")

    @once
    def sample_lattices(self, set: str) -> Recipe:
        """A set; the number of shards does not decide it."""
        lattices, made = self.config["lattices"], self.lattice_set_of(set)
        # an exact sample has no number of steps
        method = made.method or lattices["method"]
        steps = {"steps": lattices["steps"]} if method == "hybrid" else {}
        spec = {
            "L": made.L,
            "method": method,
            "betas": made.betas,
            "seed": self.seed("lattices", set=set),
            **steps,
        }
        return Recipe(spec=spec, parts={"shards": self._shards(set, spec["betas"])})

    def _shards(self, lattice_set: str, betas: Mapping[str, Any]) -> list[str]:
        """The shards that a set is joined from; none if it is sampled in one job."""
        shards = min(self.config["lattices"]["shards"], number_of_lattices(betas))
        folder = f"{self.config['results_dir']}/{self.variant}lattices/{lattice_set}"
        names = [f"{folder}.shard-{k}-of-{shards}.nc" for k in range(shards)]
        return names if shards > 1 else []

    def sample_shard(self, set: str, shard: int, shards: int) -> Recipe:
        """A part of a set."""
        return Recipe(
            spec={"set": self.sample_lattices(set).spec, "shard": shard, "shards": shards}
        )

    @once
    def certify_lattices(self, set: str) -> Recipe:
        """The certificate of a set."""
        return Recipe({"lattices": self.path(set)}, {"set": set})

    @once
    def decimate_lattices(self, set: str) -> Recipe:
        """A set, coarse-grained once and twice."""
        return Recipe(
            {"lattices": self.path(set)},
            {"map": self.config["nets"]["map"], "seed": self.seed("ties", set=set)},
            waits_for=[self.certificate(set)],
        )

    @once
    def collect_certificates(self) -> Recipe:
        """The table of all tests of all sets."""
        sets = [name for study in self.users for name in study.lattice_sets()]
        return Recipe({"certificates": [self.certificate(each) for each in sets]})

    def plot_certificates(self) -> Recipe:
        """The figure of the certificates."""
        return Recipe({"table": self.table("certificates")})


def number_of_lattices(betas: Mapping[str, Any]) -> int:
    """How many lattices a set of these inverse temperatures has."""
    return int(betas["number"] if "number" in betas else len(betas["grid"]) * betas["each"])
