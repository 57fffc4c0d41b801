"""Correct lattices get a certificate; lattices of broken samplers do not.

Everything is at fixed seeds. A correct set fails with probability 1e-6.
"""

from itertools import pairwise

import numpy as np
import pytest
from scipy import stats

from coarsegrain.analysis.certificate import FAMILY_LEVEL, Certificate, certify
from coarsegrain.analysis.energy_tests import beta_bins, energies_and_their_law
from coarsegrain.analysis.lattice_check import Check, random_signs_z, skewed_p
from coarsegrain.ising.density_of_states import energy_levels, log_density_of_states
from coarsegrain.ising.sampler import equilibration_steps, sample_lattices
from coarsegrain.ising.sampler.chains import advance, cold_start
from coarsegrain.ising.sampler.heat_bath import heat_bath_sweep
from coarsegrain.ising.sampler.lattices import thresholds_by_lane
from coarsegrain.ising.sampler.layout import LANES, row_layout, unpack_spins
from coarsegrain.ising.sampler.wolff import wolff_step

PAPER = 0.4352
ZERO = np.uint64(0)


def critical(n):
    return np.full(n, PAPER)


def wide_range(n, seed=1):
    return np.random.default_rng(seed).uniform(0.01, 0.6, n)


def grid(n, betas=20):
    return np.repeat(np.linspace(0.025, 0.5, betas), n // betas)


KINDS = {"critical": critical, "wide_range": wide_range, "grid": grid}


def certified(spins, betas, steps=None):
    needed = equilibration_steps(spins.shape[1])
    return certify(spins, betas, steps=needed if steps is None else steps, steps_needed=needed)


def p_values(certificate):
    return {test.name: test.p_value for test in certificate.tests}


def failed(certificate):
    return {test.name for test in certificate.failures}


# --- correct lattices --------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("L", "n"), [(4, 4000), (8, 4000), (16, 10_000), (32, 10_000)])
def test_correct_lattices_pass(kind, L, n):
    for seed in range(3):
        betas = KINDS[kind](n)
        made = certified(sample_lattices(betas, L, seed=seed), betas)
        assert made.passed, made.failures


@pytest.mark.parametrize("n", [2, 5, 40, 201])
@pytest.mark.parametrize("kind", ["critical", "wide_range"])
def test_small_sets_pass(kind, n):
    for seed in range(20):
        betas = KINDS[kind](n, *([seed] if kind == "wide_range" else []))
        made = certified(sample_lattices(betas, 8, seed=seed), betas)
        assert made.passed, made.failures


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_p_values_of_correct_lattices_are_uniform_or_larger(kind):
    sets = 300
    found: dict[str, list[float]] = {}
    for seed in range(sets):
        betas = KINDS[kind](400)
        for name, p in p_values(
            certified(sample_lattices(betas, 8, seed=1000 + seed), betas)
        ).items():
            found.setdefault(name, []).append(p)
    found.pop("steps")
    assert len(found) >= 12
    for name, values in found.items():
        # one-sided: coins, discrete counts and Bonferroni's sums may be larger than uniform
        p = stats.kstest(values, "uniform", alternative="greater").pvalue
        assert p > 1e-5, f"{name}: {p}"
    for name in ("energy", "heat capacity", "magnetization", "rows against columns"):
        assert stats.kstest(found[name], "uniform").pvalue > 1e-5, name


# --- the exact law -----------------------------------------------------------------------------


@pytest.mark.parametrize("beta", [0.05, PAPER, 0.6])
@pytest.mark.parametrize("quantity", ["energy", "heat capacity"])
def test_tails_are_those_of_the_exact_law_where_it_is_least_normal(beta, quantity):
    # 200 lattices 4x4: the law of the sum, by Fourier transform of the exact law of one
    n, levels = 200, energy_levels(4)
    weight = np.exp(log_density_of_states(4, beta, beta) + beta * levels)
    weight /= weight.sum()
    values = levels - weight @ levels
    if quantity == "heat capacity":
        values = values**2
        values = values - weight @ values
    values = values / np.sqrt(weight @ values**2)
    skewness = weight @ values**3 / np.sqrt(n)
    step = np.sqrt(n) / 400
    steps = np.rint(values / step).astype(int)
    one = np.bincount(steps % 2**18, weight, 2**18)
    law = np.clip(np.fft.irfft(np.fft.rfft(one) ** n, 2**18), 0, None)
    tails = {
        +1: np.cumsum(law[: 2**17][::-1])[::-1],
        -1: np.cumsum(law[: -(2**17) : -1][::-1])[::-1],
    }
    for sign, tail in tails.items():
        for z in (2.0, 4.0, 6.0):
            exact, told = 2 * tail[int(np.ceil(z * 400))], skewed_p(sign * z, skewness)
            if exact > 1e-12:
                assert exact < 10 * told, (sign * z, exact, told)
                heavy = sign * skewness > 0
                assert exact > 0.1 * told or not heavy, (sign * z, exact, told)


def test_positions_in_the_exact_energy_distribution_are_uniform():
    for betas in (critical(20_000), wide_range(20_000)):
        spins = sample_lattices(betas, 8, seed=7)
        uniform = energies_and_their_law(spins, betas).uniform
        assert ((uniform > 0) & (uniform < 1)).all()
        assert stats.kstest(uniform, "uniform").pvalue > 1e-6


def test_bins_hold_every_lattice_once_and_keep_a_beta_together():
    for betas in (critical(500), wide_range(5000), grid(4000, 40), grid(200, 20), critical(3)):
        bins = beta_bins(betas)
        np.testing.assert_array_equal(np.sort(np.concatenate(bins)), np.arange(len(betas)))
        assert min(map(len, bins)) >= min(200, len(betas))
        assert len(bins) <= 20
        for one, other in pairwise(bins):
            assert betas[one].max() < betas[other].min()


def test_signs_of_zeros_say_nothing():
    assert random_signs_z(np.zeros(5)) == 0


# --- the verdict -------------------------------------------------------------------------------


def test_a_single_test_below_the_level_over_their_number_fails_the_set():
    fine = [Check("a", 0.1, 0.2, 1.0, 0.3)] * 9
    edge = FAMILY_LEVEL / 10
    assert Certificate((*fine, Check("b", 0.1, 0.2, 5.0, 1.01 * edge))).passed
    made = Certificate((*fine, Check("b", 0.1, 0.2, 5.0, 0.99 * edge)))
    assert not made.passed
    assert failed(made) == {"b"}


def test_the_family_wise_level_is_one_in_a_million_and_no_setting():
    assert FAMILY_LEVEL == 1e-6
    with pytest.raises(TypeError):
        certify(np.ones((2, 4, 4), np.int8), critical(2), steps=None, steps_needed=1, level=1)


def test_fewer_steps_than_needed_fail_whatever_the_lattices_look_like():
    betas = critical(500)
    spins = sample_lattices(betas, 8, seed=1)
    needed = equilibration_steps(8)
    assert certified(spins, betas, steps=needed).passed
    assert failed(certified(spins, betas, steps=needed - 1)) == {"steps"}


def test_exact_samples_have_no_test_of_steps():
    betas = np.full(300, 0.2)
    spins = sample_lattices(betas, 8, seed=1, method="exact")
    made = certify(spins, betas, steps=None, steps_needed=16)
    assert made.passed
    assert "steps" not in p_values(made)


@pytest.mark.parametrize(
    ("spins", "betas", "sentence"),
    [
        (np.ones((5, 4, 8), np.int8), np.full(5, 0.4), "shape"),
        (np.ones((1, 4, 4), np.int8), np.full(1, 0.4), "at least two"),
        (np.ones((5, 4, 4), np.int8), np.full(4, 0.4), "a beta for each"),
        (np.zeros((5, 4, 4), np.int8), np.full(5, 0.4), "neither"),
        (np.ones((5, 4, 4), np.int8), np.full(5, 0.0), "between 0 and 1"),
    ],
)
def test_what_is_no_set_of_lattices_is_told(spins, betas, sentence):
    with pytest.raises(ValueError, match=sentence):
        certify(spins, betas, steps=None, steps_needed=1)


# --- broken samplers, at the size of the laptop's sets -------------------------------------------


def chains(n, L, seed, *, bond=PAPER, heat_bath=PAPER, steps=50, hot=False, sweeps=True, every=0):
    """Lattices from the library's kernels, put together wrongly.

    ``every``: one chain per lane, of which every so many steps are taken as a lattice.
    """
    layout = row_layout(L)
    groups = -(-n // LANES)
    right = thresholds_by_lane(np.full(n, heat_bath))
    wrong = right._replace(bond=thresholds_by_lane(np.full(n, bond)).bond)
    words = np.empty((groups, layout.word_rows, layout.words_per_row, LANES), dtype=np.uint64)
    k = np.uint64(seed)
    cold_start(words, ZERO, k, ZERO, layout)
    if hot:
        random = np.random.default_rng(seed).integers(0, 2**64, words.shape, dtype=np.uint64)
        words[:] = random & layout.sites[:, None]
    work = np.empty((layout.word_rows + 1, layout.words_per_row, LANES), dtype=np.uint64)
    if sweeps:
        advance(words, wrong, ZERO, 1, steps, k, ZERO, layout)
    else:
        for group in range(groups):
            for step in range(1, steps + 1):
                first = np.uint64(group * LANES)
                wolff_step(
                    words[group], work[:-1].copy(), work.copy(), work[:-1].copy(),
                    wrong.bond[group], np.uint64(step), first, k, ZERO, layout,
                )  # fmt: skip
    spins = np.empty((n, L, L), dtype=np.int8)
    unpack_spins(words, spins, layout)
    return spins


def test_the_kernels_put_together_rightly_pass():
    assert certified(chains(5000, 32, 3), critical(5000)).passed


@pytest.mark.parametrize("factor", [0.99, 1.01])
@pytest.mark.parametrize("wrong", ["bond", "heat_bath"])
def test_a_threshold_off_by_one_percent_is_caught(wrong, factor):
    spins = chains(10_000, 32, 4, **{wrong: factor * PAPER})
    assert "energy" in failed(certified(spins, critical(10_000)))


@pytest.mark.parametrize("kind", KINDS)
def test_beta_off_by_one_percent_is_caught(kind):
    betas = KINDS[kind](10_000)
    made = certified(sample_lattices(1.01 * betas, 32, seed=5), betas)
    assert "energy" in failed(made)


@pytest.mark.parametrize("steps", [3, 10])
def test_too_few_steps_are_caught_even_if_the_file_says_otherwise(steps):
    spins = sample_lattices(critical(10_000), 32, seed=6, steps=steps)
    assert {"energy", "energy distribution"} & failed(certified(spins, critical(10_000)))


def test_wolff_steps_alone_from_a_hot_start_are_caught():
    spins = chains(2000, 32, 7, hot=True, sweeps=False, steps=51)
    made = certified(spins, critical(2000), steps=51)
    assert {"energy", "energy distribution"} <= failed(made)


@pytest.mark.parametrize("kind", KINDS)
def test_pairs_of_lattices_with_the_same_random_numbers_are_caught(kind):
    betas = KINDS[kind](10_000)
    spins = np.empty((10_000, 32, 32), dtype=np.int8)
    spins[::2] = sample_lattices(betas[::2], 32, seed=8)
    spins[1::2] = sample_lattices(betas[1::2], 32, seed=8)
    assert not certified(spins, betas).passed


@pytest.mark.parametrize("shards", [2, 3, 8])
def test_shards_with_the_same_random_numbers_are_caught(shards):
    betas = wide_range(9600)
    parts = [sample_lattices(part, 32, seed=9) for part in np.split(betas, shards)]
    made = certified(np.concatenate(parts), betas)
    assert "energies of pairs" in failed(made)


def test_random_numbers_shared_after_a_while_are_caught():
    # neighbours start apart and then see the same heat bath: equal up to what they forgot
    betas = critical(10_000)
    layout = row_layout(32)
    spins = sample_lattices(betas, 32, seed=10).copy()
    pairs = spins[1::2]
    words = np.empty((len(pairs) // LANES + 1, 16, 1, LANES), dtype=np.uint64)
    assert layout.word_rows == 16
    by_lane = thresholds_by_lane(betas[: len(pairs)])
    cold_start(words, ZERO, np.uint64(10), ZERO, layout)
    advance(words, by_lane, ZERO, 1, 50, np.uint64(10), ZERO, layout)
    unpack_spins(words, spins[::2], layout)
    for group in range(len(words)):  # one sweep on
        heat_bath_sweep(
            words[group], by_lane.against_2[group], by_lane.against_4[group], np.uint64(51),
            np.uint64(group * LANES), np.uint64(10), ZERO, layout,
        )  # fmt: skip
    unpack_spins(words, pairs, layout)
    assert {"overlap", "squared overlap"} <= failed(certified(spins, betas))


def test_a_sign_that_never_flips_is_caught():
    spins = sample_lattices(critical(10_000), 32, seed=11)
    spins *= np.where(spins.sum(axis=(1, 2)) < 0, -1, 1).astype(np.int8)[:, None, None]
    made = failed(certified(spins, critical(10_000)))
    assert {"sign of the magnetization", "magnetization", "overlap", "every site"} <= made


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("sign", [1, -1])
def test_a_single_repeated_lattice_is_caught(kind, sign):
    betas = KINDS[kind](10_000)
    spins = sample_lattices(betas, 32, seed=12)
    hot = int(np.argsort(betas, kind="stable")[len(betas) // 3])
    spins[-1] = sign * spins[hot]
    assert "repeated lattices" in failed(certified(spins, betas))


def test_lattices_repeated_at_low_temperature_are_not_held_against_them():
    betas = np.full(2000, 0.59)
    spins = sample_lattices(betas, 4, seed=13)
    assert len(np.unique(spins.reshape(2000, -1), axis=0)) < 1000
    assert certified(spins, betas).passed


def test_a_column_that_is_never_updated_is_caught():
    spins = sample_lattices(critical(10_000), 32, seed=14)
    spins[:, :, 5] = np.roll(spins[:, :, 5], 1, axis=0)  # stale: that of the lattice before
    assert "every bond" in failed(certified(spins, critical(10_000)))


def test_an_anisotropic_coupling_is_caught():
    betas = critical(10_000)
    spins = sample_lattices(betas, 32, seed=15)
    # one sweep of bond flips that favours horizontal neighbours
    broken = spins.copy()
    broken[:, ::8, :] = np.sign(2 * np.roll(spins[:, ::8, :], 1, axis=2) + spins[:, ::8, :])
    assert "rows against columns" in failed(certified(broken, betas))
