"""Thermometer R against enumeration, and against thermometer E on Ising lattices."""

import numpy as np
import pytest

from coarsegrain.analysis.distant_thermometer import (
    DistantThermometer,
    correlation_length,
    log_wave_ratio,
    long_waves,
)
from coarsegrain.analysis.exact_thermometer import exact_beta
from coarsegrain.ising.observables import energy_per_site
from coarsegrain.ising.sampler import sample_lattices

GRID = np.linspace(0.05, 0.6, 23)
BETAS = np.array([0.25, 0.35, 0.4, 0.44, 0.48])
SETS, LATTICES = 12, 200


@pytest.fixture(scope="module")
def states():
    bits = np.arange(2**16)[:, None] >> np.arange(16) & 1
    return (1 - 2 * bits).astype(np.int8).reshape(-1, 4, 4)


@pytest.fixture(scope="module")
def reference():
    betas = np.repeat(GRID, 400)
    return DistantThermometer.from_lattices(sample_lattices(betas, 8, seed=1), betas)


@pytest.fixture(scope="module")
def lattices():
    """(sets, betas, lattices, 8, 8)."""
    betas = np.tile(np.repeat(BETAS, LATTICES), SETS)
    return sample_lattices(betas, 8, seed=2).reshape(SETS, len(BETAS), LATTICES, 8, 8)


def test_long_waves_are_those_of_the_fourier_transform():
    spins = np.random.default_rng(1).choice(np.array([-1, 1], np.int8), (5, 6, 6))
    transform = abs(np.fft.fft2(spins)) ** 2
    uniform, wave = long_waves(spins)
    np.testing.assert_allclose(uniform, transform[:, 0, 0])
    np.testing.assert_allclose(wave, (transform[:, 0, 1] + transform[:, 1, 0]) / 2)


def test_the_reference_weighs_lattices_as_boltzmann_does(states):
    """All states of 4 x 4, given as what they are: a uniform sample, at β = 0."""
    reference = DistantThermometer.from_lattices(states, np.zeros(len(states)))
    uniform, wave = long_waves(states)
    energies = 16 * energy_per_site(states)

    def exact(beta):
        weight = np.exp(-beta * energies)
        return np.log((uniform * weight).sum() / (wave * weight).sum())

    for beta in (0.0, 0.1, 0.3, 0.44, 0.7):
        assert reference.y(beta) == pytest.approx(exact(beta), abs=1e-12)
        slope = (exact(beta + 1e-5) - exact(beta - 1e-5)) / 2e-5
        assert reference.slope(beta) == pytest.approx(slope, rel=1e-7)


def test_lattices_at_many_beta_serve_at_every_beta_between(states):
    betas = np.repeat(np.linspace(0.1, 0.6, 11), 400)
    reference = DistantThermometer.from_lattices(sample_lattices(betas, 4, seed=4), betas)
    uniform, wave = long_waves(states)
    scores = []
    for beta in (0.125, 0.2, 0.33, 0.44, 0.575):
        weight = np.exp(-beta * 16 * energy_per_site(states))
        exact = np.log((uniform * weight).sum() / (wave * weight).sum())
        scores.append((reference.y(beta) - exact) / reference.error(beta))
    assert abs(np.array(scores)).max() < 4


def test_y_grows_with_beta_through_all_phases(reference):
    y = [reference.y(beta) for beta in np.linspace(0.05, 0.6, 100)]
    assert (np.diff(y) > 0).all()


def test_it_reads_the_beta_of_sampled_lattices_within_its_own_error(reference, lattices):
    readings = np.array([[reference.read(each) for each in row] for row in lattices])
    scores = (readings[..., 0] - BETAS) / readings[..., 1]
    assert abs(scores).max() < 5
    # 60 scores, independent but for the reference, which is the smaller part of the error
    assert abs((scores**2).mean() - 1) < 4 * (2 / scores.size) ** 0.5


def test_both_thermometers_agree_on_ising_lattices(reference, lattices):
    scores = []
    for row in lattices:
        for each in row:
            far, near = reference.read(each), exact_beta(each)
            # errors of the two are correlated, positively: their difference has less than this
            scores.append((far.beta - near.beta) / np.hypot(far.std_error, near.std_error))
    assert abs(np.array(scores)).max() < 4
    assert abs(np.mean(scores)) < 4 / len(scores) ** 0.5


def test_they_disagree_on_lattices_that_are_no_ising_ensemble(reference, lattices):
    """Half of them hot, half cold: the mean energy is that of no long wave."""
    mixture = np.concatenate([lattices[0, 0], lattices[0, -1]])
    far, near = reference.read(mixture), exact_beta(mixture)
    assert abs(far.beta - near.beta) > 4 * np.hypot(far.std_error, near.std_error)


def test_what_no_beta_of_the_range_has_is_not_read(reference):
    assert np.isnan(reference.read(np.ones((4, 8, 8), np.int8))).all()
    stripes = np.ones((4, 8, 8), np.int8)
    stripes[:, :4] = -1
    assert np.isnan(reference.read(stripes)).all()
    with pytest.raises(ValueError, match="6 x 6"):
        reference.read(np.ones((4, 6, 6), np.int8))


def test_the_error_of_the_ratio_is_that_of_repetitions():
    spins = sample_lattices(np.full(100 * 60, 0.4), 8, seed=5).reshape(60, 100, 8, 8)
    found = np.array([log_wave_ratio(each) for each in spins])
    assert found[:, 1].mean() == pytest.approx(found[:, 0].std(ddof=1), rel=4 / (2 * 60) ** 0.5)


def test_the_correlation_length_of_a_lorentzian_is_its_width():
    L, xi = 16, 2.5
    y = np.log(1 + (2 * np.sin(np.pi / L) * xi) ** 2)
    assert correlation_length(y, L) == pytest.approx(xi)
    assert np.isnan(correlation_length(-0.1, L))
