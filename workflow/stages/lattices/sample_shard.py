"""Rule sample_shard: draw a part of a set of lattices, to be joined by sample_lattices."""

from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from coarsegrain.device import choose_device
from coarsegrain.errors import CoarsegrainError
from coarsegrain.ising.sampler import equilibration_steps, sample_lattices
from coarsegrain.storage.hdf5 import Attribute
from coarsegrain.storage.lattices import write_lattices
from pipeline.gpus import take_device
from pipeline.progress import reporter
from pipeline.stage import Option, Output, Spec, run

SAMPLERS = {
    "hybrid": "one Wolff cluster + one heat-bath sweep per step, cold start, Philox4x32-10",
    "exact": "monotone coupling from the past, Philox4x32-10",
}


def main(*, lattices: Output, device: Option, spec: Spec) -> None:
    """Draw one shard of a set: the same bits, whatever the number of shards.

    Spec: set, the spec of sample_lattices; shard, from 0; shards, their number.
    """
    draw(lattices, spec["set"], device, spec["shard"], spec["shards"])


def draw(path: Path, spec: dict[str, Any], device: str, shard: int = 0, shards: int = 1) -> None:
    """Draw one shard of a set: consecutive lattices, equally many in each, or one more."""
    L, method = spec["L"], spec["method"]
    betas = inverse_temperatures(spec["betas"], spec["seed"])
    bounds = [k * len(betas) // shards for k in (shard, shard + 1)]
    betas = betas[bounds[0] : bounds[1]]
    options: dict[str, Any] = {"method": method}
    if method == "hybrid":
        options["steps"] = equilibration_steps(L) if spec["steps"] == "auto" else spec["steps"]
    try:
        spins = sample_lattices(
            betas,
            L,
            seed=spec["seed"],
            first_lattice=bounds[0],
            device=take_device(device, partial(choose_device, libraries=("cupy",))),  # type: ignore[arg-type]
            progress=reporter("lattices", len(betas), "lattices"),
            **options,
        )
    except ValueError as error:  # an exact sample that would take too long
        raise CoarsegrainError(str(error)) from error
    attributes: dict[str, Attribute] = {
        "sampler": SAMPLERS[method],
        **options,
        "seed": str(spec["seed"]),
        "libraries": ", ".join(f"{name} {version(name)}" for name in ("numpy", "numba")),
    }
    write_lattices(path, spins, betas, attributes)


def inverse_temperatures(betas: dict[str, Any], seed: int) -> npt.NDArray[np.float64]:
    """One β per lattice, from the spec's ``betas``; the uniform ones are drawn with ``seed``."""
    if "constant" in betas:
        return np.full(betas["number"], betas["constant"], dtype=np.float64)
    if "uniform" in betas:
        low, high = betas["uniform"]
        return np.random.default_rng(seed).uniform(low, high, size=int(betas["number"]))
    return np.repeat(np.asarray(betas["grid"], dtype=np.float64), betas["each"])


if __name__ == "__main__":
    run(main)
