"""Rule measure_weights: encoders as matrices, trained, as they started, and hard-coded."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from coarsegrain.analysis.weight_maps import linear_maps, measures, measures_beside
from coarsegrain.nets.network import Network, read_network
from coarsegrain.nets.training.start import glorot_network
from coarsegrain.nets.transfer import joined
from coarsegrain.storage.tables import write_table
from pipeline.stage import Inputs, Output, Spec, run

DIGITS = 9  # products of matrices differ by processor in the last digits
COLUMNS = ["net", "member", "weights", "map", "quantity", "value"]
Maps = Mapping[str, npt.NDArray[np.float64]]


def main(
    *,
    first: Inputs,
    second: Inputs,
    hard_coded: Inputs,
    autoencoders: Inputs,
    wide_range: Inputs,
    table: Output,
    spec: Spec,
) -> None:
    """Measure both coarse-grainers with their product, Model-1, AE-WR, and the hard-coded map.

    ``first`` and ``second`` are the members of the two coarse-grainers, joined by number. Spec: L;
    start_seeds of first, second, autoencoders and wide_range, by member.
    """
    L, seeds = spec["L"], spec["start_seeds"]
    hard = joined([read_network(path) for path in hard_coded])
    exact = linear_maps(hard)
    pairs = zip(members(first, seeds["first"]), members(second, seeds["second"]), strict=True)
    coarse_grainers = ({each: joined([one[each], two[each]]) for each in one} for one, two in pairs)
    rows = numbers("HCG", [{"hard-coded": hard}], L)
    rows += numbers("CG", coarse_grainers, L, exact)
    rows += numbers("Model-1", members(autoencoders, seeds["autoencoders"]), L, exact)
    rows += numbers("AE-WR", members(wide_range, seeds["wide_range"]), L, exact)
    write_table(table, pd.DataFrame(rows, columns=COLUMNS).round(DIGITS))


def members(files: Sequence[Path], seeds: Sequence[int]) -> Iterator[dict[str, Network]]:
    """Every member of a net as it is, and as it started, in double precision."""
    for path, seed in zip(files, seeds, strict=True):
        network = read_network(path)
        activations = [each.activation for each in network.layers]
        start = glorot_network(network.sizes, activations, biases=False, seed=seed)
        yield {"trained": network, "untrained": start}


def numbers(
    net: str, nets: Iterable[Mapping[str, Network]], L: int, exact: Maps | None = None
) -> list[tuple[object, ...]]:
    """One row per member, kind of weights, map and quantity.

    Units of the coarse-grainers are sites in order. Those of other nets are matched with sites if
    their inputs are sites: those of W2 are not.
    """
    rows: list[tuple[object, ...]] = []
    for member, kinds in enumerate(nets):
        for kind, network in kinds.items():
            for name, weights in linear_maps(network).items():
                placed, from_lattice = net == "CG", name != "W2"
                found = measures(weights, L, from_lattice=from_lattice)
                if found and exact and name in exact and (placed or from_lattice):
                    found |= measures_beside(weights, exact[name], placed=placed)
                labels = net, member if exact else pd.NA, kind, name
                rows += [(*labels, quantity, value) for quantity, value in found.items()]
    return rows


if __name__ == "__main__":
    run(main)
