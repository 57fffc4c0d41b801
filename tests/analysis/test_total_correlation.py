"""Total correlation: against closed forms, of normal fields and of fields of either sign."""

import numpy as np

from coarsegrain.analysis.total_correlation import (
    decorrelated,
    most_of_latents,
    total_correlation,
)
from coarsegrain.ising.dual import DualIsing

L, N, SAMPLES = 4, 16, 20_000


def normal_fields(seed=1):
    """Samples of N(0, K), ln p of them, and their total correlation ½ (Σ ln K_ii − ln det K)."""
    dual = DualIsing(L, 0.3)
    noise = np.random.default_rng(seed).standard_normal((SAMPLES, L, L))
    constant = -N / 2 * np.log(2 * np.pi) - dual.log_det() / 2
    log_p = constant - (noise**2).sum(axis=(1, 2)) / 2
    exact = (N * np.log(dual.spectrum.mean()) - dual.log_det()) / 2
    return dual.multiplied(noise, 0.5), log_p, exact


def test_total_correlation_of_normal_fields_is_that_of_their_covariance():
    fields, log_p, exact = normal_fields()
    found = total_correlation(fields, log_p)
    assert exact > 1
    assert abs(found.nats - exact) < 4 * found.error + 0.003 * N  # the entropy has a bias
    assert found.error < 0.05


def test_decorrelated_normal_fields_have_nothing_in_common():
    fields, log_p, _ = normal_fields()
    whitened = decorrelated(fields)
    found = total_correlation(whitened.fields, log_p - whitened.log_det)
    assert abs(found.nats) < 4 * found.error + 0.003 * N
    # of the map K^(-1/2), up to the error of the spectrum
    assert abs(whitened.log_det + DualIsing(L, 0.3).log_det() / 2) < 0.2


def test_decorrelated_fields_of_another_sign_for_each_sample_still_have():
    """x = s + e, s one sign for all sites: uncorrelated after the map, and not independent."""
    rng = np.random.default_rng(1)
    noise = rng.standard_normal((SAMPLES, L, L))
    up = -((noise**2).sum(axis=(1, 2))) / 2  # ln of the density of e, and of e + 2
    down = -(((noise + 2) ** 2).sum(axis=(1, 2))) / 2
    log_p = np.logaddexp(up, down) - np.log(2) - N / 2 * np.log(2 * np.pi)
    sign = rng.choice([-1, 1], SAMPLES)[:, None, None]
    whitened = decorrelated(sign * (1 + noise))
    found = total_correlation(whitened.fields, log_p - whitened.log_det)
    # single sites are close to normal; the mean has two modes of the width 1/√17, at ±4/√17
    assert abs(found.nats - np.log(np.sqrt(17) / 2)) < 4 * found.error + 0.05


def test_latents_share_at_most_the_divergence():
    fields, log_p, _ = normal_fields()
    wide = -(fields**2).sum(axis=(1, 2)) / 8 - N / 2 * np.log(8 * np.pi)
    dual = DualIsing(L, 0.3)
    exact = (dual.spectrum.sum() / 4 - N + N * np.log(4) - dual.log_det()) / 2
    found = most_of_latents(log_p, wide)
    assert abs(found.nats - exact) < 4 * found.error
    assert most_of_latents(log_p, log_p) == (0, 0)


def test_decorrelated_fields_have_no_correlations():
    rng = np.random.default_rng(1)
    fields = rng.standard_normal((4000, 4, 4))
    fields = fields + 0.8 * np.roll(fields, 1, axis=2) + 0.5 * np.roll(fields, 1, axis=1)
    found = decorrelated(fields).fields.reshape(4000, 16)
    # exact for the mean over translations, 1/√4000 for a single pair
    np.testing.assert_allclose(np.cov(found.T, bias=True), np.eye(16), atol=5 / np.sqrt(4000))
    shifted = np.roll(found.reshape(-1, 4, 4), 1, axis=2).reshape(4000, 16)
    assert abs((found * shifted).mean()) < 1e-12
