"""Local entropy against H₂(p) of windows counted by hand."""

import numpy as np
import pytest

from coarsegrain.analysis.entropy import as_images, local_entropy

SPINS = np.random.default_rng(0).choice(np.array([-1, 1], dtype=np.int8), size=(4, 7, 9))


def binary_entropy(p):
    return 0.0 if p in (0, 1) else -p * np.log2(p) - (1 - p) * np.log2(1 - p)


def entropy_by_counting(lattice, boundary):
    rows, cols = lattice.shape
    total = 0.0
    for r in range(rows):
        for c in range(cols):
            window = [
                lattice[(r + i) % rows, (c + j) % cols] > 0
                for i in (-1, 0, 1)
                for j in (-1, 0, 1)
                if boundary == "periodic" or (0 <= r + i < rows and 0 <= c + j < cols)
            ]
            total += binary_entropy(np.mean(window))
    return total / lattice.size


@pytest.mark.parametrize("boundary", ["crop", "periodic"])
def test_local_entropy_of_spins_is_the_binary_entropy_of_the_window(boundary):
    expected = [entropy_by_counting(lattice, boundary) for lattice in SPINS]
    found = local_entropy(as_images(SPINS, "sign"), boundary=boundary)
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_neighbourhoods_do_not_reach_into_other_lattices():
    together = local_entropy(as_images(SPINS, "sign"))
    alone = [local_entropy(as_images(SPINS[i : i + 1], "sign"))[0] for i in range(len(SPINS))]
    np.testing.assert_array_equal(together, alone)


def test_ordered_lattice_has_no_entropy_and_flipping_all_spins_changes_none():
    assert local_entropy(as_images(np.ones((1, 5, 5)), "sign")) == [0.0]
    np.testing.assert_allclose(
        local_entropy(as_images(SPINS, "sign")),
        local_entropy(as_images(-SPINS, "sign")),
        atol=1e-12,
    )


def test_rescaled_image_runs_from_0_to_255_and_a_constant_one_is_black():
    values = np.array([[[-2.0, 0.0], [1.0, 3.0]], [[0.5, 0.5], [0.5, 0.5]]])
    assert as_images(values, "rescale").tolist() == [[[0, 102], [153, 255]], [[0, 0], [0, 0]]]
