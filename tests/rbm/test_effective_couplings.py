"""Couplings of machines that are known, and of all small ones by sums over states."""

import numpy as np
import pytest

from coarsegrain.rbm.chains import gibbs_chains
from coarsegrain.rbm.coupling_fit import fitted_couplings
from coarsegrain.rbm.effective_couplings import (
    OPERATORS,
    exact_couplings,
    terms,
    unit_couplings,
)
from coarsegrain.rbm.enumeration import states
from coarsegrain.rbm.machine import FreeMachine, TiedMachine, log_weight
from rbm.machines import ising_machine, random_machine


@pytest.mark.parametrize("scale", [0.01, 0.3, 1.0, 4.0])
@pytest.mark.parametrize(
    "of_spins", [[0, 1], [3, 7], [0, 1, 2, 3], [2, 4, 5, 8], [0, 1, 2, 3, 4, 5]]
)
def test_couplings_of_a_unit_are_means_over_all_states(scale, of_spins):
    weights = scale * np.random.default_rng(3).standard_normal(9)
    v = states(9).astype(float)
    expected = (v[:, of_spins].prod(axis=1) * np.log(np.cosh(v @ weights))).mean()
    (found,) = unit_couplings(weights, np.array([of_spins]))
    assert found == pytest.approx(expected, rel=1e-10, abs=1e-14)


def test_two_body_couplings_are_a_quarter_of_the_mean_second_difference():
    machine = random_machine(10, 4, seed=2, biases=False)
    v = states(10)
    total = 0.0
    for i, j, sign in ((1, 1, 1), (1, -1, -1), (-1, 1, -1), (-1, -1, 1)):
        of_sign = v.copy()
        of_sign[:, 2], of_sign[:, 5] = i, j
        total += sign * log_weight(machine, of_sign).mean()
    found = sum(unit_couplings(unit, np.array([[2, 5]]))[0] for unit in machine.weights.T)
    assert found == pytest.approx(total / 4, abs=1e-13)


@pytest.mark.parametrize("K", [0.2, 0.4406867935])
def test_machine_that_is_the_ising_model_has_its_coupling_and_no_other(K):
    found = {each.operator: each for each in exact_couplings(ising_machine(K, 8), 8)}
    assert found["nn"].value == pytest.approx(K, abs=1e-12)
    assert found["nn"].spread < 1e-12
    assert [found[name].value for name in ("nnn", "third", "plaquette")] == [0, 0, 0]


def test_couplings_of_a_tied_machine_are_means_over_all_states_of_a_small_lattice():
    machine = TiedMachine(0.5 * np.random.default_rng(1).standard_normal((2, 3, 3)), 4, stride=1)
    v = states(16)
    log_p = log_weight(machine, v)
    for operator, found in zip(OPERATORS, exact_couplings(machine, 4)):
        each = [(v[:, term].prod(axis=1) * log_p).mean() for term in terms(operator, 4)]
        if operator.name == "third":  # the same pair of spins either way around
            each = [value / 2 for value in each]
        assert found.value == pytest.approx(np.mean(each), abs=1e-12)
        assert found.spread == pytest.approx(np.std(each), abs=1e-12)


def test_couplings_on_four_sites_are_those_that_a_fit_to_samples_finds():
    weights = np.zeros((4, 4, 4, 4, 2))  # a unit for each pair of sites two apart
    for row, col in np.ndindex(4, 4):
        for axis, other in enumerate((((row + 2) % 4, col), (row, (col + 2) % 4))):
            weights[row, col, row, col, axis] = weights[*other, row, col, axis] = 0.5
    machine = FreeMachine(weights.reshape(16, 32))
    third = {each.operator: each.value for each in exact_couplings(machine, 4)}["third"]
    start = np.random.default_rng(2).choice(np.array([-1, 1], np.int8), (4000, 16))
    values, errors = fitted_couplings(gibbs_chains(machine, start, [30], seed=3).reshape(-1, 4, 4))
    number = [operator.name for operator in OPERATORS].index("third")
    assert abs(values[number] - third) < 4 * errors[number]
    assert third > 20 * errors[number]


def test_disjoint_blocks_have_half_of_the_nearest_neighbours():
    """2 x 2 blocks with stride 2: half the bonds lie within a block, a fourth of the plaquettes."""
    machine = TiedMachine(np.full((1, 2, 2), 0.6), 8)
    nn, nnn, third, plaquette = exact_couplings(machine, 8)
    (inside,) = unit_couplings(np.full(4, 0.6), np.array([[0, 1]]))
    (all_four,) = unit_couplings(np.full(4, 0.6), np.array([[0, 1, 2, 3]]))
    assert nn.value == pytest.approx(inside / 2)
    assert nn.spread == pytest.approx(inside / 2)
    assert nnn.value == pytest.approx(inside / 4)
    assert third.value == 0
    assert plaquette.value == pytest.approx(all_four / 4)


def test_machines_with_biases_or_of_other_sizes_are_refused():
    with pytest.raises(ValueError, match="has biases"):
        exact_couplings(random_machine(16, 4, seed=0), 4)
    with pytest.raises(ValueError, match="15 visible units"):
        exact_couplings(FreeMachine(np.ones((15, 2))), 4)
