"""The flow of machines that are known: nothing learned, and the Ising model itself."""

import numpy as np
import pytest

from coarsegrain.analysis.distant_thermometer import DistantThermometer
from coarsegrain.analysis.exact_thermometer import Reading
from coarsegrain.analysis.reconstruction_flow import (
    COLUMNS,
    NET_COLUMNS,
    reconstructions,
    temperature_flow,
)
from coarsegrain.ising.exact import energy_per_site
from coarsegrain.ising.observables import energy_per_site as energies_per_site
from coarsegrain.ising.sampler import sample_lattices
from coarsegrain.rbm.machine import FreeMachine, TiedMachine, log_weight

K, L = 0.3, 8


def ising_machine(beta, L=L):
    """One hidden unit per bond, with both weights ½ arccosh e^(2K): the Ising model itself."""
    weight = np.arccosh(np.exp(2 * beta)) / 2
    weights = np.zeros((L * L, 2 * L * L))
    site = np.arange(L * L).reshape(L, L)
    for axis in (0, 1):
        unit = axis * L * L + site
        weights[site, unit] = weight
        weights[np.roll(site, -1, axis=axis), unit] = weight
    return FreeMachine(weights)


@pytest.fixture(scope="module")
def reference():
    betas = np.repeat(np.linspace(0.05, 0.6, 23), 200)
    return DistantThermometer.from_lattices(sample_lattices(betas, L, seed=1), betas)


def test_the_machine_with_a_unit_per_bond_is_the_ising_model():
    spins = np.random.default_rng(1).choice(np.array([-1, 1], np.int8), (50, L, L))
    difference = log_weight(ising_machine(K), spins) + K * L * L * energies_per_site(spins)
    np.testing.assert_allclose(difference, difference[0], rtol=1e-12)


def test_a_machine_that_is_the_ising_model_keeps_its_lattices_where_they_are(reference):
    spins = sample_lattices(np.full(3000, K), L, seed=2)
    table = temperature_flow(
        ising_machine(K), spins, np.full(3000, K), [0, 1, 5], reference,
        seed=3,
    )  # fmt: skip
    for name in ("E", "R"):
        scores = (table[f"beta_{name}"] - K) / table[f"beta_{name}_error"]
        assert abs(scores).max() < 4


def test_it_brings_other_lattices_to_its_own_temperature(reference):
    betas = np.repeat([0.2, 0.4], 250)
    spins = sample_lattices(betas, L, seed=4)
    table = temperature_flow(ising_machine(K), spins, betas, [0, 100], reference, seed=5)
    first, last = (table[table["step"] == step] for step in (0, 100))
    assert (abs(first["beta_E"] - first["beta_in"]) < 4 * first["beta_E_error"]).all()
    for name in ("E", "R"):
        assert (abs(last[f"beta_{name}"] - K) < 4 * last[f"beta_{name}_error"]).all()


def test_a_machine_without_weights_forgets_everything_in_one_step():
    spins = np.ones((4000, L, L), np.int8)
    ((_, once),) = reconstructions(FreeMachine(np.zeros((L * L, 3))), spins, [1], seed=6)
    assert abs(energies_per_site(once).mean() - energy_per_site(0.0, L)) < 4 * (2 / 4000) ** 0.5 / L


def test_lattices_of_a_step_are_the_same_whatever_other_steps_are_seen():
    machine = TiedMachine(np.random.default_rng(7).normal(0, 0.3, (1, 4, 4)), L)
    spins = np.random.default_rng(8).choice(np.array([-1, 1], np.int8), (20, L, L))
    found = dict(reconstructions(machine, spins, [0, 2, 3], seed=9))
    assert list(found) == [0, 2, 3]
    np.testing.assert_array_equal(found[0], spins)
    for step in (2, 3):
        ((_, alone),) = reconstructions(machine, spins, [step], seed=9)
        np.testing.assert_array_equal(found[step], alone)
    assert (found[2] != found[3]).any()


@pytest.mark.parametrize("steps", [[1, 0], [0, 0], [-1, 1]])
def test_steps_that_do_not_rise_are_refused(steps):
    spins = np.ones((2, L, L), np.int8)
    with pytest.raises(ValueError, match="steps must rise"):
        list(reconstructions(ising_machine(K), spins, steps, seed=0))


def test_a_third_thermometer_is_read_on_the_same_lattices(reference):
    betas = np.repeat([0.2, 0.4], 20)
    spins = sample_lattices(betas, L, seed=10)
    table = temperature_flow(
        ising_machine(K), spins, betas, [0], reference,
        lambda seen: Reading(float(len(seen)), 0.5), seed=0,
    )  # fmt: skip
    assert list(table.columns) == [*COLUMNS, *NET_COLUMNS]
    assert list(table["beta_in"]) == [0.2, 0.4]
    assert list(table["beta_net"]) == [20, 20]
