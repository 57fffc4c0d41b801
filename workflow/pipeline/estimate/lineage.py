"""Where the files of a run come from: sizes of sets of lattices and of nets, before they exist."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from coarsegrain.errors import CoarsegrainError
from coarsegrain.rg.maps import MapName
from pipeline.job_list import Job


class Source(NamedTuple):
    """The sampling behind a file of lattices.

    Attributes:
        spec: of ``sample_lattices``.
        device: that it was asked to take.
        number: of lattices in the file.
        level: how often they were coarse-grained.
        map: how, if they were.
    """

    spec: Mapping[str, Any]
    device: str
    number: int
    level: int = 0
    map: MapName = "decimation"


class NoMakerError(CoarsegrainError):
    """No job of the run makes a file."""


class Lineage:
    """Follows files back through the jobs that make them."""

    def __init__(self, jobs: Sequence[Job]) -> None:
        self._maker = {path: job for job in jobs for path in job.outputs}

    def source(self, path: str) -> Source:
        """The sampling behind a file of lattices, or behind a shard of a set.

        Raises:
            NoMakerError: no job makes it.
        """
        maker, spec = self._maker_of(path)
        if maker.rule == "decimate_lattices":
            before = self.source(maker.options["lattices"][0])
            level = 1 if path in maker.options["first"] else 2
            return before._replace(level=level, map=spec["map"])
        shards = spec.get("shards", 1)
        spec = spec.get("set", spec)
        betas = spec["betas"]
        number = betas["number"] if "number" in betas else len(betas["grid"]) * betas["each"]
        return Source(spec, maker.options["device"][0], -(-number // shards))

    def sizes(self, path: str) -> tuple[int, ...]:
        """Units per layer, inputs first, of the net in a file.

        Raises:
            NoMakerError: no job makes it.
        """
        maker, spec = self._maker_of(path)
        if maker.rule == "hard_code_weights":
            sites = spec["L"] ** 2 >> (spec["step"] - 1)
            return sites, sites // 2
        parts = [
            self.sizes(part)
            for part in (*maker.options.get("parts", ()), *maker.options.get("transferred", ()))
        ]
        # The inputs of a part are the outputs of the one before.
        own = spec["sizes"] if "sizes" in spec else parts[-1][-1:]
        return (*(size for part in parts for size in part[:-1]), *own)

    def _maker_of(self, path: str) -> tuple[Job, dict[str, Any]]:
        if path not in self._maker:
            raise NoMakerError(f"no job makes {path}")
        return self._maker[path], self._maker[path].spec
