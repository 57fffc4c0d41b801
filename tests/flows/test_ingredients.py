"""Switches of the flow by sublattices, and how a larger flow starts from a smaller one."""

import numpy as np
import pytest
import torch

from coarsegrain.flows.architecture import NEIGHBOURS, SHIFTS, Architecture
from coarsegrain.flows.growing import OF_MODES, grown
from coarsegrain.flows.ingredients import Ingredients, start, switch_off
from coarsegrain.flows.sublattice_flow import SublatticeFlow
from coarsegrain.flows.training.sublattices import SublatticeTrainer
from coarsegrain.ising.critical_point import BETA_CRITICAL
from coarsegrain.ising.dual import DualIsing
from flows.plain_sublattice_flow import PlainFlow, spline

TARGET = DualIsing(4, BETA_CRITICAL)
SHAPE = Architecture(4, couplings=2, hidden=4, bins=2)
OFF = {
    "whitening": {"whitening": False},
    "modes": {"modes": False},
    "splines": {"splines": False},
    "window": {"window": 4},
    "mean": {"mean": False},
    "path gradients": {"path_gradients": False},
    "all": {
        "whitening": False, "modes": False, "splines": False, "window": 4, "mean": False,
        "path_gradients": False,
    },
}  # fmt: skip


def trained(ingredients, steps=3):
    """A flow after some steps, half on draws of its own as if they were exact."""
    parameters = start(SHAPE, TARGET.spectrum, seed=1, ingredients=ingredients)
    flow = SublatticeFlow(SHAPE, TARGET.spectrum, parameters)
    exact = SublatticeFlow(SHAPE, TARGET.spectrum, start(SHAPE, TARGET.spectrum, seed=2))
    trainer = SublatticeTrainer(
        flow, seed=2, largest_gradient=50.0, share=0.5,
        exact=lambda number, rng: exact.draw(number, seed=int(rng.integers(100))).fields,
        ingredients=ingredients,
    )  # fmt: skip
    for step in range(steps):
        trainer.step(step, 64, 0.02)
    return flow


@pytest.fixture(scope="module", params=list(OFF))
def switched(request):
    return Ingredients(**OFF[request.param]), trained(Ingredients(**OFF[request.param]))


def test_what_is_off_does_nothing_after_training_and_what_is_on_has_learned(switched):
    has, flow = switched
    views = SHAPE.views(flow.parameters)
    fresh = SHAPE.views(start(SHAPE, TARGET.spectrum, seed=1))
    first, last, numbers = views["1.first"], views["1.last"], views["1.spline"]
    assert (first[:, has.window : len(NEIGHBOURS)] == 0).all()
    assert (first[:, : has.window] != fresh["1.first"][:, : has.window]).all()
    assert (first[:, -1] == 0).all() != has.mean
    assert (views["modes"] == 0).all() != has.modes
    assert (views["mean"] == 0).all() != has.modes
    # logarithms of the eigenvalues of C: those of √K and what was learned, or all one number
    eigenvalues = np.log(TARGET.spectrum) / 2 + views["spectrum"][SHAPE.orbits]
    assert (np.ptp(eigenvalues) < 1e-6) != has.whitening
    # a line: widths as they were, heights and slopes alike
    for of_spline in (last[SHIFTS:], numbers):
        is_line = (of_spline[:2] == 0).all() and (of_spline[2:] == of_spline[2]).all()
        assert is_line != has.splines
        assert (of_spline[2:] != 0).all()


def test_the_eigenvalues_without_whitening_have_the_mean_of_all_variances():
    parameters = start(SHAPE, TARGET.spectrum, seed=1, ingredients=Ingredients(whitening=False))
    eigenvalues = TARGET.spectrum * np.exp(2 * SHAPE.views(parameters)["spectrum"][SHAPE.orbits])
    np.testing.assert_allclose(eigenvalues, TARGET.spectrum.mean(), rtol=1e-6)


def test_without_modes_the_density_is_that_of_normal_latent_variables():
    flow = trained(Ingredients(modes=False))
    w = np.random.default_rng(1).normal(size=(64, 16)).astype(np.float32)
    x = flow.fields_of(w)
    log_det = TARGET.energy(x) - flow.latent_energy(w)[0]
    normal = -(w.astype(float) ** 2).sum(axis=1) / 2 - 8 * np.log(2 * np.pi)
    np.testing.assert_allclose(flow.log_density(x), normal - log_det, atol=1e-4)


def test_a_tied_spline_is_a_line():
    x = torch.linspace(-9, 9, 50, dtype=torch.float64)
    y, log_slope = spline(x, torch.tensor([0, 0, 0.3, 0.3, 0.3, 0.3, 0.3], dtype=torch.float64))
    torch.testing.assert_close(y, x * np.exp(0.3))
    torch.testing.assert_close(log_slope, torch.full_like(x, 0.3))


@pytest.mark.parametrize("window", [0, 5, 13])
def test_other_windows_are_refused(window):
    with pytest.raises(ValueError, match=f"window is {window}; it must be 4 or 12"):
        Ingredients(window=window)


def test_a_grown_flow_starts_with_the_weights_of_the_smaller_one_scale_by_scale():
    small = trained(Ingredients())
    larger = Architecture(8, couplings=2, hidden=4, bins=2)
    old, new = SHAPE.views(small.parameters), larger.views(grown(small.parameters, SHAPE))
    # scales 0, 1, 2 are couplings 4 5, 2 3, 0 1; of the smaller flow 0, 1 are 2 3, 0 1
    for to, of in enumerate((0, 1, 0, 1, 2, 3)):
        for name in ("first", "second", "last", "spline"):
            np.testing.assert_array_equal(new[f"{to}.{name}"], old[f"{of}.{name}"])
    np.testing.assert_array_equal(new["mean"], old["mean"])
    np.testing.assert_allclose(new["modes"], [OF_MODES * old["modes"][0], old["modes"][1]])
    # the same wave lengths have the same eigenvalues, and those between them are between them
    waves, doubled = old["spectrum"][SHAPE.orbits], new["spectrum"][larger.orbits]
    np.testing.assert_allclose(doubled[::2, ::2], waves, rtol=1e-12)
    np.testing.assert_allclose(doubled[1, 0], (waves[0, 0] + waves[1, 0]) / 2, rtol=1e-12)


def test_what_is_off_is_off_in_a_grown_flow_too():
    has = Ingredients(**OFF["all"])
    larger, target = Architecture(8, couplings=2, hidden=4, bins=2), DualIsing(8, BETA_CRITICAL)
    parameters = grown(trained(has).parameters, SHAPE)
    switch_off(larger, target.spectrum, has, parameters)
    views = larger.views(parameters)
    eigenvalues = np.log(target.spectrum) / 2 + views["spectrum"][larger.orbits]
    assert np.ptp(eigenvalues) < 1e-6
    assert (views["modes"] == 0).all()
    assert (views["5.first"][:, has.window :] == 0).all()
    assert (views["5.first"][:, : has.window] != 0).all()


def test_the_oracle_has_the_density_of_a_switched_flow():
    flow = trained(Ingredients(**OFF["all"]))
    drawn = flow.draw(64, seed=3)
    x = torch.from_numpy(drawn.fields.reshape(64, -1))
    exact = PlainFlow(SHAPE, TARGET.spectrum).log_density(torch.from_numpy(flow.parameters), x)
    np.testing.assert_allclose(drawn.log_q, exact, atol=1e-4)
