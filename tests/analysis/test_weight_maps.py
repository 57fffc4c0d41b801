"""Measures of encoders on matrices whose measures are known, or told by plain sums."""

import numpy as np
import pytest

from coarsegrain.analysis.weight_maps import (
    correlations_by_offset,
    linear_maps,
    matched_units,
    measures,
    measures_beside,
    neighbouring_cosines,
    spin_correlations,
    unit_cosines,
)
from coarsegrain.nets.network import Layer, Network
from coarsegrain.nets.transfer import joined
from coarsegrain.rg.maps import hard_coded_weights
from coarsegrain.sparsity import hoyer_sparsity


def random_matrix(inputs, units, seed=0):
    return np.random.default_rng(seed).normal(size=(inputs, units))


def hard_coded(L, name="decimation"):
    return linear_maps(Network(tuple(Layer(hard_coded_weights(L, name, k)) for k in (1, 2))))


def rotated(units, seed=0):
    """A random orthogonal matrix."""
    return np.linalg.qr(random_matrix(units, units, seed))[0]


def test_hoyer_sparsity_is_1_for_one_input_0_for_equal_ones_and_known_between():
    fields = np.array([[0, -3, 0, 0], [2, 2, -2, 2], [1, 1, 0, 0], [0, 0, 0, 0]], dtype=float)
    for scale in (1e-200, 1, 1e200):
        found = hoyer_sparsity(scale * fields)
        np.testing.assert_allclose(found, [1, 0, 2 - 2**0.5, 0], atol=1e-15)


def test_the_maps_of_a_net_give_its_outputs():
    shapes = ((16, 8), (8, 4), (4, 8), (8, 16))
    net = Network(tuple(Layer(random_matrix(*shape, seed)) for seed, shape in enumerate(shapes)))
    maps = linear_maps(net)
    assert list(maps) == ["W1", "W2", "W1W2", "W1W2W3W4"]
    x = random_matrix(5, 16, seed=9)
    np.testing.assert_allclose(x @ maps["W1W2W3W4"], net(x))
    np.testing.assert_allclose(x @ maps["W1W2"], Network(net.layers[:2])(x))


def test_a_net_of_tanh_is_its_map_for_small_inputs():
    net = Network(tuple(Layer(random_matrix(16, 16, k), None, "tanh") for k in range(3)))
    x = 1e-6 * random_matrix(5, 16, seed=9)
    np.testing.assert_allclose(x @ linear_maps(net)["W1W2W3"], net(x), rtol=1e-6)


def test_what_is_no_matrix_is_refused():
    square = np.eye(4)
    with pytest.raises(ValueError, match="biases or ReLU"):
        linear_maps(Network((Layer(square), Layer(square, np.zeros(4)))))
    with pytest.raises(ValueError, match="biases or ReLU"):
        linear_maps(Network((Layer(square), Layer(square, None, "relu"))))
    with pytest.raises(ValueError, match="two layers"):
        linear_maps(Network((Layer(square),)))


def test_cosines_are_those_of_the_units_of_the_same_number():
    one = np.array([[3.0, 1, 0, 1], [4, 0, 0, 1]])
    other = np.array([[6.0, -2, 1, 0], [8, 0, 1, -2]])
    np.testing.assert_allclose(unit_cosines(one, other), [1, -1, 0, -(0.5**0.5)])


def test_shuffled_and_flipped_units_are_matched_with_themselves():
    others = random_matrix(30, 12)
    order, signs = np.random.default_rng(1).permutation(12), np.where(np.arange(12) % 2, -1, 1)
    units, partners = matched_units((others * signs)[:, order], others)
    np.testing.assert_array_equal(order[units], partners)
    np.testing.assert_array_equal(partners, np.arange(12))


def test_as_many_units_are_matched_as_the_smaller_layer_has():
    others = random_matrix(30, 12)
    units, partners = matched_units(others[:, [7, 2, 5]], others)
    assert (list(units), list(partners)) == ([1, 2, 0], [2, 5, 7])
    units, partners = matched_units(others, others[:, [7, 2, 5]])
    assert (list(units), list(partners)) == ([7, 2, 5], [0, 1, 2])


@pytest.mark.parametrize("L", [4, 6])
def test_spin_correlations_are_means_of_the_matrix_over_pairs_of_sites(L):
    weights = random_matrix(L * L, 5)
    matrix = (weights @ weights.T).reshape(L, L, L, L)
    found = spin_correlations(weights)
    sites = [(row, col) for row in range(L) for col in range(L)]
    for dr, dc in sites:
        pairs = [matrix[r, c, (r + dr) % L, (c + dc) % L] for r, c in sites]
        assert found[dr, dc] == pytest.approx(np.sum(pairs) / np.trace(weights @ weights.T))
    with pytest.raises(ValueError, match="8 inputs are no square lattice"):
        spin_correlations(weights[:8])


