"""Small linear algebra against LAPACK, and where there is no answer."""

import numpy as np
import pytest

from coarsegrain.rg.small_matrices import leading_eigenvalue, product, solution


def random_pair(k, seed):
    """A general matrix with one dominant eigenvalue, and a covariance matrix."""
    rng = np.random.default_rng(seed)
    sample = rng.normal(size=(20, k))
    return rng.normal(size=(k, k)) + 3 * np.ones((k, k)), sample.T @ sample


@pytest.mark.parametrize("k", [1, 2, 3, 4])
def test_products_and_solutions_are_lapacks(k):
    a, b = random_pair(k, seed=k)
    np.testing.assert_allclose(product(a, b), a @ b, rtol=1e-13)
    np.testing.assert_allclose(solution(b, a), np.linalg.solve(b, a), rtol=1e-10)


def test_a_zero_on_the_diagonal_is_no_hindrance():
    a = np.array([[0.0, 2.0], [1.0, 0.0]])
    np.testing.assert_allclose(solution(a, np.eye(2)), np.linalg.inv(a))


@pytest.mark.parametrize("k", [1, 2, 3, 4])
def test_leading_eigenvalue_and_its_vectors_solve_the_generalized_problem(k):
    for seed in range(20):
        a, b = random_pair(k, seed)
        found = leading_eigenvalue(a, b)
        eigenvalues = np.linalg.eigvals(np.linalg.solve(b, a))
        assert found.value == pytest.approx(eigenvalues[abs(eigenvalues).argmax()].real, rel=1e-9)
        np.testing.assert_allclose(a @ found.right, found.value * (b @ found.right), rtol=1e-7)
        np.testing.assert_allclose(found.left @ a, found.value * (found.left @ b), rtol=1e-7)
        assert found.left @ b @ found.right == pytest.approx(1)


def test_singular_covariances_and_complex_pairs_have_no_leading_eigenvalue():
    rotation = np.array([[0.0, 1.0], [-1.0, 0.0]])
    assert leading_eigenvalue(rotation, np.eye(2)) is None
    assert leading_eigenvalue(np.eye(2), np.ones((2, 2))) is None
    assert leading_eigenvalue(np.zeros((2, 2)), np.eye(2)) is None
