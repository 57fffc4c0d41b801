"""Machines: against plain Python, enumeration and each other."""

import itertools
import math

import numpy as np
import pytest
from scipy import stats

from coarsegrain.errors import StorageError
from coarsegrain.rbm.logistic import log_2cosh, probability_up
from coarsegrain.rbm.machine import (
    FreeMachine,
    TiedMachine,
    fields,
    hidden_given_visible,
    log_weight,
    read_machine,
    visible_fields,
    visible_given_hidden,
    write_machine,
)
from coarsegrain.storage.weights import write_weights


def states(units):
    return np.array(list(itertools.product([-1, 1], repeat=units)), dtype=np.int8)


def free(n_visible, n_hidden, *, biases=False, scale=0.5, seed=1):
    rng = np.random.default_rng(seed)
    weights = rng.normal(0, scale, (n_visible, n_hidden))
    if not biases:
        return FreeMachine(weights)
    return FreeMachine(weights, rng.normal(0, 0.3, n_visible), rng.normal(0, 0.3, n_hidden))


def tied(channels, n, L, stride=2, seed=2):
    rng = np.random.default_rng(seed)
    return TiedMachine(rng.normal(0, 0.4, (channels, n, n)), L, stride)


def spins(n, units, seed=3):
    return np.random.default_rng(seed).choice(np.array([-1, 1], np.int8), (n, units))


@pytest.mark.parametrize(
    ("x", "value"),
    [
        (0.0, math.log(2)),
        (1.0, math.log(2 * math.cosh(1))),
        (-3.5, math.log(2 * math.cosh(3.5))),
        (1000.0, 1000.0),
    ],
)
def test_log_2cosh_at_single_points(x, value):
    assert log_2cosh(x) == pytest.approx(value, rel=4e-16)


def test_logistic_functions_equal_those_of_mpmath():
    mpmath = pytest.importorskip("mpmath")
    for x in np.linspace(-40, 40, 401):
        with mpmath.workdps(30):
            exact = mpmath.log(2 * mpmath.cosh(mpmath.mpf(x)))
            up = 1 / (1 + mpmath.exp(-2 * mpmath.mpf(x)))
        assert float(abs(log_2cosh(x) / exact - 1)) < 5e-16
        assert float(abs(probability_up(x) / up - 1)) < 1e-15


def test_probabilities_of_up_and_down_add_up_to_one():
    x = np.linspace(-30, 30, 1001)
    np.testing.assert_allclose(probability_up(x) + probability_up(-x), 1, rtol=0, atol=3e-16)
    np.testing.assert_array_equal(probability_up([-1e3, 1e3]), [0, 1])


@pytest.mark.parametrize("biases", [False, True])
def test_log_weight_is_the_sum_over_hidden_states(biases):
    machine = free(5, 4, biases=biases)
    a = np.zeros(5) if machine.visible_bias is None else machine.visible_bias
    b = np.zeros(4) if machine.hidden_bias is None else machine.hidden_bias
    for v, found in zip(states(5), log_weight(machine, states(5))):
        weights = [math.exp(a @ v + b @ h + v @ machine.weights @ h) for h in states(4)]
        assert found == pytest.approx(math.log(sum(weights)), rel=1e-13)


def test_fields_of_both_layers_are_the_matrix_products():
    machine, v, h = free(7, 3, biases=True), spins(10, 7), spins(10, 3)
    np.testing.assert_allclose(
        fields(machine, v), v @ machine.weights + machine.hidden_bias, rtol=1e-13
    )
    np.testing.assert_allclose(
        visible_fields(machine, h), h @ machine.weights.T + machine.visible_bias, rtol=1e-13
    )


