"""Trainers of free and tied machines, by our kernels and by torch, against enumeration."""

import numpy as np
import pytest
import torch
from machine_enumeration import (
    distribution,
    exact_gradient,
    free,
    ising,
    kernel_gradient,
    kullback_leibler,
    states,
)
from scipy import optimize, stats

from coarsegrain.rbm.machine import FreeMachine, TiedMachine
from coarsegrain.rbm.training.adam import adam_step
from coarsegrain.rbm.training.cpu.free import FreeTrainer
from coarsegrain.rbm.training.cpu.tied import TiedTrainer
from coarsegrain.rbm.training.gpu import TorchTrainer
from coarsegrain.rbm.training.loop import Seeds, train
from coarsegrain.rbm.training.settings import TrainingSettings

F32 = np.float32


def tied(channels=2, n=3, L=4, scale=0.3, seed=3):
    kernels = np.random.default_rng(seed).normal(0, scale, (channels, n, n))
    return TiedMachine(kernels.astype(F32), L)


def spins(n, units, seed=4):
    return np.random.default_rng(seed).choice(np.array([-1, 1], np.int8), (n, units))


def on_cpu(machine, data, settings, seed=5):
    if isinstance(machine, TiedMachine):
        return TiedTrainer(machine, data, settings, seed)
    return FreeTrainer(machine.weights, data, settings, seed)


def by_torch(machine, data, settings, seed=5):
    return TorchTrainer(machine, data, settings, seed, "cpu")


def histogram(v):
    return np.bincount((v > 0) @ (1 << np.arange(v.shape[1])[::-1]), minlength=2 ** v.shape[1])


BOTH = pytest.mark.parametrize("trainer_of", [on_cpu, by_torch])


@BOTH
@pytest.mark.parametrize("machine", [free(6, 4, scale=0.6), TiedMachine(tied().kernels, 4)])
def test_chains_are_distributed_as_enumeration_says(trainer_of, machine):
    number = 8_000
    settings = TrainingSettings(updates=1, batch=4, chains=number, gibbs_steps=20)
    trainer = trainer_of(machine, spins(number, machine.n_visible), settings)
    trainer.gradient(0, np.arange(4))
    p = distribution(machine)
    # states whose expected number is small are one class
    counts, expected = histogram(trainer.chains()), number * p
    rare = expected < 10
    counts = np.append(counts[~rare], counts[rare].sum())
    expected = np.append(expected[~rare], expected[rare].sum())
    counts, expected = counts[expected > 0], expected[expected > 0]
    assert 1e-3 < stats.chisquare(counts, expected).pvalue < 0.9999


@BOTH
@pytest.mark.parametrize("machine", [free(6, 4), free(5, 70, scale=0.2), tied(), tied(1, 4, 4)])
def test_gradient_is_in_expectation_that_of_the_likelihood(trainer_of, machine):
    data = spins(40, machine.n_visible)
    p_data = histogram(data) / len(data)
    settings = TrainingSettings(updates=100, batch=40, chains=900, gibbs_steps=4)
    trainer = trainer_of(machine, data, settings)
    found = []
    for update in range(60):
        trainer.gradient(update, np.arange(40))
        found.append(trainer.last_gradient())
    found = np.array(found[10:])  # the chains forget their start
    of = kernel_gradient if isinstance(machine, TiedMachine) else exact_gradient
    blocks = found.reshape(10, 5, *found.shape[1:]).mean(axis=1)
    z = (blocks.mean(axis=0) - of(machine, p_data)) / (blocks.std(axis=0, ddof=1) / np.sqrt(10))
    # Student's t of 9 degrees of freedom: variance 9/7
    assert np.abs(z).max() < 6
    assert (z**2).mean() < 9 / 7 + 6 / np.sqrt(z.size)


@BOTH
@pytest.mark.parametrize("machine", [free(6, 4), tied()])
def test_energies_are_means_of_v_w_h(trainer_of, machine):
    data = spins(50, machine.n_visible)
    settings = TrainingSettings(updates=1, batch=50, chains=70, gibbs_steps=2)
    trainer = trainer_of(machine, data, settings)
    of_data, of_chains = trainer.gradient(0, np.arange(50))
    weights = machine.dense().weights
    for v, found in ((data, of_data), (trainer.chains(), of_chains)):
        x = v @ weights
        assert found == pytest.approx((x * np.tanh(x)).sum(axis=1).mean(), rel=1e-5)


def reference_update(w, mean, square, g, settings, update):
    """``rbm.training.adam`` in plain numpy, one operation after the other."""
    step = adam_step(settings, update)
    mean = step.beta1 * mean + step.rest1 * g
    square = step.beta2 * square + step.rest2 * (g * g)
    size = step.rate / (np.sqrt(square) + step.epsilon)
    moved = w - size * (mean * step.correction)
    shrunk = np.maximum(np.abs(moved) - size * step.l1, F32(0))
    return np.copysign(shrunk, moved), mean, square


@pytest.mark.parametrize("l1", [0.0, 0.3])
@pytest.mark.parametrize(
    "machine",
    [free(6, 4, scale=0.05), free(40, 70, scale=0.05), tied(scale=0.05), tied(3, 4, 8, scale=0.05)],
)
def test_steps_are_those_of_plain_numpy_bit_by_bit(machine, l1):
    settings = TrainingSettings(updates=12, batch=10, chains=10, l1=l1, learning_rate=0.02)
    trainer = on_cpu(machine, spins(30, machine.n_visible), settings)
    w = trainer.state()["weights"]
    mean, square = np.zeros_like(w), np.zeros_like(w)
    for update in range(12):
        trainer.update(update, np.arange(10))
        g = trainer.last_gradient()
        w, mean, square = reference_update(w, mean, square, g, settings, update)
        state = trainer.state()
        np.testing.assert_array_equal(state["weights"], w)
        np.testing.assert_array_equal(state["mean"], mean)
        np.testing.assert_array_equal(state["square"], square)
    assert (w == 0).any() == (l1 > 0)


