"""The stages that measure machines, on machines whose numbers are known."""

import numpy as np
import pytest

from coarsegrain.errors import CoarsegrainError
from coarsegrain.ising.exact import log_partition_function
from coarsegrain.ising.sampler import sample_lattices
from coarsegrain.rbm.machine import TiedMachine, write_machine
from coarsegrain.rg.majority import block_spins
from coarsegrain.storage.lattices import write_lattices
from coarsegrain.storage.tables import read_table
from rbm.machines import ising_machine
from stages.rbm import (
    collect_couplings,
    collect_likelihoods,
    measure_couplings,
    measure_likelihood,
    plot_couplings,
    plot_likelihood,
)

BETA = 0.4
LABELS = [["machine", "bonds"], ["member", 0], ["layer", 1], ["l1", 0.0]]
EFFORT = {
    "ais_chains": 64, "ais_steps": 300, "bar_chains": 128, "bar_burn_in": 20, "bar_states": 2,
    "bar_spacing": 5,
}  # fmt: skip


@pytest.fixture
def machine(tmp_path):
    write_machine(tmp_path / "bonds.safetensors", ising_machine(BETA, 8), {})
    return tmp_path / "bonds.safetensors"


@pytest.fixture
def lattices(tmp_path):
    spins = sample_lattices(np.full(600, BETA), 8, seed=1)
    write_lattices(tmp_path / "test.nc", spins, np.full(600, BETA), {"seed": "1"})
    return tmp_path / "test.nc"


def measured(machine, lattices, table, *, ising=True):
    spec = {"labels": LABELS, "ising": ising, "effort": EFFORT, "seed": 3}
    measure_likelihood.main(machine=machine, lattices=lattices, table=table, spec=spec)
    return read_table(table)


def test_likelihood_of_the_ising_machine_is_exact(machine, lattices, tmp_path):
    table = measured(machine, lattices, tmp_path / "a.csv")
    exact = log_partition_function(BETA, 8) + 128 * (np.log(2) + BETA)
    assert list(table["method"]) == ["ais", "data", "bar"]
    assert table.set_index("method").loc["data", "ln_z"] == pytest.approx(exact, abs=1e-8)
    assert (abs(table["kl_nats"]) <= 4 * table["kl_error"] + 1e-8).all()
    assert table["chosen"].sum() == 1
    assert table.loc[table["chosen"], "believed"].all()
    assert set(table["kind"]) == {"free"}
    assert set(table["n_hidden"]) == {128}


def test_of_block_spins_only_the_cross_entropy_is_measured(lattices, tmp_path):
    machine = tmp_path / "tied.safetensors"
    write_machine(machine, TiedMachine(np.full((2, 4, 4), 0.1), 8), {})
    (row,) = measured(machine, lattices, tmp_path / "a.csv", ising=False).itertuples()
    assert row.method == "ais"
    assert np.isnan(row.kl_nats)
    assert row.cross_entropy_nats > 0
    assert (row.kind, row.kernel, row.n_hidden, row.weights) == ("tied", 4, 32, 32)
    assert row.chosen


def test_lattices_of_several_temperatures_are_refused(machine, tmp_path):
    betas = np.array([0.3, 0.4])
    mixed = tmp_path / "mixed.nc"
    write_lattices(mixed, sample_lattices(betas, 8, seed=0), betas, {})
    with pytest.raises(CoarsegrainError, match="lattices of 2 β"):
        measured(machine, mixed, tmp_path / "a.csv")


def test_couplings_by_all_sources_and_the_two_figures(machine, lattices, tmp_path):
    fine_spins = sample_lattices(np.full(400, BETA), 16, seed=2)
    fine = tmp_path / "fine.nc"
    write_lattices(fine, fine_spins, np.full(400, BETA), {})
    table = tmp_path / "couplings.csv"
    spec = {"labels": LABELS, "blockings": 1, "chains": 5000, "steps": 20, "seed": 5}
    measure_couplings.main(machine=machine, lattices=lattices, fine=[fine], table=table, spec=spec)
    found = read_table(table).set_index(["source", "operator"])
    assert found.loc[("exact", "nn"), "coupling"] == pytest.approx(BETA, abs=1e-8)
    for source in ("samples", "data"):
        errors = found.loc[source, "std_error"]
        deviations = found.loc[source, "coupling"] - [BETA, 0, 0, 0]
        assert (abs(deviations) < 4 * errors).all()
    # block spins of β below β_c are hotter
    assert found.loc[("majority", "nn"), "coupling"] < BETA
    assert block_spins(fine_spins, rng=np.random.default_rng(0)).shape == (400, 8, 8)

    likelihoods = tmp_path / "a.csv"
    measured(machine, lattices, likelihoods)
    both = tmp_path / "rbm_likelihood.csv", tmp_path / "rbm_couplings.csv"
    collect_likelihoods.main(likelihoods=[likelihoods, likelihoods], table=both[0])
    collect_couplings.main(couplings=[table], table=both[1])
    assert len(read_table(both[0])) == 6
    assert len(read_table(both[1])) == 16
    for stage, name in ((plot_likelihood, both[0]), (plot_couplings, both[1])):
        stage.main(table=name, pdf=tmp_path / "a.pdf", png=tmp_path / "a.png")
        assert (tmp_path / "a.png").stat().st_size > 20_000


def test_a_stage_gives_the_same_bytes_again(machine, lattices, tmp_path):
    for name in ("a.csv", "b.csv"):
        measured(machine, lattices, tmp_path / name)
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()


def test_couplings_that_lattices_do_not_determine_are_no_numbers(tmp_path, capsys):
    write_machine(tmp_path / "machine.safetensors", ising_machine(BETA, 8), {})
    aligned = np.ones((40, 8, 8), np.int8)
    write_lattices(tmp_path / "up.nc", aligned, np.full(40, BETA), {})
    spec = {"labels": LABELS, "chains": 40, "steps": 20, "seed": 5}
    measure_couplings.main(
        machine=tmp_path / "machine.safetensors", lattices=tmp_path / "up.nc", fine=[],
        table=tmp_path / "table.csv", spec=spec,
    )  # fmt: skip
    found = read_table(tmp_path / "table.csv").set_index("source")["coupling"]
    assert found["data"].isna().all()
    assert found["exact"].notna().all()
    assert "The couplings of data cannot be fitted" in capsys.readouterr().out
