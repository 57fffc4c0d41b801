"""The one test of RG, of every map: those given by formulas, and what machines and nets learned.

Where the exponents of a map are, below the folder of the results or of a variant:

    exponents/<map>.csv
"""

from collections.abc import Mapping, Sequence
from typing import Any

from coarsegrain.errors import ConfigError
from pipeline.studies.machines import Machines
from pipeline.studies.study import Recipe, once

STACK = ("layer-1", "layer-2")
#: Maps to half the side that are given by a formula: what the table calls them, and what they are.
FORMULAS: Mapping[str, Mapping[str, Any]] = {
    "majority": {"map": "majority", "kind": "majority"},
    "decimation": {"map": "decimation", "kind": "decimation"},
    "soft-1": {"map": "soft majority, W0 = 1", "kind": "soft_majority", "strength": 1.0},
    "soft-half": {"map": "soft majority, W0 = 0.5", "kind": "soft_majority", "strength": 0.5},
    "soft-quarter": {"map": "soft majority, W0 = 0.25", "kind": "soft_majority", "strength": 0.25},
    "flips": {"map": "majority, 5 % flips", "kind": "majority_with_flips", "share": 0.05},
    "shuffled": {"map": "majority, shuffled", "kind": "shuffled_majority"},
    "random": {"map": "random blocks", "kind": "random_blocks"},
}
#: Those that a trained machine gives: the machines of the steps, and whether its units are drawn.
LEARNED: Mapping[str, tuple[str, Sequence[str], bool]] = {
    "machine": ("tied machine, drawn", ["tied-1"], True),
    "machine-sign": ("tied machine, sign", ["tied-1"], False),
    "stack": ("stack, drawn", STACK, True),
    "free": ("free machine, drawn", ["free"], True),
}
#: Those that codes of study A's nets give, where they have the same side: what the table calls
#: them, and the net.
CODES = {
    "coarse-grainer-code": ("CG code, sign", "Model-2-CG"),
    "autoencoder-code": ("Model-1 code, sign", "Model-1"),
}


class Maps(Machines):
    """The exponents of maps to a lattice of half the side."""

    def _certified(self, lattices: str) -> tuple[str, list[str]]:
        return self.lattices.path(lattices), [self.lattices.certificate(lattices)]

    @once
    def measure_exponents(self, map: str) -> Recipe:
        """The exponents of a map."""
        if map not in self._maps():
            raise ConfigError(
                f"{map} is no map of this experiment; it has {', '.join(self._maps())}."
            )
        exponents = self.settings["exponents"]
        L, weights = exponents["L"], []
        if map in FORMULAS:
            what = dict(FORMULAS[map])
            if what["kind"] in ("shuffled_majority", "random_blocks"):
                what["permutation"] = self.seed("permutation", map=map)
        elif map in CODES and self.nets:
            label, net = CODES[map]
            what = {"map": label, "kind": "net", "layers": 2}
            weights = [self.nets.encoder(net, 0)]
        else:
            label, machines, sampled = LEARNED[map]
            what = {"map": label, "kind": "machine", "sampled": sampled}
            weights = [self.machine(each, 0) for each in machines]
            if map == "free":  # its units see all sites of one side
                L = self.settings["L"]
        (lattices, one), (half, other) = (self._certified(f"rbm/L-{side}") for side in (L, L // 2))
        return Recipe(
            {"lattices": lattices, "half": half, "weights": weights},
            {
                **what,
                "steps": 3,
                "couplings": [1, 2, 3],
                "shifts": exponents["shifts"],
                "seed": self.seed("exponents", map=map),
            },
            waits_for=[*one, *other],
        )

    @once
    def collect_exponents(self) -> Recipe:
        """The exponents of all maps, and a verdict on each."""
        maps = self._maps()
        files = [f"{self.folder('measure_exponents', m)}exponents/{m}.csv" for m in maps]
        return Recipe({"exponents": files})

    def _maps(self) -> list[str]:
        """Those of this experiment."""
        maps = [*FORMULAS, *LEARNED]
        if self.settings["hidden"] not in ("auto", self.settings["L"] ** 2 // 4):
            maps.remove("free")  # its units make no lattice of half the side
        if self.nets and self.settings["exponents"]["L"] == self.nets.L:
            maps += [name for name, (_, net) in CODES.items() if self.nets.halves_the_side(net)]
        return maps
