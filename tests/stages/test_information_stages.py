"""The stages of mutual information, on a flow that is not trained."""

import numpy as np
import pytest

from coarsegrain.flows.architecture import Architecture
from coarsegrain.flows.ingredients import start
from coarsegrain.flows.storage import read_flow
from coarsegrain.flows.sublattice_flow import SublatticeFlow
from coarsegrain.flows.sublattice_storage import write_sublattice_flow
from coarsegrain.ising.dual import DualIsing
from coarsegrain.ising.sampler import sample_lattices
from coarsegrain.storage.lattices import read_lattices, write_lattices
from coarsegrain.storage.tables import read_table
from stages.neuralrg import (
    collect_information,
    measure_field_information,
    measure_information,
    plot_information,
)

L, BETA, NUMBER = 4, 0.35, 1200


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("information")
    dual, architecture = DualIsing(L, BETA), Architecture(L, couplings=1, hidden=2, bins=1)
    flow = SublatticeFlow(architecture, dual.spectrum, start(architecture, dual.spectrum, seed=1))
    write_sublattice_flow(folder / "flow.safetensors", flow, {"beta": repr(BETA)})
    spins = sample_lattices(np.full(NUMBER, BETA), L, seed=1)
    write_lattices(folder / "test.nc", spins, np.full(NUMBER, BETA), {"seed": "1"})
    return folder


def measured(folder, name="a.csv", **changes):
    spec = {
        "labels": [["flow", "new"], ["member", 0]], "beta": BETA, "samples": NUMBER,
        "field_seed": 1, "latent_seed": 2, "shuffling_seed": 3, "threads": 1, **changes,
    }  # fmt: skip
    made = {"table": folder / f"of-flow-{name}", "total": folder / f"total-of-flow-{name}"}
    files = {"lattices": folder / "test.nc", **made}
    measure_information.main(flow=folder / "flow.safetensors", spec=spec, **files)
    of_fields = {"table": folder / f"fields-{name}", "total": folder / f"total-fields-{name}"}
    labels = [each for each in spec["labels"] if each[0] == "member"]
    del spec["latent_seed"]
    measure_field_information.main(
        lattices=folder / "test.nc", spec={**spec, "labels": labels}, **of_fields
    )
    collect_information.main(
        parts=[made["table"]], totals=[made["total"]],
        fields=[of_fields["table"]], field_totals=[of_fields["total"]],
        table=folder / name, total_table=folder / f"total-{name}",
    )  # fmt: skip
    return read_table(folder / name)


def test_rows_are_all_variables_at_the_same_pairs(folder):
    table = measured(folder)
    kinds = [rows.reset_index(drop=True) for _, rows in table.groupby("variables")]
    assert len(kinds) == 3
    for rows in kinds:
        for column in ("scale", "distance", "pairs", "samples"):
            assert rows[column].tolist() == kinds[0][column].tolist()
    assert set(table["samples"]) == {NUMBER}
    assert set(table["T"].round(6)) == {round(1 / BETA, 6)}


def test_fields_have_information_and_whitened_and_shuffled_ones_none(folder):
    table = measured(folder)
    mean = table.groupby("variables")["information_nats"].mean()
    assert mean["physical"] > 0.15
    assert abs(mean["whitened"]) < 0.1 * mean["physical"]
    assert (abs(table["null_nats"]) < 5 * table["null_error"]).all()


def test_fields_share_more_than_whitened_ones_and_latents_at_most_the_forward_kl(folder):
    measured(folder)
    table = read_table(folder / "total-a.csv").set_index("variables")
    nats, error = table["total_nats"], table["total_error"]
    assert table["upper_limit"].tolist() == [True, False, False]
    assert nats["physical"] > nats["whitened"] + 5 * error["physical"]
    flow, _ = read_flow(folder / "flow.safetensors")
    dual = DualIsing(L, BETA)
    fields = dual.draw_fields(read_lattices(folder / "test.nc").spins, np.random.default_rng(7))
    ratio = -dual.energy(fields) - dual.log_integral() - flow.log_density(fields)
    assert abs(nats["latent"] - ratio.mean()) < 5 * error["latent"]


def test_fewer_lattices_than_asked_for_are_all_taken(folder):
    assert set(measured(folder, samples=10 * NUMBER)["samples"]) == {NUMBER}
    assert set(measured(folder, samples=200)["samples"]) == {200}


def test_tables_of_all_flows_are_put_together_and_drawn(folder):
    parts = [folder / "a.csv", folder / "b.csv"]
    for k, path in enumerate(parts):
        measured(folder, path.name, samples=200, labels=[["flow", "new"], ["member", k]])
    of_all = {
        key: [folder / f"{begins}{path.name}" for path in parts]
        for key, begins in (
            ("parts", "of-flow-"),
            ("totals", "total-of-flow-"),
            ("fields", "fields-"),
            ("field_totals", "total-fields-"),
        )
    }
    collect_information.main(table=folder / "all.csv", total_table=folder / "totals.csv", **of_all)
    table = read_table(folder / "all.csv")
    assert table["member"].tolist() == [0] * 12 + [1] * 12
    assert set(table["flow"]) == {"new"}
    assert read_table(folder / "totals.csv")["member"].tolist() == [0] * 3 + [1] * 3
    plot_information.main(
        table=folder / "all.csv", totals=folder / "totals.csv", pdf=folder / "a.pdf",
        png=folder / "a.png",
    )  # fmt: skip
    assert (folder / "a.pdf").read_bytes().startswith(b"%PDF")