def test_steps_without_penalty_are_those_of_torch():
    machine = free(20, 12)
    settings = TrainingSettings(updates=10**6, batch=10, chains=10, learning_rate=0.02)
    trainer = on_cpu(machine, spins(30, 20), settings)
    theirs = torch.nn.Parameter(torch.from_numpy(machine.weights.copy()))
    optimizer = torch.optim.Adam([theirs], lr=0.02, betas=(0.9, 0.999), eps=1e-8)
    for update in range(30):
        trainer.update(update, np.arange(10))
        theirs.grad = torch.from_numpy(trainer.last_gradient())
        optimizer.step()
    np.testing.assert_allclose(
        trainer.machine().weights, theirs.detach().numpy(), rtol=0, atol=2e-6
    )


def test_proximal_steps_end_where_the_penalized_likelihood_is_least():
    """For a quadratic: g = w - c, least at sign(c) max(|c| - λ, 0)."""
    settings = TrainingSettings(updates=4000, l1=0.3, learning_rate=0.01)
    c = np.linspace(-1, 1, 21, dtype=F32)
    w, mean, square = np.ones_like(c), np.zeros_like(c), np.zeros_like(c)
    for update in range(settings.updates):
        w, mean, square = reference_update(w, mean, square, w - c, settings, update)
    np.testing.assert_allclose(w, np.sign(c) * np.maximum(np.abs(c) - 0.3, 0), atol=2e-3)
    assert (w[np.abs(c) < 0.25] == 0).all()


@pytest.mark.parametrize(
    "machine", [free(20, 12, scale=0.1), tied(1, 4, 8), tied(2, 3, 8), tied(1, 2, 6)]
)
def test_torch_trains_as_our_kernels_do(machine):
    """Same random words, so the same chains, until rounding decides on a unit."""
    data = spins(60, machine.n_visible)
    settings = TrainingSettings(updates=8, batch=20, chains=37, gibbs_steps=2, l1=0.01)
    ours, theirs = on_cpu(machine, data, settings), by_torch(machine, data, settings)
    for update in range(8):
        rows = np.arange(20) + update
        assert ours.update(update, rows) == pytest.approx(theirs.update(update, rows), rel=1e-4)
        np.testing.assert_array_equal(ours.chains(), theirs.chains())
    for a, b in zip(ours.state().items(), theirs.state().items()):
        assert a[0] == b[0]
        if a[0] in ("weights", "mean", "square"):
            np.testing.assert_allclose(a[1], b[1], rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("machine", [free(20, 12), tied(2, 3, 8)])
@BOTH
def test_a_restored_trainer_goes_on_with_the_same_bits(machine, trainer_of):
    data = spins(60, machine.n_visible)
    settings = TrainingSettings(updates=6, batch=20, chains=37, gibbs_steps=2)
    trainer, other = trainer_of(machine, data, settings), trainer_of(machine, data, settings)
    for update in range(3):
        trainer.update(update, np.arange(20))
    other.restore(trainer.state())
    for update in range(3, 6):
        assert trainer.update(update, np.arange(20)) == other.update(update, np.arange(20))
    for name, array in trainer.state().items():
        np.testing.assert_array_equal(array, other.state()[name])


@pytest.mark.slow
@pytest.mark.parametrize("channels", [1, 2])
def test_tied_machine_trained_on_4_by_4_spins_is_as_good_as_the_exact_optimum(channels):
    p = ising(0.4, 4)
    start = TiedMachine(0.05 * np.random.default_rng(1).normal(size=(channels, 3, 3)), 4)

    def objective(kernels):
        machine = TiedMachine(kernels.reshape(start.kernels.shape), 4)
        return kullback_leibler(p, machine), kernel_gradient(machine, p).ravel()

    best = min(
        optimize.minimize(objective, start.kernels.ravel() * k, jac=True, method="BFGS").fun
        for k in (1, -4)
    )
    rng = np.random.default_rng(2)
    data = states(16)[rng.choice(len(p), size=20_000, p=p)]
    settings = TrainingSettings(updates=3000, batch=200, chains=200, learning_rate=1e-2)
    first = TiedMachine(start.kernels.astype(F32), 4)
    machine, _ = train(
        first, data[:19_000], data[19_000:], settings, seeds=Seeds(1, 2, 3), records=4
    )
    found = kullback_leibler(p, machine)
    assert best - 1e-6 <= found < best + 0.01


def test_free_machine_learns_a_ring_of_four_spins():
    v = states(4)
    p = np.exp(0.5 * (v * np.roll(v, 1, axis=1)).sum(axis=1))
    p /= p.sum()
    data = v[np.random.default_rng(3).choice(16, size=20_000, p=p)]
    settings = TrainingSettings(updates=2000, batch=200, chains=200, learning_rate=1e-2, start=0.1)
    start = free(4, 8, scale=0.1)
    before = kullback_leibler(p, start)
    machine, _ = train(start, data, data[:100], settings, seeds=Seeds(1, 2, 3), records=2)
    assert isinstance(machine, FreeMachine)
    assert kullback_leibler(p, machine) < 0.005 < before / 10
