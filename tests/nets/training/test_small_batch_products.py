"""Products with few rows, and training with them, against BLAS."""

import dataclasses

import numpy as np
import pytest

from coarsegrain.nets.training import (
    Member,
    TrainingSettings,
    glorot_network,
)
from coarsegrain.nets.training.adam import adam_constants, adam_update, step_sizes
from coarsegrain.nets.training.cpu import dense, small_batch_products
from coarsegrain.nets.training.cpu.dense import DenseTrainer
from coarsegrain.training.batches import epoch_order

SETTINGS = TrainingSettings(
    loss="hinge", l1=1e-4, learning_rate=1e-3, adam_betas=(0.9, 0.999), adam_epsilon=1e-7,
    batch_size=10, epochs=1,
)  # fmt: skip
RNG = np.random.default_rng(3)
SHAPES = [(5, 2, 64), (10, 6, 128), (15, 130, 192), (30, 64, 64)]
ROUNDING = {"float32": 1e-5, "float64": 1e-13}


def drawn(precision, *shape):
    return RNG.normal(size=shape).astype(precision)


@pytest.mark.parametrize("precision", ROUNDING)
@pytest.mark.parametrize(("rows", "inputs", "outputs"), SHAPES)
def test_products_are_those_of_blas_to_rounding(rows, inputs, outputs, precision):
    x, w = drawn(precision, rows, inputs), drawn(precision, inputs, outputs)
    y, slopes = np.empty((rows, outputs), precision), drawn(precision, rows, outputs)
    before = np.empty((rows, inputs), precision)
    small_batch_products.products(x, w, y)
    small_batch_products.transposed_products(slopes, w, before)
    scale = ROUNDING[precision] * np.sqrt(max(inputs, outputs))
    np.testing.assert_allclose(y, x @ w, rtol=0, atol=scale)
    np.testing.assert_allclose(before, slopes @ w.T, rtol=0, atol=scale)


@pytest.mark.parametrize("precision", ROUNDING)
@pytest.mark.parametrize(("rows", "inputs", "outputs"), SHAPES)
def test_update_is_that_of_adam_with_the_gradient_of_blas(rows, inputs, outputs, precision):
    x, slopes = drawn(precision, rows, inputs), drawn(precision, rows, outputs)
    w, m = drawn(precision, inputs, outputs), drawn(precision, inputs, outputs)
    v = drawn(precision, inputs, outputs) ** 2
    w[0, :3] = 0  # whose sign is 0
    sizes, numbers = step_sizes(SETTINGS, 5, 1, precision)[0], adam_constants(SETTINGS, precision)
    expected = [each.copy().reshape(-1) for each in (w, m, v)]
    adam_update(*expected, (x.T @ slopes).reshape(-1), sizes, numbers)
    small_batch_products.update(w, m, v, x, slopes, sizes, numbers)
    for ours, theirs in zip((w, m, v), expected, strict=True):
        np.testing.assert_allclose(ours.reshape(-1), theirs, rtol=0, atol=30 * ROUNDING[precision])


def trained(batch_size, biases, use_them, monkeypatch, asked):
    """The state after two epochs in float64, with the kernels asked for or not."""

    def is_small_batch(batch, inputs, outputs, dtype):
        fits = use_them and inputs % 2 == 0 and outputs % 64 == 0
        asked.append(fits)
        return fits

    monkeypatch.setattr(dense, "is_small_batch", is_small_batch)
    spins = np.random.default_rng(1).choice(np.array([-1, 1], dtype=np.int8), size=(47, 8, 8))
    start = glorot_network([64, 128, 7, 64], ["tanh", "linear", "linear"], biases=biases, seed=2)
    settings = dataclasses.replace(SETTINGS, batch_size=batch_size)
    member = Member(start, (spins, spins), (spins, spins), 0)
    trainer = DenseTrainer(member, settings, frozen=0, precision="float64")
    told = [
        trainer.run_epoch(epoch_order(4, epoch, 47), (epoch - 1) * -(-47 // batch_size))
        for epoch in (1, 2)
    ]
    return told, trainer.state()


@pytest.mark.parametrize("biases", [False, True])
@pytest.mark.parametrize("batch_size", [1, 5, 8, 10, 16, 23, 40])
def test_a_net_trains_the_same_with_them_and_without(batch_size, biases, monkeypatch):
    asked = []
    told, state = trained(batch_size, biases, True, monkeypatch, asked)
    assert any(asked)
    assert not all(asked)  # the layer with 7 units is left to BLAS
    plain_told, plain_state = trained(batch_size, biases, False, monkeypatch, asked)
    np.testing.assert_allclose(told, plain_told, rtol=1e-12)
    for name, values in state.items():
        np.testing.assert_allclose(values, plain_state[name], rtol=0, atol=1e-11)


def test_they_are_used_where_they_fit_and_are_faster(monkeypatch):
    monkeypatch.setattr(
        small_batch_products.binding, "get_host_cpu_features", lambda: {"avx512f": True}
    )
    single = np.dtype("float32")
    assert small_batch_products.is_small_batch(10, 1024, 512, single)
    assert not small_batch_products.is_small_batch(10, 1024, 512, np.dtype("float64"))
    assert not small_batch_products.is_small_batch(200, 1024, 512, single)
    assert not small_batch_products.is_small_batch(10, 1024, 1, single)
    assert not small_batch_products.is_small_batch(10, 1023, 512, single)
    monkeypatch.setattr(
        small_batch_products.binding, "get_host_cpu_features", lambda: {"avx2": True}
    )
    assert not small_batch_products.is_small_batch(10, 1024, 512, single)
