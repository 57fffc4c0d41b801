"""Exact samples: bit for bit those of plain read-once coupling from the past, and exact.

Statistical comparisons are two-sided at fixed seeds. There are at most 100 of them in this file,
each at the level 1e-6: a correct sampler fails any of them with probability < 1e-4.
"""

import subprocess
import sys

import numpy as np
import plain_sampler
import pytest
from test_sampler import (
    Z_MAX,
    assert_chi_square,
    assert_is_standard_normal,
    pooled,
    z_of_energy,
    z_of_heat_capacity,
)

from coarsegrain.ising.observables import energy_per_site, magnetization, magnetization_squared
from coarsegrain.ising.sampler import block_sweeps, sample_lattices
from coarsegrain.ising.sampler import coupling as coupling_module
from coarsegrain.ising.sampler.coalescence import expected_sweeps
from coarsegrain.ising.sampler.coupling import sample_exactly
from coarsegrain.ising.sampler.layout import LANES, pack_spins, row_layout, unpack_spins
from coarsegrain.ising.sampler.monotone import monotone_sweep
from coarsegrain.ising.sampler.thresholds import thresholds

U64 = np.uint64


def sample(betas, L, **arguments):
    return sample_lattices(betas, L, method="exact", **arguments)


def samples_and_sweeps(betas, L, seed, first_lattice=0):
    return sample_exactly(
        np.asarray(betas, dtype=float), first_lattice, U64(seed), U64(0), row_layout(L)
    )


def swept(spins: np.ndarray, beta: float, sweeps: range, seed: int) -> np.ndarray:
    """Chains of lattices (chains, LANES, L, L), after these sweeps with the same randoms."""
    layout = row_layout(spins.shape[-1])
    chains = np.zeros((len(spins), layout.word_rows, layout.words_per_row, LANES), U64)
    for packed, chain in zip(chains, spins):
        pack_spins(chain, packed[None], layout)
    t = thresholds(np.full(LANES, beta))
    lattice = np.arange(LANES, dtype=U64)
    for k in sweeps:
        sweep = np.full(LANES, k, dtype=U64)
        monotone_sweep(chains, t.against_2, t.against_4, sweep, lattice, U64(seed), U64(0), layout)
    result = np.empty_like(spins)
    for packed, chain in zip(chains, result):
        unpack_spins(packed[None], chain, layout)
    return result


# The definition


@pytest.mark.parametrize(("L", "betas"), [(4, (0.0, 0.1, 0.4352)), (6, (0.3,))])
def test_exact_samples_are_those_of_plain_read_once_coupling(L, betas):
    seed, first = 0xFEDCBA9876543210, 1000
    spins = sample(betas, L, seed=seed, first_lattice=first)
    for i, (beta, *against) in enumerate(zip(betas, *(t.tolist() for t in thresholds(betas)[1:]))):
        plain, _ = plain_sampler.couple_from_the_past(
            L, first + i, seed, block_sweeps(beta, L), *against
        )
        np.testing.assert_array_equal(spins[i], plain, err_msg=f"β = {beta}")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("L", "betas"), [(4, [0.5] * 6), (6, [0.4352] * 3), (34, [0.1, 0.2]), (66, [0.1])]
)
def test_more_exact_samples_are_those_of_plain_read_once_coupling(L, betas):
    spins, sweeps = samples_and_sweeps(betas, L, seed=3)
    for i, (beta, *against) in enumerate(zip(betas, *(t.tolist() for t in thresholds(betas)[1:]))):
        block = block_sweeps(beta, L)
        plain, end = plain_sampler.couple_from_the_past(L, i, 3, block, *against)
        np.testing.assert_array_equal(spins[i], plain)
        assert end - 1 - block < sweeps[i] <= end - 1  # the last block is left once it is decided


@pytest.mark.parametrize("h", [-4, -2, 0, 2, 4])
def test_plain_update_is_the_heat_bath(h):
    # T(2) and T(4) as multiples of 2⁶¹, so that eight values of V stand for all
    against = {0: 4, 2: 3, 4: 1}
    t = [against[k] << 61 for k in (2, 4)]
    ups = sum(
        plain_sampler.monotone_update(h, coin, v << 61, *t) == 1
        for coin in (0, 1)
        for v in range(4)
    )
    probability = against[abs(h)] / 8
    assert ups / 8 == (1 - probability if h >= 0 else probability)


@pytest.mark.parametrize(("L", "beta"), [(4, 0.6), (6, 0.0), (10, 0.4352), (32, 0.3), (66, 0.44)])
def test_sweeps_keep_the_order_of_states(L, beta):
    rng = np.random.default_rng(L)
    lower = rng.choice(np.array([-1, 1], np.int8), size=(LANES, L, L))
    upper = np.maximum(
        lower, rng.choice(np.array([-1, 1], np.int8), p=[0.9, 0.1], size=lower.shape)
    )
    ends = np.stack([np.full_like(lower, -1), lower, upper, np.ones_like(lower)])
    for last in (1, 2, 5):
        after = swept(ends, beta, range(1, last + 1), seed=7)
        assert (np.diff(after, axis=0) >= 0).all()
    if beta > 0:
        assert (after[1] != after[2]).any()  # or nothing would have been compared