@pytest.mark.parametrize(
    ("channels", "n", "L", "stride"),
    [
        (1, 2, 4, 2),
        (3, 4, 8, 2),
        (2, 3, 6, 2),
        (1, 6, 6, 2),
        (2, 3, 9, 3),
        (1, 5, 6, 1),
        (2, 1, 4, 2),
    ],
)
def test_tied_machine_and_its_weights_written_out_are_the_same(channels, n, L, stride):
    machine = tied(channels, n, L, stride)
    dense = machine.dense()
    assert (dense.n_visible, dense.n_hidden) == (machine.n_visible, machine.n_hidden)
    v, h = spins(6, machine.n_visible), spins(6, machine.n_hidden)
    np.testing.assert_allclose(fields(machine, v), fields(dense, v), rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(
        visible_fields(machine, h), visible_fields(dense, h), rtol=1e-12, atol=1e-13
    )
    np.testing.assert_allclose(log_weight(machine, v), log_weight(dense, v), rtol=1e-13)


def test_window_of_a_tied_machine_is_centred_on_its_block():
    machine = TiedMachine(np.ones((1, 4, 4)), 8)
    seen = machine.dense().weights.reshape(8, 8, 4, 4)[:, :, 1, 2]
    rows, cols = np.nonzero(seen)
    assert sorted(set(rows)) == [1, 2, 3, 4]  # the block (1, 2) is rows 2, 3 and columns 4, 5
    assert sorted(set(cols)) == [3, 4, 5, 6]


def test_shifted_lattices_give_shifted_fields():
    machine = tied(2, 4, 8)
    v = spins(3, 64).reshape(3, 8, 8)
    shifted = fields(machine, np.roll(v, (2, 4), axis=(1, 2))).reshape(3, 2, 4, 4)
    unshifted = fields(machine, v).reshape(3, 2, 4, 4)
    np.testing.assert_array_equal(shifted, np.roll(unshifted, (1, 2), axis=(2, 3)))


def test_drawn_units_have_the_conditional_probabilities():
    machine, rng = free(3, 2, biases=True), np.random.default_rng(5)
    v = np.array([1, -1, 1], dtype=np.int8)
    drawn = hidden_given_visible(machine, np.tile(v, (40_000, 1)), rng=rng)
    up = probability_up(fields(machine, v[None])[0])
    expected = np.array(
        [(1 - up[0]) * (1 - up[1]), (1 - up[0]) * up[1], up[0] * (1 - up[1]), up[0] * up[1]]
    )
    counts = np.bincount((drawn > 0) @ [2, 1], minlength=4)
    assert stats.chisquare(counts, expected * len(drawn)).pvalue > 1e-3
    h = np.array([-1, 1], dtype=np.int8)
    drawn = visible_given_hidden(machine, np.tile(h, (40_000, 1)), rng=rng)
    up = probability_up(visible_fields(machine, h[None])[0])
    z = ((drawn > 0).mean(axis=0) - up) / np.sqrt(up * (1 - up) / len(drawn))
    assert np.abs(z).max() < 4


def test_gibbs_samples_of_6_by_4_units_are_distributed_as_enumeration_says():
    machine, rng = free(6, 4, biases=True, scale=0.4), np.random.default_rng(7)
    v = spins(60_000, 6)
    for _ in range(30):
        v = visible_given_hidden(machine, hidden_given_visible(machine, v, rng=rng), rng=rng)
    p = np.exp(log_weight(machine, states(6)))
    counts = np.bincount((v > 0) @ (1 << np.arange(5, -1, -1)), minlength=64)
    assert stats.chisquare(counts, p / p.sum() * len(v)).pvalue > 1e-3


@pytest.mark.parametrize(
    "machine",
    [
        free(5, 3),
        free(5, 3, biases=True),
        FreeMachine(np.ones((2, 2), np.float32), hidden_bias=np.zeros(2, np.float32)),
        tied(2, 3, 6),
        tied(1, 2, 6, 3),
    ],
)
def test_machine_read_is_the_machine_written(machine, tmp_path):
    write_machine(tmp_path / "machine.safetensors", machine, {"trained": "yes"})
    found, metadata = read_machine(tmp_path / "machine.safetensors")
    assert metadata["trained"] == "yes"
    assert type(found) is type(machine)
    for name, value in vars(machine).items():
        np.testing.assert_array_equal(getattr(found, name), value)
        assert getattr(getattr(found, name), "dtype", None) == getattr(value, "dtype", None)


@pytest.mark.parametrize(
    ("tensors", "metadata"),
    [
        ({"weights": np.ones((2, 2))}, {}),
        ({"weights": np.ones(2)}, {"kind": "free"}),
        ({"weights": np.ones((2, 2), np.int64)}, {"kind": "free"}),
        ({"weights": np.ones((2, 2)), "hidden_bias": np.ones(3)}, {"kind": "free"}),
        ({"kernels": np.ones((1, 2, 2))}, {"kind": "tied", "L": "4", "stride": "3"}),
        ({"kernels": np.ones((1, 2, 3))}, {"kind": "tied", "L": "4", "stride": "2"}),
        ({"kernels": np.ones((2, 2))}, {"kind": "tied", "L": "4", "stride": "2"}),
        ({"kernels": np.ones((1, 6, 6))}, {"kind": "tied", "L": "4", "stride": "2"}),
        ({"kernels": np.ones((1, 2, 2))}, {"kind": "tied", "L": "four", "stride": "2"}),
    ],
)
def test_file_that_is_no_machine_is_refused_by_name(tensors, metadata, tmp_path):
    path = tmp_path / "machine.safetensors"
    write_weights(path, tensors, metadata)
    with pytest.raises(StorageError, match=r"machine\.safetensors holds no Boltzmann machine"):
        read_machine(path)


def test_states_of_another_number_of_units_are_refused():
    with pytest.raises(ValueError, match="states of 4 units were given to a layer of 5"):
        fields(free(5, 3), spins(2, 4))
