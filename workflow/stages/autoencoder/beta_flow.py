"""Rule beta_flow: β of the autoencoder's output against β of its input, and the fixed points."""

import numpy as np
import pandas as pd

from coarsegrain.analysis.flow import fixed_point, interpolated_crossing, line_crossing
from coarsegrain.analysis.statistics import standard_error
from coarsegrain.ising.critical_point import BETA_CRITICAL
from coarsegrain.nets.network import read_network
from coarsegrain.rg.flow_equation import effective_beta, fixed_point_of_effective_beta
from coarsegrain.storage.lattices import read_lattices
from coarsegrain.storage.tables import write_table
from pipeline.stage import Input, Inputs, Output, Spec, run

PAPER = {"paper_autoencoder": 0.45265, "paper_decimation": 0.505}  # Shukla & Thakur 2021, III.D


def main(
    *,
    lattices: Input,
    autoencoders: Inputs,
    thermometers: Inputs,
    table: Output,
    fixed_points: Output,
    spec: Spec,
) -> None:
    """Read β off lattices before and after AE-WR, member by member, and find the fixed points.

    Member k of AE-WR is measured by member k of the thermometer, of which there may be more.
    Spec: bootstrap_samples, seed.
    """
    before = read_lattices(lattices)
    betas = np.unique(before.betas)
    predictions: dict[str, list[np.ndarray]] = {
        "input": [], "autoencoder": [], "autoencoder_sign": []
    }  # fmt: skip
    for member, thermometer in enumerate(thermometers):
        measure = read_network(thermometer)
        measured: dict[str, np.ndarray] = {"input": before.spins}
        if member < len(autoencoders):
            output = read_network(autoencoders[member])(before.spins)
            measured |= {"autoencoder": output, "autoencoder_sign": np.sign(output)}
        for name, seen in measured.items():
            predictions[name].append(measure(seen).reshape(len(betas), -1).astype(np.float64))

    eq5 = pd.DataFrame(
        {"beta": betas, "lattices": "decimation_eq5", "beta_predicted": effective_beta(betas),
         "std_error": 0.0, "member": pd.NA}
    )  # fmt: skip
    write_table(table, pd.concat([*_flow_rows(betas, predictions), eq5], ignore_index=True))

    rng = np.random.default_rng(spec["seed"])
    rows = []
    for source, name, crossing in (
        ("autoencoder_line", "autoencoder", line_crossing),
        ("autoencoder_sign_line", "autoencoder_sign", line_crossing),
        ("input_line", "input", line_crossing),
        ("autoencoder_interpolated", "autoencoder", interpolated_crossing),
    ):
        star, low, high = fixed_point(
            betas, np.array(predictions[name]), crossing,
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


def _flow_rows(betas: np.ndarray, predictions: dict[str, list[np.ndarray]]) -> list[pd.DataFrame]:
    return [
        pd.DataFrame(
            {
                "beta": betas,
                "lattices": name,
                "beta_predicted": predicted.mean(axis=1),
                "std_error": standard_error(predicted),
                "member": member,
            }
        )
        for name, members in predictions.items()
        for member, predicted in enumerate(members)
    ]


if __name__ == "__main__":
    run(main)
