"""The stages that make the claims' tables, against numbers computed by hand."""

import numpy as np
import pandas as pd
import pytest

from coarsegrain.analysis.convergence import fall_over_last_quarter, has_converged
from coarsegrain.analysis.entropy import as_images, local_entropy
from coarsegrain.analysis.exact_points import beta_of_largest_heat_capacity, slope_of_effective_beta
from coarsegrain.analysis.linear_codes import block_code, decimation, spectrum
from coarsegrain.errors import CoarsegrainError
from coarsegrain.ising.critical_point import BETA_CRITICAL
from coarsegrain.ising.exact import heat_capacity_per_site
from coarsegrain.ising.sampler import sample_lattices
from coarsegrain.nets.amplitudes import best_gain, hinge_by_amplitude
from coarsegrain.nets.losses import hinge, spin_accuracy
from coarsegrain.nets.network import Layer, Network, write_network
from coarsegrain.rg.decimation import decimate
from coarsegrain.rg.flow_equation import effective_beta
from coarsegrain.storage.lattices import write_lattices
from coarsegrain.storage.tables import read_table, write_table
from stages import collect_variants, judge_claims, judge_variants, plot_claims
from stages.autoencoder import beta_flow as beta_flow_stage
from stages.autoencoder import (
    collect_convergence,
    evaluate_model,
    exact_points,
    measure_floors,
)
from stages.autoencoder import local_entropy as local_entropy_stage

CLAIMS = """
paper: P
study: A
claims:
  - id: A1
    where: I
    claim: a is one
    published: 1
    statistic: {table: numbers, column: value, exact: true}
    criterion: {within: 0.1, of: 1}
    control: none is needed
"""


def history(path, objective, model="A", member=0):
    rows = [
        (model, member, epoch, split, value if split == "validation" else -1.0, "")
        for epoch, value in enumerate(objective, start=1)
        for split in ("train", "validation")
    ]
    frame = pd.DataFrame(
        rows, columns=["model", "member", "epoch", "split", "objective", "ended_by"]
    )
    frame.loc[frame.index[-2:], "ended_by"] = "epochs"
    write_table(path, frame)
    return path


def test_the_fall_is_that_of_the_last_quarter():
    assert fall_over_last_quarter(np.array([9.0, 5, 4, 3, 2, 1.0, 0.9, 0.8])) == pytest.approx(0.2)
    assert np.isnan(fall_over_last_quarter(np.array([3.0, 2.0, 1.0])))
    assert fall_over_last_quarter(np.zeros(8)) == 0


@pytest.mark.parametrize(
    ("fall", "told"), [(0.0099, True), (-0.5, True), (0.01, False), (0.3, False), (np.nan, False)]
)
def test_a_training_has_converged_if_it_fell_by_less_than_a_percent(fall, told):
    assert has_converged(fall) == told


def test_convergence_is_told_of_the_validation_objective_of_every_training(tmp_path):
    still = history(tmp_path / "a.csv", [1, 1, 1, 0.9])
    done = history(tmp_path / "b.csv", [1, 0.5, 0.5, 0.499], "thermometer", 1)
    collect_convergence.main(histories=[still, done], table=tmp_path / "table.csv")
    table = read_table(tmp_path / "table.csv")
    assert list(table["model"]) == ["A", "thermometer"]
    assert list(table["member"]) == [0, 1]
    assert list(table["epochs"]) == [4, 4]
    np.testing.assert_allclose(table["fall"], [0.1, 0.002])
    assert list(table["ended_by"]) == ["epochs", "epochs"]
    assert list(table["converged"]) == [False, True]


@pytest.mark.parametrize("L", [4, 8, 32])
def test_the_heat_capacity_is_smaller_on_either_side_of_its_peak(L):
    peak = beta_of_largest_heat_capacity(L)
    for beta in (peak - 1e-4, peak + 1e-4):
        assert heat_capacity_per_site(beta, L) < heat_capacity_per_site(peak, L)


