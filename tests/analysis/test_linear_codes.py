"""Floors in closed form against brute force: dense matrices and least squares, converged."""

import numpy as np
import pytest

from coarsegrain.analysis import linear_codes
from coarsegrain.analysis.linear_codes import (
    block_code,
    block_means,
    decimation,
    linear_code,
    principal_components,
    random_mixtures,
    random_sites,
    spectrum,
)
from coarsegrain.ising.sampler import sample_lattices
from coarsegrain.rg.decimation import decimate

L = 8
SITES = L * L


@pytest.fixture(scope="module")
def spins():
    return sample_lattices(np.full(100, 0.4352), L, seed=5)


@pytest.fixture(scope="module")
def translated(spins):
    """(6400, 64): all translations of all lattices, whose second moments are the averaged ones."""
    moves = [np.roll(spins, (i, j), axis=(1, 2)) for i in range(L) for j in range(L)]
    return np.concatenate(moves).reshape(-1, SITES).astype(np.float64)


def error(reconstruct, lattices):
    lattices = lattices.reshape(-1, L, L)
    return float(((reconstruct(lattices) - lattices) ** 2).mean())


def of_least_squares(codes, targets):
    """The mean squared error of the best linear decoder, fitted to the lattices themselves."""
    decoder, *_ = np.linalg.lstsq(codes, targets, rcond=None)
    return float(((codes @ decoder - targets) ** 2).mean())


def kernel_matrix(kernel):
    """E of a block code, (L²/4, L²), row by row."""
    rows = [
        np.roll(kernel, (i, j), axis=(0, 1)).ravel() for i in range(0, L, 2) for j in range(0, L, 2)
    ]
    return np.array(rows)


ENCODERS = {
    "decimation": kernel_matrix(decimation(L)),
    "block means": kernel_matrix(block_means(L)),
    "random sites": random_sites(L, 16, rng=np.random.default_rng(2)),
    "random linear": random_mixtures(L, 16, rng=np.random.default_rng(3)),
}


@pytest.mark.parametrize("name", ENCODERS)
def test_the_closed_form_has_the_error_of_converged_least_squares(name, spins, translated):
    closed = linear_code(spectrum(spins), ENCODERS[name])
    fitted = of_least_squares(translated @ ENCODERS[name].T, translated)
    assert error(closed, translated) == pytest.approx(fitted, abs=1e-6)


@pytest.mark.parametrize("kernel", [decimation(L), block_means(L)], ids=["decimation", "means"])
def test_a_block_code_is_the_dense_linear_code(kernel, spins):
    S = spectrum(spins)
    np.testing.assert_allclose(
        block_code(S, kernel)(spins), linear_code(S, kernel_matrix(kernel))(spins), atol=1e-7
    )


def test_decimation_keeps_the_sites_that_the_nets_keep(spins):
    kept = (spins.reshape(-1, SITES) @ ENCODERS["decimation"].T).reshape(-1, L // 2, L // 2)
    np.testing.assert_array_equal(kept, decimate(spins, 2))
    decoded = block_code(spectrum(spins), decimation(L))(spins)
    np.testing.assert_allclose(decoded[:, ::2, ::2], decimate(spins, 2), atol=1e-6)


def test_the_spectrum_is_that_of_the_dense_matrix_of_moments(spins, translated):
    dense = np.linalg.eigvalsh(translated.T @ translated / len(translated))
    np.testing.assert_allclose(np.sort(spectrum(spins).ravel()), dense, atol=1e-10)
    assert spectrum(spins).mean() == pytest.approx(1)


@pytest.mark.parametrize("rank", [1, 2, 3, 16, 17, 40, 63, 64])
def test_what_principal_components_lose_is_the_spectrum_that_they_leave_out(
    rank, spins, translated
):
    S = spectrum(spins)
    left_out = np.sort(S.ravel())[: SITES - rank].sum() / SITES
    assert error(principal_components(S, rank), translated) == pytest.approx(left_out, abs=1e-12)


@pytest.mark.parametrize("rank", [1, 2, 16])
def test_principal_components_keep_as_many_numbers_as_their_rank(rank, spins):
    unit = np.eye(SITES).reshape(-1, L, L)
    matrix = principal_components(spectrum(spins), rank)(unit).reshape(SITES, SITES)
    np.testing.assert_allclose(matrix @ matrix, matrix, atol=1e-12)
    assert np.linalg.matrix_rank(matrix, tol=1e-9) == rank


def test_a_trained_linear_autoencoder_ends_at_the_principal_components(spins, translated):
    rank = 16
    encoder = np.random.default_rng(4).standard_normal((SITES, rank))
    moments = translated.T @ translated / len(translated)
    for _ in range(3000):  # least squares by turns for decoder and encoder
        decoder = np.linalg.solve(encoder.T @ moments @ encoder, encoder.T @ moments)
        encoder = np.linalg.pinv(decoder)
    trained = float(((translated @ encoder @ decoder - translated) ** 2).mean())
    floor = error(principal_components(spectrum(spins), rank), translated)
    assert trained == pytest.approx(floor, abs=1e-6)
    assert trained > floor - 1e-12


def test_no_code_of_equal_rank_has_a_smaller_error_than_principal_components(spins, translated):
    S = spectrum(spins)
    floor = error(principal_components(S, 16), translated)
    assert all(error(linear_code(S, E), translated) > floor for E in ENCODERS.values())


@pytest.mark.parametrize(("make", "digits"), [(random_sites, 1e-6), (random_mixtures, 1e-3)])
def test_a_code_of_full_rank_is_exact(make, digits, spins):
    # but for the ridge, which ill-conditioned mixtures feel more
    everything = linear_code(spectrum(spins), make(L, SITES, rng=np.random.default_rng(6)))
    np.testing.assert_allclose(everything(spins), spins, atol=digits)
    np.testing.assert_allclose(principal_components(spectrum(spins), SITES)(spins), spins)


def test_lattices_that_are_all_alike_are_no_problem():
    same = np.ones((3, L, L), dtype=np.int8)
    S = spectrum(same)
    codes = [
        principal_components(S, 1),
        block_code(S, decimation(L)),
        linear_code(S, ENCODERS["random sites"]),
    ]
    for code in codes:
        np.testing.assert_allclose(code(same), same, atol=1e-6)


@pytest.mark.parametrize("side", [4, 6, 10])
def test_every_even_side_has_its_block_codes(side):
    some = sample_lattices(np.full(20, 0.4), side, seed=7)
    decoded = block_code(spectrum(some), decimation(side))(some)
    np.testing.assert_allclose(decoded[:, ::2, ::2], decimate(some, 2), atol=1e-6)


def test_the_spectrum_does_not_depend_on_the_size_of_batches(spins, monkeypatch):
    whole = spectrum(spins)
    monkeypatch.setattr(linear_codes, "BATCH_SITES", 7 * SITES)
    np.testing.assert_allclose(spectrum(spins), whole, rtol=1e-12)


def test_random_sites_are_different_ones():
    encoder = random_sites(L, 40, rng=np.random.default_rng(8))
    assert set(encoder.sum(axis=1)) == {1.0}
    assert encoder.sum(axis=0).max() == 1