def test_a_chain_moves_as_it_would_alone():
    rng = np.random.default_rng(1)
    spins = rng.choice(np.array([-1, 1], np.int8), size=(3, LANES, 12, 12))
    together = swept(spins, 0.4, range(4), seed=5)
    for chain, alone in zip(together, spins):
        np.testing.assert_array_equal(swept(alone[None], 0.4, range(4), seed=5)[0], chain)


# What a lattice depends on


@pytest.mark.parametrize("L", [6, 32, 34, 66])
def test_an_exact_lattice_depends_on_its_number_and_not_on_its_company(L):
    betas = np.linspace(0.0, 0.36, 150)
    spins = sample(betas, L, seed=8)
    for start, stop in ((3, 7), (0, 1), (61, 131), (149, 150)):
        part = sample(betas[start:stop], L, seed=8, first_lattice=start)
        np.testing.assert_array_equal(part, spins[start:stop])
    company = np.full(150, 0.3)
    company[77] = betas[77]
    np.testing.assert_array_equal(sample(company, L, seed=8)[77], spins[77])


def test_calls_of_the_kernel_do_not_show(monkeypatch):
    betas = np.full(300, 0.4)
    reported = []
    spins = sample(betas, 16, seed=8, progress=reported.append)
    assert reported == [300]
    monkeypatch.setattr(coupling_module, "_SPIN_UPDATES_PER_CALL", 97 * LANES * 16**2)
    np.testing.assert_array_equal(sample(betas, 16, seed=8, progress=reported.append), spins)
    assert len(reported) > 3
    assert reported[1:] == sorted(set(reported[1:]))
    assert reported[-1] == 300


def test_methods_and_seeds_share_no_random_numbers():
    betas = np.full(200, 0.2)
    hybrid = sample_lattices(betas, 16, seed=1)
    np.testing.assert_array_equal(sample_lattices(betas, 16, seed=1, method="hybrid"), hybrid)
    one, two = sample(betas, 16, seed=1), sample(betas, 16, seed=2)
    for other in (hybrid, two):
        overlap = (one * other).mean(axis=(1, 2))
        assert_is_standard_normal(overlap.mean() / overlap.std() * np.sqrt(200))


def test_consecutive_exact_lattices_are_uncorrelated():
    spins = sample(np.full(20_000, 0.4352), 8, seed=12)
    for values in (magnetization(spins), energy_per_site(spins)):
        x = (values - values.mean()) / values.std()
        for lag in (1, 8, 64):
            assert_is_standard_normal((x[:-lag] * x[lag:]).mean() * np.sqrt(len(x) - lag))


def test_a_run_takes_no_notice_of_what_it_samples():
    # The first coalescing block and the sample come before the block that ends the run: how long
    # that one takes is independent of the energy.
    spins, sweeps = samples_and_sweeps(np.full(20_000, 0.4352), 8, seed=13)
    last = (sweeps - 1) % block_sweeps(0.4352, 8)
    assert_is_standard_normal(np.corrcoef(last, energy_per_site(spins))[0, 1] * np.sqrt(len(spins)))


# The distribution


@pytest.mark.slow
@pytest.mark.parametrize("beta", [0.01, 0.2, 0.4352, 0.5])
def test_all_states_of_4x4_exact_lattices_have_their_boltzmann_frequencies(beta):
    n = 400_000
    bits = (1 - 2 * ((np.arange(2**16)[:, None] >> np.arange(16)) & 1)).astype(np.int8)
    states = bits.reshape(-1, 4, 4)
    energy = energy_per_site(states) * 16
    weight = np.exp(-beta * (energy - energy.min()))
    expected = n * weight / weight.sum()

    index = (sample(np.full(n, beta), 4, seed=44).reshape(n, 16) < 0) @ (1 << np.arange(16))
    observed = np.bincount(index, minlength=2**16).astype(float)
    assert_chi_square(*pooled(observed, expected))

    moment = states.sum(axis=(1, 2), dtype=int)
    _, classes = np.unique(np.stack([energy, moment]), axis=1, return_inverse=True)
    assert_chi_square(*pooled(np.bincount(classes, observed), np.bincount(classes, expected)))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("L", "beta", "n"),
    [(8, 0.2, 100_000), (8, 0.4352, 100_000), (8, 0.48, 50_000), (16, 0.3, 50_000),
     (16, 0.4352, 30_000), (16, 0.4407, 20_000), (32, 0.2, 20_000), (32, 0.4, 10_000),
     (32, 0.4352, 6_000), (32, 0.4407, 1_500), (6, 0.4352, 50_000), (34, 0.4, 4_000),
     (66, 0.35, 1_000)]
)  # fmt: skip
def test_energy_heat_capacity_and_symmetry_of_exact_lattices(L, beta, n):
    spins = sample(np.full(n, beta), L, seed=20 + L)
    energies, m = energy_per_site(spins), magnetization(spins)
    assert_is_standard_normal(z_of_energy(energies, beta, L))
    assert_is_standard_normal(z_of_heat_capacity(energies, beta, L))
    assert_is_standard_normal(m.sum() / np.sqrt((m**2).sum()))
    assert_is_standard_normal(np.sign(m).sum() / np.sqrt(np.count_nonzero(m)))
    if (L, beta) == (32, 0.4352):
        m2 = magnetization_squared(spins)
        error = np.hypot(m2.std() / np.sqrt(n), 0.00025)
        assert_is_standard_normal((m2.mean() - 0.37164) / error)