def test_the_peak_of_the_heat_capacity_moves_towards_the_critical_point_as_one_over_L():
    # Ferdinand & Fisher 1969: T_max = T_c (1 + 0.36/L)
    T_c = 1 / BETA_CRITICAL
    for L in (32, 64):
        shift = (1 / beta_of_largest_heat_capacity(L) / T_c - 1) * L
        assert shift == pytest.approx(0.36, abs=0.02)


def test_the_slope_of_eq_5_is_its_derivative():
    numeric = (effective_beta(0.5 + 1e-6) - effective_beta(0.5 - 1e-6)) / 2e-6
    assert slope_of_effective_beta(0.5) == pytest.approx(float(numeric), rel=1e-8)


def test_exact_points_are_written_by_name(tmp_path):
    exact_points.main(table=tmp_path / "table.csv", spec={"L": 32})
    table = read_table(tmp_path / "table.csv").set_index("quantity")["value"]
    assert table["critical_beta"] == BETA_CRITICAL
    assert table["beta_of_largest_heat_capacity"] == pytest.approx(0.43593, abs=1e-5)
    assert table["fixed_point_of_eq5"] == pytest.approx(0.50698, abs=1e-5)
    assert table["slope_of_eq5_at_fixed_point"] > 1


def linear(*weights):
    return Network(tuple(Layer(each.astype(np.float32)) for each in weights))


@pytest.fixture
def lattices(tmp_path):
    rng = np.random.default_rng(3)
    spins = rng.choice(np.array([-1, 1], dtype=np.int8), size=(12, 4, 4))
    write_lattices(tmp_path / "in.nc", spins, np.repeat([0.1, 0.2], 6), {})
    return spins, tmp_path / "in.nc"


def test_frozen_layers_count_in_the_last_column_and_in_no_other(tmp_path, lattices):
    _, path = lattices
    frozen, trained = np.full((16, 8), 0.5), np.full((8, 16), -0.25)
    write_network(tmp_path / "net.safetensors", linear(frozen, trained))
    evaluate_model.main(
        network=tmp_path / "net.safetensors", lattices_in=path, lattices_out=path,
        test_in=path, test_out=path, losses=tmp_path / "losses.csv",
        amplitudes=tmp_path / "amplitudes.csv",
        spec={"net": "A", "member": 0, "loss": "hinge", "l1": 0.01, "trained_layers": 1,
              "validation_fraction": 0.25},
    )  # fmt: skip
    table = read_table(tmp_path / "losses.csv")
    np.testing.assert_allclose(table["objective"] - table["hinge"], 0.01 * 32)
    np.testing.assert_allclose(table["objective_all_layers"] - table["hinge"], 0.01 * (32 + 64))
    assert table.columns[-1] == "objective_all_layers"
    assert list(table["code"]) == [8, 8, 8]


def test_amplitudes_are_those_of_the_test_set_at_the_gain_of_the_training_set(tmp_path, lattices):
    spins, path = lattices
    net = linear(3 * np.eye(16) + 0.3)
    write_network(tmp_path / "net.safetensors", net)
    write_lattices(tmp_path / "test.nc", spins[:5], np.full(5, 0.1), {})
    evaluate_model.main(
        network=tmp_path / "net.safetensors", lattices_in=path, lattices_out=path,
        test_in=tmp_path / "test.nc", test_out=tmp_path / "test.nc",
        losses=tmp_path / "losses.csv", amplitudes=tmp_path / "amplitudes.csv",
        spec={"net": "A", "member": 2, "loss": "mse", "l1": 0.0, "trained_layers": 1,
              "validation_fraction": 0.25},
    )  # fmt: skip
    table = read_table(tmp_path / "amplitudes.csv")
    assert {tuple(row) for row in table[["model", "member", "split"]].to_numpy()} == {
        ("A", 2, "test")
    }
    y, t = net(spins), spins.reshape(len(spins), -1)
    expected = hinge_by_amplitude(y[:5], t[:5], gain=best_gain(y[:9], t[:9]))
    assert dict(zip(table["amplitude"], table["hinge"])) == pytest.approx(expected, abs=1e-9)
    losses = read_table(tmp_path / "losses.csv").set_index("split").loc["test"]
    assert expected["as it comes"] == pytest.approx(losses["hinge"], rel=1e-6)
    assert set(table["spin_accuracy"]) == {round(losses["spin_accuracy"], 9)}


