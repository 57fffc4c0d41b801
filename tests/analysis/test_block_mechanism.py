"""The divergence of disjoint-block machines against enumeration, and its block against sampling."""

import itertools

import numpy as np
import pytest

from coarsegrain.analysis.block_mechanism import (
    STATES,
    Block,
    best_scale,
    block_classes,
    exact_block,
    independent_spins,
    measured_block,
    one_unit_per_block,
    product_of_blocks,
)
from coarsegrain.ising.critical_point import BETA_CRITICAL
from coarsegrain.ising.exact import energy_per_site, entropy
from coarsegrain.ising.observables import energy_per_site as energies_per_site
from coarsegrain.ising.sampler import sample_lattices
from coarsegrain.rbm.machine import FreeMachine, log_weight

# Sum over the four bonds / 4, by class of block.
BONDS = np.array([1, 0, 0, -1])

BETAS = [0.2, BETA_CRITICAL, 0.6]


@pytest.fixture(scope="module")
def states():
    """(65536, 4, 4): all states of a 4 x 4 lattice."""
    bits = np.arange(2**16)[:, None] >> np.arange(16) & 1
    return (1 - 2 * bits).astype(np.int8).reshape(-1, 4, 4)


def boltzmann(states, beta):
    weight = np.exp(-beta * 16 * energies_per_site(states))
    return weight / weight.sum()


