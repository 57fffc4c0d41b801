"""Hinge losses by amplitude, against numbers by hand and by brute force."""

import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from coarsegrain.nets import amplitudes
from coarsegrain.nets.amplitudes import best_gain, hinge_by_amplitude
from coarsegrain.nets.losses import hinge, spin_accuracy


@pytest.fixture
def outputs():
    rng = np.random.default_rng(1)
    t = rng.choice(np.array([-1, 1], dtype=np.int8), size=(40, 16))
    return 0.3 * t + 0.4 * rng.standard_normal(t.shape), t


def test_losses_by_hand():
    y, t = np.array([[2.0, -0.5], [-3.0, 0.5]]), np.array([[1, 1], [1, 1]], dtype=np.int8)
    rms = np.sqrt((4 + 0.25 + 9 + 0.25) / 4)
    assert hinge_by_amplitude(y, t, gain=2) == pytest.approx(
        {
            "as it comes": (0 + 1.5 + 4 + 0.5) / 4,
            "clipped": (0 + 1.5 + 2 + 0.5) / 4,
            "rms 1": (0 + 1 + 0.5 / rms + 1 + 3 / rms + 1 - 0.5 / rms) / 4,
            "best gain": (0 + 2 + 7 + 0) / 4,
            "signs": 1,
        }
    )


def test_the_hinge_of_signs_is_twice_the_error_rate(outputs):
    y, t = outputs
    losses = hinge_by_amplitude(y, t, gain=1)
    assert losses["signs"] == pytest.approx(2 * (1 - spin_accuracy(y, t)), abs=1e-12)


def test_at_rms_1_and_at_the_best_gain_the_scale_of_outputs_does_not_matter(outputs):
    y, t = outputs
    one, other = (hinge_by_amplitude(x, t, gain=best_gain(x, t)) for x in (y, 7 * y))
    assert best_gain(7 * y, t) == pytest.approx(best_gain(y, t) / 7)
    for name in ("rms 1", "best gain", "signs"):
        assert one[name] == pytest.approx(other[name], abs=1e-12)


@pytest.mark.parametrize("scale", [0.01, 1.0, 30.0])
def test_the_best_gain_is_where_a_search_ends(outputs, scale):
    y, t = scale * outputs[0], outputs[1]
    found = minimize_scalar(
        lambda g: hinge(g * y, t), bounds=(0, 20 / scale), options={"xatol": 1e-10 / scale}
    )
    assert hinge(best_gain(y, t) * y, t) == pytest.approx(found.fun, abs=1e-9)
    assert hinge(best_gain(y, t) * y, t) <= found.fun + 1e-15


def test_no_certainty_has_twice_the_error_rate_at_amplitude_1_as_its_smallest_hinge():
    # an output a, wrong with probability e, of a spin about which the code says no more
    t = np.repeat(np.array([[1], [-1]], dtype=np.int8), [70, 30], axis=0)
    losses = [hinge(np.full(t.shape, a), t) for a in np.linspace(-2, 2, 401)]
    assert min(losses) == pytest.approx(2 * 0.3)


@pytest.mark.parametrize(("y", "gain"), [(0.0, 1.0), (-0.5, 0.0), (0.5, 2.0)])
def test_outputs_that_are_nothing_all_wrong_or_all_right(y, gain):
    t = np.ones((3, 4), dtype=np.int8)
    y = np.full(t.shape, y)
    assert best_gain(y, t) == gain
    assert np.isfinite(list(hinge_by_amplitude(y, t, gain=gain).values())).all()


def test_of_too_many_outputs_the_first_lattices_give_the_gain(outputs, monkeypatch):
    y, t = outputs
    monkeypatch.setattr(amplitudes, "MOST_OUTPUTS", 10 * 16)
    assert best_gain(y, t) == best_gain(y[:10], t[:10])
