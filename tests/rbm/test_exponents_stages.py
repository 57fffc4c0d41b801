"""From lattices to the table of exponents and the verdicts, for each kind of map."""

import json

import numpy as np
import pytest

from coarsegrain.analysis.map_exponents import COLUMNS
from coarsegrain.errors import CoarsegrainError
from coarsegrain.ising.critical_point import BETA_CRITICAL
from coarsegrain.nets.network import Layer, Network, write_network
from coarsegrain.rbm.machine import FreeMachine, TiedMachine, write_machine
from coarsegrain.storage.lattices import write_lattices
from coarsegrain.storage.tables import read_table
from stages.rbm import collect_exponents, measure_exponents

KERNEL = np.zeros((1, 4, 4))
KERNEL[0, 1:3, 1:3] = 1.0


def near_critical(n, L, seed):
    """Lattices with correlations, which is all that is needed: blocks of coarser random ones."""
    rng = np.random.default_rng(seed)
    spins = rng.choice(np.array([-1, 1], dtype=np.int8), size=(n, 1, 1))
    while spins.shape[1] < L:
        spins = spins.repeat(2, axis=1).repeat(2, axis=2)
        spins = np.where(rng.random(spins.shape) < 0.1, -spins, spins)
    return spins


@pytest.fixture
def files(tmp_path):
    for name, L, seed in (("full", 16, 1), ("half", 8, 2)):
        betas = np.full(200, BETA_CRITICAL)
        write_lattices(tmp_path / f"{name}.nc", near_critical(200, L, seed), betas, {})
    tied = TiedMachine(KERNEL, 16)
    order = np.random.default_rng(3).permutation(64)
    signs = np.where(np.arange(64) % 2, 1.0, -1.0)
    write_machine(tmp_path / "tied", tied, {})
    write_machine(tmp_path / "upside-down", TiedMachine(-KERNEL, 16), {})
    write_machine(tmp_path / "free", FreeMachine(tied.dense().weights[:, order] * signs), {})
    write_machine(tmp_path / "two", TiedMachine(np.repeat(KERNEL, 2, axis=0), 16), {})
    weights = tied.dense().weights.astype(np.float32)
    layers = (Layer(weights), Layer(np.eye(64, dtype=np.float32)[:, order]))
    decoder = Layer(np.ones((64, 256), dtype=np.float32))
    write_network(tmp_path / "net", Network((*layers, decoder)))
    return tmp_path


def measured(files, name="map", weights=(), **spec):
    table = files / f"{name}.csv"
    spec = {"map": name, "steps": 3, "couplings": [1, 2], "shifts": 2, "seed": 1, **spec}
    measure_exponents.main(
        lattices=files / "full.nc", half=files / "half.nc",
        weights=[files / each for each in weights], table=table, spec=json.loads(json.dumps(spec)),
    )  # fmt: skip
    return read_table(table, COLUMNS)


def test_rows_are_steps_and_couplings_of_both_sides(files):
    found = measured(files, kind="majority")
    assert list(found.columns) == list(COLUMNS)
    wanted = [[16, 1, 1], [16, 1, 2], [16, 2, 1], [16, 2, 2], [8, 1, 1], [8, 1, 2]]
    assert found[["L", "step", "couplings"]].to_numpy().tolist() == wanted
    assert set(found["lattices"]) == {200}
    assert found[found["L"] == 16]["matching"].notna().all()
    assert found[found["L"] == 8]["matching"].isna().all()


def test_the_same_inputs_and_spec_give_the_same_bytes(files):
    measured(files, "one", kind="soft_majority", strength=1.0)
    again = (files / "one.csv").read_bytes()
    measured(files, "one", kind="soft_majority", strength=1.0)
    assert (files / "one.csv").read_bytes() == again


@pytest.mark.parametrize(
    "spec",
    [
        {"kind": "decimation"},
        {"kind": "majority_with_flips", "share": 0.05},
        {"kind": "shuffled_majority", "permutation": 1},
        {"kind": "random_blocks", "permutation": 1},
    ],
)
def test_every_map_given_by_a_formula_is_measured(files, spec):
    assert len(measured(files, **spec)) == 6


def test_tied_free_and_net_layers_with_the_same_weights_have_the_same_exponents(files):
    tied = measured(files, kind="machine", sampled=False, weights=["tied"])
    wanted = (
        tied[(tied["L"] == 16) & (tied["step"] == 1)].drop(columns="map").reset_index(drop=True)
    )
    turned = measured(files, kind="machine", sampled=False, weights=["upside-down"])
    assert turned.equals(tied)
    for kind, weights in (("machine", "free"), ("net", "net")):
        found = measured(files, kind=kind, sampled=False, layers=2, weights=[weights])
        assert found.drop(columns="map").equals(wanted)


def test_a_stack_takes_a_machine_for_each_step_and_repeats_the_last(files):
    once = measured(files, kind="machine", sampled=True, weights=["tied"])
    stack = measured(files, kind="machine", sampled=True, weights=["tied", "tied", "tied"])
    assert stack.equals(once)


def test_layers_that_do_not_halve_the_side_are_refused(files):
    with pytest.raises(CoarsegrainError, match="two is no map to half the side: 2 channels"):
        measured(files, kind="machine", sampled=True, weights=["two"])
    with pytest.raises(CoarsegrainError, match="none were given"):
        measured(files, kind="machine", sampled=True)


def test_tables_of_maps_are_collected_and_judged(files):
    measured(files, "first", kind="majority")
    measured(files, "second", kind="decimation")
    collect_exponents.main(
        exponents=[files / "first.csv", files / "second.csv"],
        table=files / "mcrg.csv", verdicts=files / "rg_maps.csv",
    )  # fmt: skip
    assert len(read_table(files / "mcrg.csv", COLUMNS)) == 12
    verdicts = read_table(files / "rg_maps.csv", ("map", "verdict", "reason"))
    assert verdicts["map"].tolist() == ["first", "second"]
    assert set(verdicts["verdict"]) == {"not tested"}  # one step from a side of 16
