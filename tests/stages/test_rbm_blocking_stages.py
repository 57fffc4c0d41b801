"""The stages about blocking and the flow of temperature, against the library and by hand."""

import itertools

import numpy as np
import pytest

from coarsegrain.analysis.block_mechanism import exact_block, product_of_blocks
from coarsegrain.analysis.distant_thermometer import DistantThermometer
from coarsegrain.analysis.exact_thermometer import exact_beta
from coarsegrain.analysis.reconstruction_flow import reconstructions
from coarsegrain.ising.sampler import sample_lattices
from coarsegrain.nets.network import Layer, Network, write_network
from coarsegrain.rbm.machine import FreeMachine, TiedMachine, write_machine
from coarsegrain.storage.lattices import read_lattices, write_lattices
from coarsegrain.storage.tables import read_table
from stages.rbm import (
    block_mechanism,
    fit_soft_majority,
    measure_fields,
    plot_blocking,
    plot_receptive_fields,
    plot_temperature_flow,
    reconstruction_flow,
    sample_blocks,
)

L = 8


def block_weights(scale=0.5):
    weights = np.zeros((L, L, L // 2, L // 2))
    for row, col in itertools.product(range(L), repeat=2):
        weights[row, col, row // 2, col // 2] = scale
    return weights.reshape(L * L, -1)


@pytest.fixture
def machines(tmp_path):
    """Block spins, a tied star of two channels, and a machine that learned nothing."""
    star = np.outer([1.0, 2, 2, 1], [1, 2, 2, 1]) / 8
    made = {
        "blocks": FreeMachine(block_weights()),
        "star": TiedMachine(np.stack([star, -star.T]), L),
        "nothing": FreeMachine(np.zeros((L * L, 6))),
    }
    for name, machine in made.items():
        write_machine(tmp_path / f"{name}.safetensors", machine, {})
    return [tmp_path / f"{name}.safetensors" for name in made]


def entries(*names):
    return [
        {"labels": [["machine", name], ["member", 0], ["l1", 0.01]], "seed": 10 + k}
        for k, name in enumerate(names)
    ]


SPEC = {"machines": entries("blocks", "star", "nothing"), "shuffles": 3, "lattices": 50}


@pytest.fixture
def lattices(tmp_path):
    betas = np.repeat([0.2, 0.4], 40)
    spins = sample_lattices(betas, L, seed=1)
    write_lattices(tmp_path / "lattices.nc", spins, betas, {})
    return tmp_path / "lattices.nc"


def test_fields_are_measured_beside_their_shuffled_weights(tmp_path, machines):
    measure_fields.main(
        machines=machines, table=tmp_path / "fields.csv", units=tmp_path / "units.csv", spec=SPEC
    )
    table = read_table(tmp_path / "fields.csv").set_index(["machine", "weights"])
    assert list(table.columns[:2]) == ["member", "l1"]
    blocks = table.loc[("blocks", "trained")]
    assert (blocks["units"], blocks["silent"]) == (16, 0)
    assert (blocks["share_2x2"], blocks["participation"], blocks["covered_2x2"]) == (1, 4, 1)
    assert table.loc[("blocks", "shuffled"), "share_2x2"] < 0.7
    assert table.loc[("blocks", "shuffled"), "participation"] == 4
    assert table.loc[("star", "trained"), "share_4x4"] == 1
    assert table.loc[("star", "trained"), "units"] == 32
    for weights in ("trained", "shuffled"):
        nothing = table.loc[("nothing", weights)]
        assert (nothing["silent"], nothing["share_2x2"], nothing["participation"]) == (
            6, 4 / 64, 64,
        )  # fmt: skip
    units = read_table(tmp_path / "units.csv")
    assert list(units.groupby("machine", sort=False).size()) == [16, 2, 6]
    second = units[(units["machine"] == "blocks") & (units["unit"] == 1)].iloc[0]
    assert (second["row"], second["col"], second["strength"]) == (0.5, 2.5, 2)


def test_another_machine_in_the_list_does_not_change_the_others(tmp_path, machines):
    for number in (1, 3):
        measure_fields.main(
            machines=machines[:number], table=tmp_path / f"{number}.csv",
            units=tmp_path / "units.csv", spec={**SPEC, "machines": SPEC["machines"][:number]},
        )  # fmt: skip
    one, three = (read_table(tmp_path / f"{number}.csv") for number in (1, 3))
    assert one.equals(three[:2])


def test_more_machines_than_names_are_refused(tmp_path, machines):
    with pytest.raises(ValueError, match="zip"):
        measure_fields.main(
            machines=machines, table=tmp_path / "t.csv", units=tmp_path / "u.csv",
            spec={**SPEC, "machines": entries("one")},
        )  # fmt: skip


def test_soft_majorities_are_told_from_others(tmp_path, machines, lattices):
    fit_soft_majority.main(
        lattices=lattices, machines=machines, table=tmp_path / "table.csv", spec=SPEC
    )
    table = read_table(tmp_path / "table.csv")
    trained = table[table["weights"] == "trained"].groupby("machine").mean(numeric_only=True)
    assert trained.loc["blocks", "cosine"] == 1
    assert trained.loc["blocks", "W0"] == 0.5
    assert trained.loc["blocks", "W0_on_lattices"] == pytest.approx(0.5)
    assert trained.loc["blocks", "told"] == 1
    # 2, 2, 2, 2 of 1, 2, 1, 2, 4, … : (16/4)²/100
    assert trained.loc["star", "cosine"] == pytest.approx(0.8)
    assert trained.loc["star", "explained"] == pytest.approx(0.64)
    assert trained.loc["star", "ring"] == pytest.approx(0.36)
    assert trained.loc["nothing", "cosine"] == 0
    assert trained.loc["nothing", "told"] == 0
    assert list(trained["silent"]) == [0, 1, 0]  # blocks, nothing, star
    shuffled = table[table["weights"] == "shuffled"].groupby("machine").mean(numeric_only=True)
    assert shuffled.loc["blocks", "cosine"] < 0.8
    assert len(table) == 2 * (16 + 2 + 6)


def test_the_mechanism_has_exact_and_measured_rows(tmp_path, lattices):
    block_mechanism.main(
        lattices=[lattices], table=tmp_path / "table.csv", spec={"exact": [[4, 0.44], [8, 0.4]]}
    )
    table = read_table(tmp_path / "table.csv")
    assert len(table) == 3 * (2 + 2)
    bound = table[table["machine"] == "any product of blocks"].set_index(["L", "beta", "source"])
    exact = bound.loc[(8, 0.4, "transfer matrix")]
    assert exact["kl_nats"] == pytest.approx(
        product_of_blocks(exact_block(0.4, 8), 0.4, 8).nats, abs=1e-8
    )
    assert (exact["kl_error"], exact["lattices"]) == (0, 0)
    measured = bound.loc[(8, 0.4, "lattices")]
    assert measured["lattices"] == 40
    assert abs(measured["kl_nats"] - exact["kl_nats"]) < 4 * measured["kl_error"]


def flow(tmp_path, machines, lattices, thermometers=()):
    reference = np.repeat(np.linspace(0.1, 0.6, 11), 100)
    write_lattices(tmp_path / "reference.nc", sample_lattices(reference, L, seed=2), reference, {})
    reconstruction_flow.main(
        lattices=lattices, reference=tmp_path / "reference.nc", machines=machines[:2],
        thermometers=list(thermometers), table=tmp_path / "flow.csv",
        spec={"machines": entries("blocks", "star"), "steps": [0, 1]},
    )  # fmt: skip
    return read_table(tmp_path / "flow.csv")


def test_the_flow_begins_with_the_thermometers_on_the_lattices_themselves(
    tmp_path, machines, lattices
):
    table = flow(tmp_path, machines, lattices)
    assert len(table) == 2 * 2 * 2
    given = read_lattices(lattices)
    reference = read_lattices(tmp_path / "reference.nc")
    distant = DistantThermometer.from_lattices(reference.spins, reference.betas)
    row = table[(table["step"] == 0) & (table["beta_in"] == 0.4)].iloc[0]
    seen = given.spins[given.betas == 0.4]
    assert row["beta_E"] == pytest.approx(exact_beta(seen).beta, abs=1e-8)
    assert row["beta_R"] == pytest.approx(distant.read(seen).beta, abs=1e-8)
    # one reconstruction, with the random numbers of the machine's own seed
    machine = FreeMachine(block_weights())
    ((_, once),) = reconstructions(machine, given.spins, [1], seed=10)
    row = table[(table["step"] == 1) & (table["beta_in"] == 0.4)].iloc[0]
    assert row["beta_E"] == pytest.approx(exact_beta(once[given.betas == 0.4]).beta, abs=1e-8)
    assert "beta_net" not in table


def test_nets_are_a_third_thermometer(tmp_path, machines, lattices):
    paths = [tmp_path / f"net{k}.safetensors" for k in range(2)]
    for k, path in enumerate(paths):
        write_network(path, Network((Layer(np.zeros((L * L, 1)), np.array([0.3 + 0.2 * k])),)))
    table = flow(tmp_path, machines, lattices, paths)
    np.testing.assert_allclose(table["beta_net"], 0.4)
    np.testing.assert_allclose(table["beta_net_error"], 0.1)  # of two nets that read 0.3 and 0.5


def test_lattices_of_blocks_are_drawn_from_the_disjoint_machine(tmp_path):
    sample_blocks.main(
        lattices=tmp_path / "blocks.nc", spec={"L": L, "number": 4000, "scale": 0.6, "seed": 5}
    )
    spins = read_lattices(tmp_path / "blocks.nc").spins.astype(float)
    within, between = np.tanh(0.6) ** 2, 0.0
    for column, expected in ((1, within), (2, between)):
        pairs = spins[:, :, 0] * spins[:, :, column]  # 8 of each lattice, independent by blocks
        blocks = pairs.reshape(-1, 2).mean(axis=1)
        error = blocks.std(ddof=1) / len(blocks) ** 0.5
        assert abs(blocks.mean() - expected) < 4 * error


@pytest.mark.slow
def test_the_figures_are_drawn(tmp_path, machines, lattices):
    measure_fields.main(
        machines=machines, table=tmp_path / "fields.csv", units=tmp_path / "units.csv", spec=SPEC
    )
    flow(tmp_path, machines, lattices)
    for stage, inputs in (
        (plot_blocking, {"table": tmp_path / "fields.csv"}),
        (plot_temperature_flow, {"table": tmp_path / "flow.csv"}),
        (plot_receptive_fields, {"machines": machines,
                                 "spec": {"words": ["blocks", "star", "nothing"], "units": 4}}),
    ):  # fmt: skip
        stage.main(**inputs, pdf=tmp_path / "f.pdf", png=tmp_path / "f.png")
        assert (tmp_path / "f.png").stat().st_size > 10_000
