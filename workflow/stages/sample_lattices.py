"""Rule sample_lattices: draw a set of independent lattices."""

from importlib.metadata import version

import numpy as np

from coarsegrain.ising.sampler import equilibration_steps, sample_lattices
from coarsegrain.storage.lattices import write_lattices
from pipeline.progress import reporter
from pipeline.stage import Output, Spec, run


def main(*, lattices: Output, spec: Spec) -> None:
    """Draw a set of independent L x L Ising lattices with periodic boundaries.

    Spec: L; steps (a number or "auto"); seed; betas, one of
      {"constant": beta, "number": n}
      {"uniform": [from, below], "number": n}
      {"grid": [beta, ...], "each": n}
    """
    L, steps = spec["L"], spec["steps"]
    steps = equilibration_steps(L) if steps == "auto" else steps
    betas = inverse_temperatures(spec["betas"], spec["seed"])
    spins = sample_lattices(
        betas,
        L,
        seed=spec["seed"],
        steps=steps,
        progress=reporter("lattices", len(betas), "lattices"),
    )
    attributes = {
        "sampler": "one Wolff cluster + one heat-bath sweep per step, cold start, Philox4x32-10",
        "steps": steps,
        "seed": str(spec["seed"]),
        "libraries": ", ".join(f"{name} {version(name)}" for name in ("numpy", "numba")),
    }
    write_lattices(lattices, spins, betas, attributes)


def inverse_temperatures(betas: dict, seed: int) -> np.ndarray:
    """One β per lattice, from the spec's ``betas``; the uniform ones are drawn with ``seed``."""
    if "constant" in betas:
        return np.full(betas["number"], betas["constant"], dtype=np.float64)
    if "uniform" in betas:
        low, high = betas["uniform"]
        return np.random.default_rng(seed).uniform(low, high, size=betas["number"])
    return np.repeat(np.asarray(betas["grid"], dtype=np.float64), betas["each"])


if __name__ == "__main__":
    run(main)