def test_forward_coupling_would_be_seen():
    """The wrong scheme: the state at the moment of coalescence, instead of before the next."""
    beta, n, L = 0.4, 60, 6
    energies = []
    for seed in range(n):
        chains = np.stack([np.ones((LANES, L, L), np.int8), np.full((LANES, L, L), -1, np.int8)])
        waiting, sweep = np.ones(LANES, bool), 0
        while waiting.any():
            chains = swept(chains, beta, range(sweep, sweep + 1), seed)
            sweep += 1
            together = (chains[0] == chains[1]).all(axis=(1, 2))
            energies.extend(energy_per_site(chains[0])[waiting & together])
            waiting &= ~together
    assert abs(z_of_energy(np.array(energies), beta, L)) > Z_MAX
    right = energy_per_site(sample(np.full(n * LANES, beta), L, seed=6))
    assert_is_standard_normal(z_of_energy(right, beta, L))


# Where it is refused


@pytest.mark.parametrize(
    ("L", "beta"), [(32, 0.46), (32, 0.6), (64, 0.45), (128, 0.445), (8, 0.6), (4, 5.0)]
)
def test_exact_samples_that_would_not_end_are_refused_with_a_reason(L, beta):
    sentence = (
        rf"betas\[1\]: exact sampling at L = {L}, β = {beta} would take .* sweeps per lattice.*"
        'use method="hybrid"'
    )
    with pytest.raises(ValueError, match=sentence):
        sample([0.2, beta], L, seed=1)


@pytest.mark.parametrize(
    ("L", "beta"), [(4, 0.6), (8, 0.5), (16, 0.46), (32, 0.4352), (32, 0.445), (64, 0.44)]
)
def test_exact_samples_that_end_are_not_refused(L, beta):
    assert block_sweeps(beta, L) >= 1


def test_a_block_coalesces_with_a_fair_chance():
    """Or runs would be many short blocks, or few far too long ones."""
    for L, beta in ((8, 0.2), (8, 0.4352), (16, 0.4), (32, 0.3)):
        _, sweeps = samples_and_sweeps(np.full(500, beta), L, seed=2)
        blocks = np.ceil(sweeps / block_sweeps(beta, L)).mean()
        assert 2 <= blocks < 2 / 0.3


@pytest.mark.parametrize(
    ("L", "beta"), [(4, 0.2), (4, 0.6), (8, 0.0), (8, 0.4352), (8, 0.5), (16, 0.45), (32, 0.4)]
)
def test_expected_sweeps_are_right_to_a_factor_of_two(L, beta):
    _, sweeps = samples_and_sweeps(np.full(400, beta), L, seed=2)
    assert 0.5 < sweeps.mean() / expected_sweeps(beta, L) < 2


def test_a_longer_block_for_larger_and_colder_lattices():
    for L in (4, 6, 8, 16, 32, 48):
        blocks = [block_sweeps(beta, L) for beta in np.linspace(0, 0.445, 200).tolist()]
        assert blocks == sorted(blocks)
        assert blocks[0] == 1
    for beta in (0.1, 0.3, 0.4, 0.4352):
        blocks = [block_sweeps(beta, L) for L in range(4, 66, 2)]
        assert blocks == sorted(blocks)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"method": "coupling"}, "method is 'coupling'; it must be"),
        ({"steps": 5}, "steps has no meaning for exact samples"),
        ({"L": 5}, "L is 5"),
        ({"betas": [0.1, -0.2]}, r"betas\[1\] is -0.2"),
        ({"seed": -1}, "seed is -1"),
    ],
)
def test_bad_arguments_of_exact_sampling_are_named(change, sentence):
    arguments = {"betas": [0.4], "L": 8, "seed": 1, "method": "exact", **change}
    with pytest.raises(ValueError, match=sentence):
        sample_lattices(**arguments)


# What is imported


def run_python(code: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": str(next(p for p in map(str, sys.path) if p.endswith("workflow")))},
    ).stdout.strip()


def test_sample_lattices_is_importable_from_the_ising_package():
    code = "from coarsegrain.ising import sample_lattices, equilibration_steps as s; print(s(32))"
    assert run_python(code) == "50"


def test_exact_results_are_importable_without_a_compiler():
    code = "import sys, coarsegrain.ising.exact; print('numba' in sys.modules)"
    assert run_python(code) == "False"
    with pytest.raises(ImportError):
        from coarsegrain.ising import no_such_thing  # noqa: F401