@pytest.mark.parametrize("inputs", [8, 9])
def test_correlations_by_offset_are_means_along_the_diagonals(inputs):
    weights = random_matrix(inputs, 5)
    matrix = weights @ weights.T
    found = correlations_by_offset(weights)
    for k in range(inputs):
        along = [matrix[i, (i + k) % inputs] for i in range(inputs)]
        assert found[k] == pytest.approx(np.sum(along) / np.trace(matrix))


def test_spin_correlations_do_not_know_a_rotation_of_the_units():
    weights = random_matrix(16, 6)
    turned = weights @ rotated(6)
    np.testing.assert_allclose(spin_correlations(turned), spin_correlations(weights))


def test_neighbouring_units_are_those_beside_and_below():
    weights = random_matrix(7, 9)
    unit = weights / np.linalg.norm(weights, axis=0)
    cosines = abs(unit.T @ unit)
    sites = [(row, col) for row in range(3) for col in range(3)]
    beside = [cosines[3 * r + c, 3 * r + (c + 1) % 3] for r, c in sites]
    below = [cosines[3 * r + c, 3 * ((r + 1) % 3) + c] for r, c in sites]
    assert neighbouring_cosines(weights) == pytest.approx(np.mean(beside + below))
    with pytest.raises(ValueError, match="8 units are no square lattice"):
        neighbouring_cosines(weights[:, :8])


@pytest.mark.parametrize("L", [4, 6, 8])
def test_decimation_has_one_input_per_unit_and_correlates_no_sites(L):
    maps = hard_coded(L)
    for name, weights in maps.items():
        numbers = measures(weights, L, from_lattice=name != "W2")
        assert numbers["inputs_per_unit"] == 1
        assert numbers["share_of_inputs"] == 1 / len(weights)
        assert numbers["hoyer_sparsity"] == pytest.approx(1)
        beside = [k for k in numbers if k in ("off_diagonal", "neighbouring_sites")]
        assert len(beside) == (0 if name == "W2" else 2)
        for quantity in (*beside, "at_offset_L", "at_offset_half_L"):
            assert numbers[quantity] == pytest.approx(0, abs=1e-15)
    numbers = measures_beside(maps["W1W2"], maps["W1W2"], placed=True)
    assert numbers == {"cosine_with_map": 1, "neighbouring_units": 0}


def test_block_means_correlate_neighbours_half_as_much_as_a_site_with_itself():
    numbers = measures(hard_coded(8, "majority")["W1W2"], 8, from_lattice=True)
    assert numbers["inputs_per_unit"] == pytest.approx(4)
    assert numbers["neighbouring_sites"] == pytest.approx(1 / 2)
    assert numbers["off_diagonal"] == pytest.approx(1 / 2)
    assert numbers["at_offset_L"] == pytest.approx(1 / 2)
    assert numbers["at_offset_half_L"] == pytest.approx(0, abs=1e-15)


def test_an_encoder_is_found_again_with_its_units_in_any_order():
    exact = hard_coded(8)["W1W2"]
    weights = -exact[:, np.random.default_rng(0).permutation(16)] + 0.01 * random_matrix(64, 16)
    matched = measures_beside(weights, exact, placed=False)
    assert matched["cosine_with_map"] > 0.99
    assert measures_beside(weights, exact, placed=True)["cosine_with_map"] < 0.2
    # and then has its place: here each unit takes something of the sites of two neighbours
    lattice = np.eye(16).reshape(4, 4, 16)
    shared = np.stack([np.roll(lattice, 1, axis=axis) for axis in (0, 1)]).sum(axis=0) + 9 * lattice
    overlapping = exact @ shared.reshape(16, 16)
    mixed = overlapping[:, np.random.default_rng(1).permutation(16)]
    assert measures_beside(mixed, exact, placed=False) == pytest.approx(
        measures_beside(overlapping, exact, placed=True)
    )


def test_numbers_that_a_map_does_not_have_are_left_out():
    assert measures(np.zeros((16, 4)), 4, from_lattice=True) == {}
    of_one = measures(np.ones((1, 4)), 4, from_lattice=False)
    assert of_one == {"inputs_per_unit": 1, "share_of_inputs": 1}
    # as many inputs as sites make no lattice
    assert set(measures(random_matrix(16, 4), 4, from_lattice=False)) == {*of_one, "hoyer_sparsity"}
    few = measures_beside(random_matrix(64, 10), hard_coded(8)["W1W2"], placed=False)
    assert set(few) == {"cosine_with_map"}


def test_units_without_weights_are_left_out_of_means_over_units():
    weights = hard_coded(8)["W1"].copy()
    weights[:, 5] = 0
    assert measures(weights, 8, from_lattice=True)["inputs_per_unit"] == 1


def test_an_encoder_of_two_nets_is_measured_as_one():
    nets = [Network((Layer(hard_coded_weights(8, "decimation", k)),)) for k in (1, 2)]
    np.testing.assert_array_equal(linear_maps(joined(nets))["W1W2"], hard_coded(8)["W1W2"])
