"""Eq. 5 against its closed form, and its fixed point."""

import numpy as np
import pytest

from coarsegrain.rg.flow_equation import effective_beta, fixed_point_of_effective_beta


def test_effective_beta_is_three_eighths_of_ln_cosh_four_beta():
    beta = np.array([0.0, 0.01, 0.1, 0.4352, 0.6, 2.0])
    np.testing.assert_allclose(
        effective_beta(beta), 3 / 8 * np.log(np.cosh(4 * beta)), rtol=1e-12, atol=1e-16
    )
    assert np.isfinite(effective_beta(1e4))


def test_fixed_point_is_left_as_it_is_and_repels():
    star = fixed_point_of_effective_beta()
    assert round(star, 5) == 0.50698
    assert float(effective_beta(star)) == pytest.approx(star, abs=1e-13)
    assert effective_beta(star - 0.01) < star - 0.01 < star + 0.01 < effective_beta(star + 0.01)
