"""The stage that measures weights, on nets whose weights are known."""

import numpy as np
import pytest

from coarsegrain.nets.network import Layer, Network, write_network
from coarsegrain.nets.training import glorot_network
from coarsegrain.rg.maps import hard_coded_weights
from coarsegrain.storage.tables import read_table
from stages.autoencoder import measure_weights

SEEDS = {"first": [1, 2], "second": [3, 4], "autoencoders": [5, 6], "wide_range": [7, 8]}


def layers(L, name):
    return [Layer(hard_coded_weights(L, name, step)) for step in (1, 2)]


def measured(folder, L, name="decimation", hidden=None, activation="linear"):
    """The table of nets that have learned nothing, but for coarse-grainers that know the map."""
    a, b, c = L * L, L * L // 2, L * L // 4
    files = {}

    def written(option, networks):
        files[option] = [folder / f"{option}-{k}.safetensors" for k in range(len(networks))]
        for path, network in zip(files[option], networks):
            write_network(path, network)

    first, second = layers(L, name)
    written("first", [Network((first,))] * 2)
    written("second", [Network((second,))] * 2)
    written("hard_coded", [Network((first,)), Network((second,))])
    sizes = (a, *(hidden or (b, c, b)), a)
    for option in ("autoencoders", "wide_range"):
        starts = [
            glorot_network(sizes, [activation] * 4, biases=False, seed=seed)
            for seed in SEEDS[option]
        ]
        written(option, starts)
    table = folder / "weight_maps.csv"
    measure_weights.main(**files, table=table, spec={"L": L, "start_seeds": SEEDS})
    return read_table(table)


def values(table, **of):
    """By member."""
    rows = np.all([table[column] == wanted for column, wanted in of.items()], axis=0)
    return table[rows].sort_values("member")["value"].to_numpy()


@pytest.mark.parametrize("name", ["decimation", "majority"])
@pytest.mark.parametrize("L", [4, 6, 8])
def test_coarse_grainers_that_know_the_map_are_it(tmp_path, L, name):
    table = measured(tmp_path, L, name)
    for maps in ("W1", "W2", "W1W2"):
        of = {"net": "CG", "weights": "trained", "map": maps}
        np.testing.assert_allclose(values(table, **of, quantity="cosine_with_map"), [1, 1])
        for quantity in ("inputs_per_unit", "hoyer_sparsity", "at_offset_L", "at_offset_half_L"):
            exact = values(table, net="HCG", map=maps, quantity=quantity)
            found = values(table, **of, quantity=quantity)
            np.testing.assert_allclose(found, [exact[0], exact[0]], atol=1e-9)
    if name == "decimation":
        exact = table[(table["net"] == "HCG") & (table["quantity"] == "inputs_per_unit")]
        assert (exact["value"] == 1).all()


def test_a_net_that_has_learned_nothing_is_its_own_start(tmp_path):
    table = measured(tmp_path, 6)
    for net in ("Model-1", "AE-WR"):
        trained, untrained = (
            table[(table["net"] == net) & (table["weights"] == kind)].drop(columns="weights")
            for kind in ("trained", "untrained")
        )
        assert len(trained) > 40
        np.testing.assert_array_equal(trained.to_numpy(), untrained.to_numpy())
    known = {"net": "CG", "map": "W1", "quantity": "inputs_per_unit"}
    assert (values(table, **known, weights="untrained") > 10).all()


def test_maps_of_tanh_nets_are_those_around_zero(tmp_path):
    linear, tanh = tmp_path / "linear", tmp_path / "tanh"
    for folder in (linear, tanh):
        folder.mkdir()
        measured(folder, 4, activation=folder.name)
    assert (linear / "weight_maps.csv").read_text() == (tanh / "weight_maps.csv").read_text()


@pytest.mark.parametrize("hidden", [(5, 3, 5), (1, 1, 1), (16, 16, 16)])
def test_autoencoders_may_have_any_hidden_layers(tmp_path, hidden):
    table = measured(tmp_path, 4, hidden=hidden)
    assert np.isfinite(table["value"]).all()
    of = {"net": "Model-1", "weights": "trained"}
    maps = set(table.loc[table["net"] == "Model-1", "map"])
    assert maps == {"W1", "W2", "W1W2", "W1W2W3W4"}
    assert len(values(table, **of, map="W1W2", quantity="cosine_with_map")) == 2
    # a hidden layer of another size is no array of half the sites
    assert len(values(table, **of, map="W2", quantity="at_offset_L")) == 0