def floors(tmp_path, sets, test, name="floors.csv", rank=None):
    paths = [tmp_path / f"set-{k}.nc" for k in range(len(sets))]
    for file, spins in zip([*paths, tmp_path / "test.nc"], [*sets, test]):
        write_lattices(file, spins, np.full(len(spins), 0.4), {})
    measure_floors.main(
        lattices=paths, test=tmp_path / "test.nc", table=tmp_path / name,
        spec={"seed": 3, "rank": rank or test[0].size // 4, "validation_fraction": 0.25},
    )  # fmt: skip
    return read_table(tmp_path / name)


def test_floors_are_fitted_to_training_lattices_and_tested_on_others(tmp_path):
    sets = [sample_lattices(np.full(40, 0.4), 6, seed=k) for k in range(3)]
    table = floors(tmp_path, sets[:2], sets[2])
    of_other_rank = 4 * ["principal components of other rank"]
    assert list(table["encoder"]) == 2 * [
        "one mode", "principal components", *of_other_rank, "decimation", "block means",
        "random sites", "random linear",
    ]  # fmt: skip
    assert list(table["rank"]) == 2 * [1, 9, 1, 2, 4, 18, 9, 9, 9, 9]
    components = table[table["encoder"].str.startswith("principal") & (table["member"] == 0)]
    assert components.sort_values("rank")["mse"].is_monotonic_decreasing
    code = block_code(spectrum(sets[1][:30]), decimation(6))
    y, t = (each.reshape(-1, 36) for each in (code(sets[2]), sets[2]))
    gain = best_gain(code(sets[1][:30]).reshape(-1, 36), sets[1][:30].reshape(-1, 36))
    row = table[(table["encoder"] == "decimation") & (table["member"] == 1)].iloc[0]
    assert row["gain"] == pytest.approx(gain, abs=1e-9)
    assert row["mse"] == pytest.approx(((y - t) ** 2).mean(), abs=1e-9)
    assert row["hinge_least_squares"] == pytest.approx(hinge(y, t), abs=1e-9)
    assert row["hinge_best_gain"] == pytest.approx(hinge(gain * y, t), abs=1e-9)
    assert row["spin_accuracy"] == pytest.approx(spin_accuracy(y, t), abs=1e-9)


def test_codes_of_any_rank_have_the_one_that_is_asked_for(tmp_path):
    sets = [sample_lattices(np.full(40, 0.4), 4, seed=k) for k in range(2)]
    table = floors(tmp_path, sets[:1], sets[1], rank=2)
    other = table["encoder"] == "principal components of other rank"
    assert list(table.loc[other, "rank"]) == [1, 2, 8]  # parts of 16 sites
    assert table[~other].set_index("encoder")["rank"].to_dict() == {
        "one mode": 1, "principal components": 2, "decimation": 4, "block means": 4,
        "random sites": 2, "random linear": 2,
    }  # fmt: skip
    whole = floors(tmp_path, sets[:1], sets[1], rank=16).set_index("encoder")
    # all modes lose nothing
    assert whole.loc["principal components", "mse"] == pytest.approx(0, abs=1e-9)


def test_a_member_has_the_same_random_codes_however_many_members_there_are(tmp_path):
    sets = [sample_lattices(np.full(40, 0.4), 4, seed=k) for k in range(3)]
    both, one = floors(tmp_path, sets[:2], sets[2]), floors(tmp_path, sets[:1], sets[2], "one.csv")
    pd.testing.assert_frame_equal(both[both["member"] == 0], one)
    random = both[both["encoder"] == "random sites"]
    assert random["mse"].nunique() == 2


def test_large_lattices_have_no_random_codes(tmp_path, monkeypatch):
    monkeypatch.setattr(measure_floors, "MOST_NUMBERS", 3)
    monkeypatch.setattr(measure_floors, "MOST_SITES", 10 * 16)
    sets = [sample_lattices(np.full(40, 0.4), 4, seed=k) for k in range(2)]
    table = floors(tmp_path, sets[:1], sets[1])
    assert not table["encoder"].str.startswith("random").any()
    first = floors(tmp_path, sets[:1], sets[1][:10], "first.csv")
    pd.testing.assert_frame_equal(table, first)


def test_every_thermometer_reads_every_autoencoder_and_decimated_lattices(tmp_path, lattices):
    spins, path = lattices
    rng = np.random.default_rng(5)
    larger = rng.choice(np.array([-1, 1], dtype=np.int8), size=(12, 8, 8))
    write_lattices(tmp_path / "doubled.nc", larger, np.repeat([0.1, 0.2], 6), {})
    autoencoders = [linear(rng.normal(size=(16, 16))) for _ in range(2)]
    thermometers = [linear(rng.normal(size=(16, 1))) for _ in range(3)]
    files = {}
    for name, nets in (("autoencoders", autoencoders), ("thermometers", thermometers)):
        files[name] = [tmp_path / f"{name}-{k}.safetensors" for k in range(len(nets))]
        for net, file in zip(nets, files[name]):
            write_network(file, net)
    beta_flow_stage.main(
        lattices=path, doubled=tmp_path / "doubled.nc", **files, table=tmp_path / "table.csv",
        fixed_points=tmp_path / "points.csv", spec={"bootstrap_samples": 100, "seed": 1},
    )  # fmt: skip
    table = read_table(tmp_path / "table.csv")
    second = table[np.isclose(table["beta"], 0.2)].set_index("lattices")
    for name in ("autoencoder", "autoencoder_sign"):
        pairs = second.loc[name, ["autoencoder", "thermometer"]].to_numpy(dtype=int).tolist()
        assert pairs == [[i, j] for i in range(2) for j in range(3)]
    for name in ("input", "decimated"):
        assert second.loc[name, "thermometer"].tolist() == [0, 1, 2]
        assert second.loc[name, "autoencoder"].isna().all()

    def error(values):
        return values.std(ddof=1) / np.sqrt(6)

    output, measure = autoencoders[1](spins), thermometers[2]
    own, after = measure(spins)[6:, 0], measure(output)[6:, 0]
    row = second.loc["autoencoder"].iloc[-1]
    assert row["beta_predicted"] == pytest.approx(after.mean(), rel=1e-5)
    assert row["less_input"] == pytest.approx((after - own).mean(), rel=1e-5)
    assert row["less_input_error"] == pytest.approx(error(after - own), rel=1e-5)
    signs = second.loc["autoencoder_sign"].iloc[-1]
    assert signs["beta_predicted"] == pytest.approx(measure(np.sign(output))[6:].mean(), rel=1e-5)
    decimated = measure(decimate(larger, 2))[6:, 0]  # other lattices: no pairs
    row = second.loc["decimated"].iloc[-1]
    assert row["less_input"] == pytest.approx(decimated.mean() - own.mean(), rel=1e-5)
    unpaired = np.hypot(error(decimated), error(own))
    assert row["less_input_error"] == pytest.approx(unpaired, rel=1e-5)
    twice = table[table["lattices"] == "decimation_eq5_twice"]
    expected = effective_beta(effective_beta([0.1, 0.2]))
    np.testing.assert_allclose(twice["beta_predicted"], expected)


def test_entropy_gaps_are_taken_lattice_by_lattice_and_member_by_member(tmp_path, lattices):
    spins, path = lattices
    rng = np.random.default_rng(4)
    nets = [linear(rng.normal(size=(16, 16))) for _ in range(2)]
    files = [tmp_path / f"{k}.safetensors" for k in range(2)]
    for net, file in zip(nets, files):
        write_network(file, net)
    local_entropy_stage.main(
        lattices=path, autoencoders=files, table=tmp_path / "table.csv",
        gaps=tmp_path / "gaps.csv", spec={"autoencoder_image": "sign"},
    )  # fmt: skip
    gaps = read_table(tmp_path / "gaps.csv")
    before = local_entropy(as_images(spins, "sign"))[6:]
    output = nets[1](spins).reshape(spins.shape)

    def row(**kind):
        chosen = gaps[np.isclose(gaps["beta"], 0.2) & (gaps["boundary"] == "crop")]
        for column, value in kind.items():
            chosen = chosen[chosen[column] == value]
        assert len(chosen) == 1
        return chosen.iloc[0]

    gap = local_entropy(as_images(output, "sign"))[6:] - before
    found = row(lattices="autoencoder", image="sign", member=1)
    assert found["gap_bits"] == pytest.approx(gap.mean())
    assert found["relative_gap"] == pytest.approx(gap.mean() / before.mean())
    assert found["std_error"] == pytest.approx(gap.std(ddof=1) / np.sqrt(6))
    # the other image on every third lattice of the six
    some = local_entropy(as_images(output, "rescale"))[6::3] - before[::3]
    found = row(lattices="autoencoder", image="rescale", member=1)
    assert found["gap_bits"] == pytest.approx(some.mean())
    found = row(lattices="decimated", image="sign")
    gap = local_entropy(as_images(decimate(spins, 2), "sign"))[6:] - before
    assert found["gap_bits"] == pytest.approx(gap.mean())
    assert np.isnan(found["member"])


@pytest.fixture
def exact_claim(tmp_path):
    claims = tmp_path / "claims.yaml"
    claims.write_text(CLAIMS)

    def judge(value):
        write_table(tmp_path / "numbers.csv", pd.DataFrame({"value": [value]}))
        judge_claims.main(
            claims=[claims], tables=[tmp_path / "numbers.csv"], table=tmp_path / "verdicts.csv"
        )
        return tmp_path / "verdicts.csv"

    return judge


@pytest.mark.parametrize(("value", "verdict"), [(1.05, "reproduced"), (2.0, "not reproduced")])
def test_a_changed_table_changes_the_verdict(exact_claim, value, verdict):
    assert list(read_table(exact_claim(value))["verdict"]) == [verdict]


def test_claims_about_variants_are_judged_by_tables_that_are_joined_over_them(tmp_path):
    claims = tmp_path / "claims.yaml"
    claims.write_text(CLAIMS.replace("table: numbers", "table: variants/numbers, rows: {size: 4}"))
    own, joined = tmp_path / "numbers.csv", tmp_path / "variants" / "numbers.csv"
    joined.parent.mkdir()
    write_table(own, pd.DataFrame({"value": [2.0]}))
    parts = [own, tmp_path / "numbers-of-small.csv"]
    for small, verdict in ((1.05, "reproduced"), (2.0, "not reproduced")):
        write_table(parts[1], pd.DataFrame({"value": [small]}))
        settings = [{"variant": "base", "size": 8}, {"variant": "small", "size": 4}]
        collect_variants.main(tables=parts, table=joined, spec={"settings": settings})
        judge_variants.main(
            claims=[claims], tables=[own], variants=[joined], table=tmp_path / "verdicts.csv"
        )
        assert list(read_table(tmp_path / "verdicts.csv")["verdict"]) == [verdict]
    judge_claims.main(claims=[claims], tables=[own], table=tmp_path / "verdicts.csv")
    assert list(read_table(tmp_path / "verdicts.csv")["reason"]) == ["it needs variants of size"]


def test_a_claim_that_cannot_be_judged_stops_the_stage_with_its_name(exact_claim, tmp_path):
    (tmp_path / "claims.yaml").write_text(CLAIMS.replace("    control: none is needed\n", ""))
    with pytest.raises(CoarsegrainError, match=r"claims\.yaml, claim A1: it has no control"):
        judge_claims.main(
            claims=[tmp_path / "claims.yaml"], tables=[], table=tmp_path / "verdicts.csv"
        )


def test_the_verdicts_are_drawn(exact_claim, tmp_path):
    plot_claims.main(table=exact_claim(1.05), pdf=tmp_path / "c.pdf", png=tmp_path / "c.png")
    assert (tmp_path / "c.png").stat().st_size > 10_000
