"""The stages of what a flow passes on, on a flow that only whitens: its couplings do nothing."""

import numpy as np
import pytest

from coarsegrain.analysis.exponents_of_flows import levels, of_its_fields
from coarsegrain.flows.architecture import Architecture
from coarsegrain.flows.flow import PassedOn
from coarsegrain.flows.storage import read_flow
from coarsegrain.flows.sublattice_flow import SublatticeFlow
from coarsegrain.flows.sublattice_storage import write_sublattice_flow
from coarsegrain.ising.dual import DualIsing
from coarsegrain.ising.sampler import sample_lattices
from coarsegrain.rg.block_maps import decimation
from coarsegrain.rg.blocking import blocked
from coarsegrain.storage.lattices import write_lattices
from coarsegrain.storage.tables import read_table
from stages.neuralrg import (
    collect_scales,
    measure_scales,
    plot_patterns,
    plot_samples_by_scale,
    plot_scales,
)

L, BETA, NUMBER = 8, 0.35, 1200
KINDS = ("energies", "couplings", "patterns", "exponents", "examples")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("scales")
    dual, architecture = (
        DualIsing(L, BETA),
        Architecture(L, couplings=1, hidden=2, bins=1, passes="sites"),
    )
    parameters = np.zeros(architecture.size)
    architecture.views(parameters)["modes"][:] = 1.0, 0.0
    flow = SublatticeFlow(architecture, dual.spectrum, parameters)
    write_sublattice_flow(folder / "flow.safetensors", flow, {"beta": repr(BETA)})
    spins = sample_lattices(np.full(NUMBER, BETA), L, seed=1)
    write_lattices(folder / "test.nc", spins, np.full(NUMBER, BETA), {"seed": "1"})
    spec = {
        "beta": BETA, "samples": 1000, "patterns": 10, "couplings": [1, 2], "field_seed": 1,
        "tie_seed": 2, "draw_seed": 3, "sign_seed": 4, "threads": 1,
    }  # fmt: skip
    for member in (0, 1):
        measure_scales.main(
            flow=folder / "flow.safetensors", lattices=folder / "test.nc",
            **{kind: folder / f"{member}.{kind}.csv" for kind in KINDS},
            spec={**spec, "labels": [["flow", "new"], ["member", member]], "field_seed": member},
        )  # fmt: skip
    collect_scales.main(
        **{kind: [folder / f"{member}.{kind}.csv" for member in (0, 1)] for kind in KINDS},
        **{f"{kind}_table": folder / f"{kind}.csv" for kind in KINDS},
    )
    return folder


def test_energies_are_of_all_scales_with_the_forward_kl_as_their_bound(folder):
    table = read_table(folder / "energies.csv")
    assert table["scale"].tolist() == 2 * [1, 2, 4]
    assert table["sites"].tolist() == 2 * [64, 16, 4]
    assert set(table["samples"]) == {1000}
    flow, _ = read_flow(folder / "flow.safetensors")
    dual = DualIsing(L, BETA)
    fields = dual.draw_fields(
        sample_lattices(np.full(4000, BETA), L, seed=9), np.random.default_rng(7)
    )
    ratio = -dual.energy(fields) - dual.log_integral() - flow.log_density(fields)
    assert (abs(table["kl_at_most_nats"] - ratio.mean()) < 5 * table["kl_at_most_error"]).all()
    assert np.allclose(
        table["difference_nats"], table["energy_p_nats"] - table["energy_q_nats"], atol=2e-9
    )
    # a free field fitted to exact samples tells more of them than the coupling matrix does
    assert (table["beyond_free_nats"] < 5 * table["beyond_free_error"]).all()


def test_what_is_passed_on_without_couplings_is_the_whitened_field_on_fewer_sites(folder):
    table = read_table(folder / "examples.csv")
    table = table[table["member"] == 0]
    shapes = {1: 8, 2: 4, 4: 2}
    fields = {
        scale: table[table["scale"] == scale]["field"].to_numpy().reshape(side, side)
        for scale, side in shapes.items()
    }
    whitened = DualIsing(L, BETA).multiplied(fields[1][None], -0.5)[0]
    for scale in (2, 4):
        np.testing.assert_allclose(fields[scale], whitened[::scale, ::scale], atol=1e-5)


def test_patterns_without_couplings_are_those_of_the_coupling_matrix(folder):
    table = read_table(folder / "patterns.csv")
    point = np.zeros((1, L, L))
    point[0, L // 2, L // 2] = 1
    exact = DualIsing(L, BETA).multiplied(point, -0.5)[0]
    for _, rows in table.groupby(["member", "scale"]):
        found = rows["gradient"].to_numpy().reshape(L, L)
        assert rows[["row", "column"]].iloc[0].tolist() == [-4, -4]
        np.testing.assert_allclose(found, exact, atol=1e-4)


def test_signs_are_put_to_the_test_beside_other_maps_and_a_small_lattice_is_not_judged(folder):
    table = read_table(folder / "exponents.csv")
    assert table["map"].tolist() == 2 * [
        name
        for name in (
            "passed on",
            "linear block means",
            "linear long waves",
            "majority",
            "decimation",
        )
        for _ in (1, 2)
    ]
    assert set(table["L"]) == {L}
    assert set(table["step"]) == {1}
    assert set(table["verdict"]) == {"not tested"}
    assert table["why"].str.contains("16").all()


def test_signs_of_decimated_spins_have_the_sums_of_decimation():
    spins = sample_lattices(np.full(50, BETA), 16, seed=1)
    passed = [PassedOn(s, 0.3 * spins[:, :: 2**s, :: 2**s], np.zeros(50)) for s in range(1, 5)]
    exact = blocked(spins, [decimation] * 4, seed=0, shifts=1)
    # of a flow of two signs, which has taken the other one for every second lattice
    signs = np.resize([1, -1], (50, 1, 1))
    flow_of_two = [each._replace(fields=signs * each.fields) for each in passed]
    assert all(
        np.array_equal(of_its_fields(each, 1.0 * spins).fields, one.fields)
        for each, one in zip(flow_of_two, passed)
    )
    found = levels(spins, passed)
    assert [each.side for each in found] == [each.side for each in exact] == [16, 8, 4]
    for one, other in zip(found, exact):
        np.testing.assert_array_equal(one.even, other.even)
        np.testing.assert_array_equal(one.odd, other.odd)


@pytest.mark.parametrize(
    ("stage", "table"),
    [(plot_scales, "energies"), (plot_patterns, "patterns"), (plot_samples_by_scale, "examples")],
)
def test_figures_are_drawn_of_the_tables(folder, stage, table):
    stage.main(table=folder / f"{table}.csv", pdf=folder / "a.pdf", png=folder / "a.png")
    assert (folder / "a.pdf").read_bytes().startswith(b"%PDF")
    assert (folder / "a.png").stat().st_size > 10_000