def disjoint_machine(scale, L=4):
    weights = np.zeros((L, L, L // 2, L // 2))
    for row, col in itertools.product(range(L), repeat=2):
        weights[row, col, row // 2, col // 2] = scale
    return FreeMachine(weights.reshape(L * L, -1))


def divergence(p, log_q):
    return float((p * (np.log(p) - log_q)).sum())


def distribution(machine, states):
    log_q = log_weight(machine, states)
    return log_q - np.log(np.exp(log_q - log_q.max()).sum()) - log_q.max()


def test_the_classes_of_blocks_are_those_of_plain_python():
    spins = np.random.default_rng(1).choice(np.array([-1, 1], np.int8), (3, 6, 6))
    shares = block_classes(spins)
    for lattice, found in zip(spins, shares):
        counts = np.zeros(4)
        for i, j in itertools.product(range(6), repeat=2):
            a, b = lattice[i, j], lattice[i, (j + 1) % 6]
            c, d = lattice[(i + 1) % 6, j], lattice[(i + 1) % 6, (j + 1) % 6]
            total = abs(int(a) + b + c + d)
            counts[{4: 0, 2: 1}.get(total, 3 if a == d else 2)] += 1
        np.testing.assert_allclose(found, counts / 36)


def test_the_classes_hold_all_states_of_a_block():
    blocks = 1 - 2 * (np.arange(16)[:, None] >> np.arange(4) & 1).reshape(-1, 2, 2)
    total = abs(blocks.sum(axis=(1, 2)))
    opposite = (total == 0) & (blocks[:, 0, 0] == blocks[:, 1, 1])
    counts = [(total == 4).sum(), (total == 2).sum(), ((total == 0) & ~opposite).sum(),
              opposite.sum()]  # fmt: skip
    assert counts == list(STATES)


@pytest.mark.parametrize("beta", BETAS)
def test_the_exact_block_is_that_of_enumeration(states, beta):
    enumerated = (boltzmann(states, beta)[:, None] * block_classes(states)).sum(axis=0)
    np.testing.assert_allclose(exact_block(beta, 4).shares, enumerated, rtol=1e-12)


@pytest.mark.parametrize("L", [4, 6, 8])
def test_the_bonds_of_an_exact_block_are_kaufmans(L):
    for beta in BETAS:
        bond = (exact_block(beta, L).shares * BONDS).sum()
        assert bond == pytest.approx(-energy_per_site(beta, L) / 2, rel=1e-12)


def test_sides_beyond_the_transfer_matrix_are_refused():
    with pytest.raises(ValueError, match="L is 16"):
        exact_block(0.4, 16)


@pytest.mark.parametrize("beta", BETAS)
def test_the_entropy_is_that_of_enumeration(states, beta):
    p = boltzmann(states, beta)
    assert entropy(beta, 4) == pytest.approx(-(p * np.log(p)).sum(), rel=1e-12)
    assert independent_spins(beta, 4).nats == pytest.approx(
        divergence(p, np.full(len(p), -16 * np.log(2))), rel=1e-10
    )


@pytest.mark.parametrize("beta", BETAS)
@pytest.mark.parametrize("scale", [0.1, 0.4, 1.0])
def test_the_divergence_of_a_disjoint_machine_is_that_of_enumeration(states, beta, scale):
    log_q = distribution(disjoint_machine(scale), states)
    enumerated = divergence(boltzmann(states, beta), log_q)
    assert one_unit_per_block(exact_block(beta, 4), scale, beta, 4).nats == pytest.approx(
        enumerated, rel=1e-10
    )


@pytest.mark.parametrize("beta", BETAS)
def test_the_bound_is_that_of_the_product_of_enumerated_marginals(states, beta):
    p = boltzmann(states, beta)
    index = sum(
        (states[:, i, j] > 0).astype(int) << k
        for k, (i, j) in enumerate(itertools.product((0, 1), repeat=2))
    )
    marginal = np.bincount(index, weights=p, minlength=16)
    log_q = np.zeros(len(p))
    for row, col in itertools.product((0, 2), repeat=2):
        block = np.roll(states, (-row, -col), axis=(1, 2))
        at = sum(
            (block[:, i, j] > 0).astype(int) << k
            for k, (i, j) in enumerate(itertools.product((0, 1), repeat=2))
        )
        log_q += np.log(marginal[at])
    found = product_of_blocks(exact_block(beta, 4), beta, 4)
    assert found.nats == pytest.approx(divergence(p, log_q), rel=1e-10)


@pytest.mark.parametrize("beta", BETAS)
@pytest.mark.parametrize("L", [4, 8])
def test_the_best_scale_is_best_and_does_not_beat_the_bound(beta, L):
    block = exact_block(beta, L)
    best = best_scale(block)
    least = one_unit_per_block(block, best, beta, L).nats
    for scale in np.linspace(0, 3, 301):
        assert one_unit_per_block(block, scale, beta, L).nats >= least - 1e-12
    assert least >= product_of_blocks(block, beta, L).nats > 0


def test_no_weights_of_a_disjoint_machine_beat_the_bound(states):
    p, bound = boltzmann(states, BETA_CRITICAL), product_of_blocks(
        exact_block(BETA_CRITICAL, 4), BETA_CRITICAL, 4
    )  # fmt: skip
    rng = np.random.default_rng(5)
    for _ in range(20):
        machine = disjoint_machine(1.0)
        uneven = FreeMachine(machine.weights * rng.normal(0.5, 0.3, machine.weights.shape))
        assert divergence(p, distribution(uneven, states)) > bound.nats


def test_a_disjoint_machine_has_no_coupling_between_blocks(states):
    q = np.exp(distribution(disjoint_machine(0.5), states))
    flat = states.reshape(len(states), -1).astype(float)
    correlation = ((q[:, None] * flat).T @ flat).reshape(4, 4, 4, 4)
    for i, j, k, m in itertools.product(range(4), repeat=4):
        if (i // 2, j // 2) != (k // 2, m // 2):
            assert correlation[i, j, k, m] == pytest.approx(0, abs=1e-12)
    # given its unit, spins of a block are independent, each with the mean ± tanh W₀
    assert correlation[0, 0, 0, 1] == pytest.approx(np.tanh(0.5) ** 2)


def test_the_normalizer_is_all_that_is_missing(states):
    """Its sum over h of Ising times kernel gives the Ising model back, and RBM units do not."""
    p, W0 = boltzmann(states, BETA_CRITICAL), 0.5
    block = states[:, :2, :2].sum(axis=(1, 2), dtype=int)
    kernel = [np.exp(W0 * h * block) / (2 * np.cosh(W0 * block)) for h in (1, -1)]
    np.testing.assert_allclose(p * kernel[0] + p * kernel[1], p, rtol=1e-14)
    without = p * np.exp(W0 * block) + p * np.exp(-W0 * block)
    assert divergence(p, np.log(without / without.sum())) > 0.01


@pytest.mark.parametrize("beta", [0.3, BETA_CRITICAL])
def test_measured_blocks_and_divergences_agree_with_exact_ones_within_their_errors(beta):
    scores = []
    for seed in range(12):
        block = measured_block(sample_lattices(np.full(300, beta), 8, seed=seed), beta)
        assert (
            block.shares * [1, 0, 0, -1]
        ).sum()  # bonds, by class == pytest.approx(-energy_per_site(beta, 8) / 2)
        assert block.shares.sum() == pytest.approx(1)
        exact = exact_block(beta, 8)
        for estimate, known in (
            (product_of_blocks(block, beta, 8), product_of_blocks(exact, beta, 8)),
            (one_unit_per_block(block, 0.5, beta, 8), one_unit_per_block(exact, 0.5, beta, 8)),
        ):
            scores.append((estimate.nats - known.nats) / estimate.std_error)
    assert abs(np.array(scores)).max() < 4
    bound = np.array(scores[::2])  # twelve independent ones
    assert abs((bound**2).mean() - 1) < 4 * (2 / len(bound)) ** 0.5


def test_the_energy_makes_the_measured_bound_more_precise():
    spins = sample_lattices(np.full(400, BETA_CRITICAL), 8, seed=3)
    raw = block_classes(spins)
    plain = product_of_blocks(Block(raw.mean(axis=0), raw), BETA_CRITICAL, 8)
    freed = product_of_blocks(measured_block(spins, BETA_CRITICAL), BETA_CRITICAL, 8)
    assert freed.std_error < plain.std_error / 5


def test_equal_lattices_have_a_block_all_the_same():
    block = measured_block(np.ones((3, 4, 4), np.int8), 2.0)
    np.testing.assert_array_equal(block.shares, [1, 0, 0, 0])
    assert np.isfinite(product_of_blocks(block, 2.0, 4).nats)
