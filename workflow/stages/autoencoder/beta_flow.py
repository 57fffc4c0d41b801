"""Rule beta_flow: β of the autoencoder's output against β of its input, and the fixed points."""

import numpy as np
import pandas as pd

from coarsegrain.analysis.flow import (
    FixedPoint,
    fixed_point,
    interpolated_crossing,
    line_crossing,
)
from coarsegrain.analysis.statistics import standard_error
from coarsegrain.ising.critical_point import BETA_CRITICAL
from coarsegrain.nets.network import Network, read_network
from coarsegrain.rg.decimation import decimate
from coarsegrain.rg.flow_equation import effective_beta, fixed_point_of_effective_beta
from coarsegrain.storage.lattices import read_lattices
from coarsegrain.storage.tables import write_table
from pipeline.stage import Input, Inputs, Output, Spec, run

PAPER = {"paper_autoencoder": 0.45265, "paper_decimation": 0.505}  # Shukla & Thakur 2021, III.D
COLUMNS = [
    "beta", "lattices", "autoencoder", "thermometer",
    "beta_predicted", "std_error", "less_input", "less_input_error",
]  # fmt: skip
CROSSINGS: tuple[tuple[str, str, FixedPoint], ...] = (
    ("autoencoder_line", "autoencoder", line_crossing),
    ("autoencoder_sign_line", "autoencoder_sign", line_crossing),
    ("input_line", "input", line_crossing),
    ("autoencoder_interpolated", "autoencoder", interpolated_crossing),
)


def main(
    *,
    lattices: Input,
    doubled: Input,
    autoencoders: Inputs,
    thermometers: Inputs,
    table: Output,
    fixed_points: Output,
    spec: Spec,
) -> None:
    """Read β off lattices before and after each map, and find the fixed points.

    Every thermometer reads the lattices themselves, the output of every autoencoder, and lattices
    of twice the side at the same β (``doubled``) after two decimations.
    Spec: bootstrap_samples, seed.
    """
    before = read_lattices(lattices)
    betas = np.unique(before.betas)
    nets = [read_network(path) for path in thermometers]

    def read(seen: np.ndarray) -> np.ndarray:
        """(thermometers, β, lattices)."""
        return np.array([_read(net, seen, len(betas)) for net in nets])

    outputs = [read_network(path)(before.spins) for path in autoencoders]
    predictions = {
        "input": read(before.spins),
        "autoencoder": np.array([read(each) for each in outputs]),
        "autoencoder_sign": np.array([read(np.sign(each)) for each in outputs]),
        "decimated": read(decimate(read_lattices(doubled).spins, steps=2)),
    }
    frames = [
        _rows(betas, name, seen, predictions["input"], pair)
        for name, seen in predictions.items()
        for pair in np.ndindex(seen.shape[:-2])
    ]
    equation = {"decimation_eq5": effective_beta(betas)}
    equation["decimation_eq5_twice"] = effective_beta(equation["decimation_eq5"])
    frames += [
        pd.DataFrame({"beta": betas, "lattices": name, "beta_predicted": after, "std_error": 0.0})
        for name, after in equation.items()
    ]
    members = dict.fromkeys(("autoencoder", "thermometer"), "Int64")
    write_table(table, pd.concat(frames, ignore_index=True)[COLUMNS].astype(members))

    rng = np.random.default_rng(spec["seed"])
    rows = []
    for source, name, crossing in CROSSINGS:
        star, low, high = fixed_point(
            betas, predictions[name], crossing,
            bootstrap_samples=spec["bootstrap_samples"], rng=rng,
        )  # fmt: skip
        rows.append({"source": source, "beta_star": star, "low": low, "high": high})
    exact = {
        "decimation_eq5": fixed_point_of_effective_beta(),
        "exact_critical_point": BETA_CRITICAL,
        **PAPER,
    }
    rows += [
        {"source": source, "beta_star": beta, "low": beta, "high": beta}
        for source, beta in exact.items()
    ]
    write_table(fixed_points, pd.DataFrame(rows))


def _read(thermometer: Network, seen: np.ndarray, betas: int) -> np.ndarray:
    return thermometer(seen).reshape(betas, -1).astype(np.float64)


def _rows(
    betas: np.ndarray,
    name: str,
    predictions: np.ndarray,
    of_input: np.ndarray,
    pair: tuple[int, ...],
) -> pd.DataFrame:
    """What one thermometer reads, and how much more than of the input lattices.

    What an autoencoder makes is compared lattice by lattice. Decimated lattices were others before.
    """
    *autoencoder, thermometer = pair
    after, control = predictions[pair], of_input[thermometer]
    error = standard_error(after)
    less_input = (after - control).mean(axis=1)
    if autoencoder:
        of_difference = standard_error(after - control)
    else:
        of_difference = np.hypot(error, standard_error(control))
    if name == "input":
        less_input = of_difference = np.full(len(betas), np.nan)
    return pd.DataFrame(
        {
            "beta": betas,
            "lattices": name,
            "autoencoder": autoencoder[0] if autoencoder else pd.NA,
            "thermometer": thermometer,
            "beta_predicted": after.mean(axis=1),
            "std_error": error,
            "less_input": less_input,
            "less_input_error": of_difference,
        }
    )


if __name__ == "__main__":
    run(main)
