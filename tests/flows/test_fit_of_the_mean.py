"""The density of the mean, fitted to exact samples at the end."""

import numpy as np

from coarsegrain.flows.architecture import Architecture
from coarsegrain.flows.ingredients import start
from coarsegrain.flows.sublattice_flow import SublatticeFlow
from coarsegrain.flows.training.mean import fit_mean
from coarsegrain.ising.dual import DualIsing
from coarsegrain.ising.sampler import sample_lattices

L, BETA, SAMPLES = 4, 0.44, 6400


def flow_and_fields():
    """A flow whose modes are too near to each other; exact samples to fit it to, and more."""
    dual, architecture = DualIsing(L, BETA), Architecture(L, couplings=2, hidden=4, bins=3)
    parameters = start(architecture, dual.spectrum, seed=1)
    architecture.views(parameters)["modes"][:] = 5.0, 0.2
    spins = sample_lattices(np.full(2 * SAMPLES, BETA), L, seed=1)
    fields = dual.draw_fields(spins, np.random.default_rng(2))
    return SublatticeFlow(architecture, dual.spectrum, parameters), np.split(fields, 2)


def test_the_mean_is_then_distributed_as_that_of_exact_samples():
    flow, (seen, fresh) = flow_and_fields()
    before = flow.log_density(fresh).mean()
    fit_mean(flow, np.split(seen, 4))
    assert flow.log_density(fresh).mean() > before + 0.1
    drawn = np.abs(flow.draw(SAMPLES, seed=3).fields.mean(axis=(1, 2)))
    exact = np.abs(fresh.mean(axis=(1, 2)))
    for power in (1, 2):
        apart = (drawn**power).mean() - (exact**power).mean()
        error = np.hypot((drawn**power).std(), (exact**power).std()) / np.sqrt(SAMPLES)
        assert abs(apart) < 4 * error


def test_nothing_but_the_density_of_the_mean_is_changed():
    flow, (seen, _) = flow_and_fields()
    before = flow.architecture.views(flow.parameters.copy())
    fit_mean(flow, np.split(seen, 4))
    for name, after in flow.architecture.views(flow.parameters).items():
        assert (after == before[name]).all() == (name not in ("modes", "mean")), name
