"""Rule measure_exponents: the exponents of one map by Monte Carlo RG, step by step."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from coarsegrain.analysis.layer_maps import code_map, encoder, machine_map
from coarsegrain.analysis.map_exponents import (
    controls,
    exponent_rows,
    exponent_table,
    mismatches,
)
from coarsegrain.errors import CoarsegrainError
from coarsegrain.nets.network import read_network
from coarsegrain.rbm.machine import FreeMachine, read_machine
from coarsegrain.rg.block_maps import (
    BlockMap,
    decimation,
    majority,
    majority_with_flips,
    random_blocks,
    shuffled_majority,
    soft_majority,
)
from coarsegrain.rg.blocking import Level, blocked
from coarsegrain.rg.control_variates import FloatArray
from coarsegrain.storage.lattices import read_lattices
from coarsegrain.storage.tables import write_table
from pipeline.stage import Input, Inputs, Output, Spec, run


def main(*, lattices: Input, half: Input, weights: Inputs, table: Output, spec: Spec) -> None:
    """Block lattices at the critical point with one map, again and again.

    lattices: of side L, half: of side L/2, all at one β. weights: machines or nets, one for each
    step (see ``kind``); none for maps that are given by a formula.

    Spec: map, its name in the table; kind and what belongs to it, one of
      majority | decimation
      soft_majority: strength | majority_with_flips: share
      shuffled_majority: permutation | random_blocks: permutation (a seed)
      machine: sampled (else the sign of the mean) | net: layers (the first so many, 1 or 2)
    steps, at most so many; the last of the weights serves those that are left;
    couplings, a list of numbers; shifts of the origin, 1 to 4; seed.
    """
    maps, of_any_side = block_maps(spec, weights)
    whole, of_whole = measured(lattices, maps, spec)
    # a layer with weights of its own for each site takes one side only
    smaller, of_smaller = measured(half, maps if of_any_side else [], spec)
    matched = mismatches((whole, smaller), (of_whole, of_smaller))
    rows = exponent_rows(spec["map"], whole, of_whole, matched, spec["couplings"])
    rows += exponent_rows(spec["map"], smaller, of_smaller, [], spec["couplings"])
    write_table(table, exponent_table(rows))


def block_maps(spec: dict[str, Any], weights: Sequence[Path]) -> tuple[list[BlockMap], bool]:
    """The map of each step, and whether they take lattices of any side."""
    kind, of_any_side = spec["kind"], True
    if kind in ("machine", "net"):
        maps = []
        for path in weights:
            try:
                if kind == "net":
                    maps.append(code_map(encoder(read_network(path), spec["layers"])))
                    of_any_side = False
                    continue
                machine, _ = read_machine(path)
                maps.append(machine_map(machine, sampled=spec["sampled"]))
                of_any_side = of_any_side and not isinstance(machine, FreeMachine)
            except ValueError as error:
                raise CoarsegrainError(f"{path} is no map to half the side: {error}") from error
    else:
        maps = [_FORMULAS[kind](spec)]
    if not maps:
        raise CoarsegrainError(f"the map {spec['map']} is made of weights, and none were given.")
    steps = spec["steps"] if of_any_side else min(spec["steps"], len(maps))
    return [maps[min(step, len(maps) - 1)] for step in range(steps)], of_any_side


_FORMULAS: dict[str, Callable[[dict[str, Any]], BlockMap]] = {
    "majority": lambda spec: majority,
    "decimation": lambda spec: decimation,
    "soft_majority": lambda spec: soft_majority(spec["strength"]),
    "majority_with_flips": lambda spec: majority_with_flips(spec["share"]),
    "shuffled_majority": lambda spec: shuffled_majority(spec["permutation"]),
    "random_blocks": lambda spec: random_blocks(spec["permutation"]),
}


def measured(
    path: Path, maps: Sequence[BlockMap], spec: dict[str, Any]
) -> tuple[list[Level], FloatArray]:
    """Sums of lattices at every level, and the lattices' control variates."""
    read = read_lattices(path)
    if read.betas.min() != read.betas.max():
        raise CoarsegrainError(f"{path} holds lattices of several β; exponents take one β.")
    levels = blocked(read.spins, maps, seed=spec["seed"], shifts=spec["shifts"])
    return levels, controls(read.spins, levels[0], float(read.betas[0]))


if __name__ == "__main__":
    run(main)
