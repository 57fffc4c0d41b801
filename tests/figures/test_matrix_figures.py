import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from coarsegrain.figures.autoencoder.matrix_display import draw_matrix, strongest_per_block
from coarsegrain.figures.autoencoder.spin_correlations import (
    SCALE,
    in_units_of_the_diagonal,
    mean_by_offset,
    spin_correlations,
)
from coarsegrain.figures.autoencoder.weight_matrices import (
    inputs_per_unit,
    typical_strongest_weight,
    weight_matrices,
)


def decimation(L: int) -> tuple[np.ndarray, np.ndarray]:
    """The two hard-coded matrices: W[i, j] = 1 iff i is the j-th kept site."""
    sites = np.arange(L * L)
    first = np.eye(L * L)[:, (sites // L + sites % L) % 2 == 0]
    second = np.eye(L * L // 2)[:, sites[: L * L // 2] // (L // 2) % 2 == 0]
    return first, second


def members(*pairs) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """First and second layers of nets with these pairs of layers."""
    return tuple(list(layers) for layers in zip(*pairs))


def gaussian(L: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(2)
    first, second = decimation(L)
    return 0.05 * rng.normal(size=first.shape), 0.05 * rng.normal(size=second.shape)


@given(
    rows=st.integers(1, 40),
    columns=st.integers(1, 40),
    most=st.integers(1, 12),
    data=st.data(),
)
def test_an_isolated_weight_survives_pooling_with_its_sign(rows, columns, most, data):
    matrix = np.full((rows, columns), 0.01)
    i, j = data.draw(st.integers(0, rows - 1)), data.draw(st.integers(0, columns - 1))
    matrix[i, j] = -1.0
    pooled = strongest_per_block(matrix, most)
    assert max(pooled.shape) <= most
    assert np.sum(pooled == -1.0) == 1


def test_a_small_matrix_is_shown_as_it_is():
    matrix = np.random.default_rng(0).normal(size=(64, 32))
    np.testing.assert_array_equal(strongest_per_block(matrix), matrix)


def test_every_isolated_weight_of_a_1024_by_512_matrix_reaches_a_pixel():
    weights, _ = decimation(32)
    figure = Figure(figsize=(3, 3), dpi=200)
    axes = figure.add_axes((0, 0, 1, 1))
    draw_matrix(axes, weights, scale=1.0)
    axes.set_axis_off()
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    pixels = np.asarray(canvas.buffer_rgba())[..., :3].astype(int)
    dark = (pixels.sum(axis=2) < 200).reshape(600, 600)
    assert dark.any(axis=0).all()  # the diagonal of kept sites crosses each column of pixels
    assert dark.any(axis=1).all()


def test_whole_matrices_and_their_corners_share_a_scale_and_columns_do_not():
    figure = weight_matrices(members(decimation(8)), members(gaussian(8)), zoom=16)
    whole, corner = figure.axes[:4], figure.axes[4:8]
    scales = [axes.images[0].get_clim()[1] for axes in whole]
    assert scales == [axes.images[0].get_clim()[1] for axes in corner]
    assert scales[0] == scales[2] == 1.0
    assert scales[1] < 0.3


def test_the_zoomed_corner_holds_the_first_rows_and_columns():
    weights = gaussian(8)
    corner = weight_matrices(members(decimation(8)), members(weights), zoom=16).axes[5]
    np.testing.assert_array_equal(corner.images[0].get_array(), weights[0][:16, :16])


def test_decimation_has_one_input_per_unit_and_gaussian_weights_a_third_of_them():
    assert inputs_per_unit(decimation(16)[0]) == 1.0
    rng = np.random.default_rng(3)
    n = 3000
    assert inputs_per_unit(rng.normal(size=(n, 50))) == pytest.approx(n / 3, rel=0.05)


def test_weights_that_are_all_zero_are_drawn():
    zeros = np.zeros((64, 32)), np.zeros((32, 16))
    assert typical_strongest_weight(zeros[0]) == 1.0
    assert inputs_per_unit(zeros[0]) == 0.0
    weight_matrices(members(zeros), members(zeros)).draw_without_rendering()
    spin_correlations(members(zeros), members(zeros), L=8, zoom=20).draw_without_rendering()


def test_inputs_per_unit_are_told_of_all_members():
    first, second = decimation(8)
    broader = first + np.roll(first, 1, axis=0), second  # two equal inputs per unit
    figure = weight_matrices(members((first, second), broader), members(gaussian(8)))
    words = [axes.get_title(loc="left") for axes in figure.axes[:4]]
    assert words[0].endswith("inputs per unit 1.0 to 2.0")
    assert words[2].endswith("inputs per unit 1.0")


def test_mean_by_offset_is_the_mean_along_each_diagonal():
    matrix = np.random.default_rng(4).normal(size=(12, 12)) + 5 * np.eye(12)
    offsets, means, sizes = mean_by_offset(matrix, most=7)
    assert offsets.tolist() == [*range(-7, 0), *range(1, 8)]
    for offset, mean, size in zip(offsets, means, sizes):
        along = [matrix[i, i + offset] for i in range(12) if 0 <= i + offset < 12]
        assert mean == pytest.approx(np.mean(along))
        assert size == pytest.approx(np.mean(np.abs(along)))


def test_neighbours_in_the_next_row_stand_out_at_offset_L():
    L = 16
    first, second = decimation(L)
    first = first + 0.2 * np.roll(first, L, axis=0)
    figure = spin_correlations(members((first, second)), members(gaussian(L)), L=L, zoom=40)
    profile = next(a for a in figure.axes if "W₁W₁ᵀ by offset" in a.get_title(loc="left"))
    drawn = next(each for each in profile.get_lines() if each.get_label() == "coarse-grainer")
    offsets, means = drawn.get_xdata(), drawn.get_ydata()
    assert (offsets.min(), offsets.max()) == (-2 * L, 2 * L)
    assert set(offsets[means > 0.05]) == {-L, L}


def test_correlations_are_in_units_of_the_mean_diagonal_element():
    weights = 7 * gaussian(8)[0]
    correlations = in_units_of_the_diagonal(weights)
    assert np.trace(correlations) / 64 == pytest.approx(1)
    np.testing.assert_allclose(correlations, in_units_of_the_diagonal(weights / 7))
    assert not in_units_of_the_diagonal(np.zeros((4, 2))).any()


def test_all_correlations_have_one_scale_so_that_noise_beside_a_diagonal_stays_pale():
    first, second = decimation(8)
    noisy = first + 1e-4 * np.random.default_rng(7).normal(size=first.shape), second
    figure = spin_correlations(members(noisy), members(gaussian(8)), L=8, zoom=20)
    images = [axes.images[0] for axes in figure.axes if axes.images]
    assert len(images) == 8
    assert {image.get_clim() for image in images} == {(-SCALE, SCALE)}
    beside = images[0].get_array()[~np.eye(64, dtype=bool)]
    assert np.abs(beside).max() < 0.01 * SCALE


def test_every_member_has_its_line():
    nets = members(*(gaussian(8) for _ in range(3)))
    figure = spin_correlations(members(decimation(8)), nets, L=8, zoom=20)
    profile = next(a for a in figure.axes if "W₁W₁ᵀ by offset" in a.get_title(loc="left"))
    curves = [x for x in profile.get_lines() if len(x.get_xdata()) > 2]
    assert len(curves) == 2 * (1 + 3)  # and their absolute values


@pytest.mark.parametrize("L", [4, 8, 16])
def test_the_zoom_shows_more_than_the_lines_at_twice_L_where_the_matrix_allows(L):
    figure = spin_correlations(members(decimation(L)), members(gaussian(L)), L=L, zoom=1)
    corners = [axes for axes in figure.axes if "first rows" in axes.get_title(loc="left")]
    shown = [axes.images[0].get_array().shape for axes in corners]
    for (rows, columns), sites in zip(shown, (L * L, L * L, L * L // 2, L * L // 2), strict=True):
        assert rows == columns == min(sites, 2 * L + L // 4)


def test_autoencoders_of_other_shapes_are_drawn():
    rng = np.random.default_rng(5)
    narrow = rng.normal(size=(64, 12)), rng.normal(size=(12, 5))
    one = members(decimation(8))
    weight_matrices(one, members(narrow)).draw_without_rendering()
    spin_correlations(one, members(narrow), L=8, zoom=20).draw_without_rendering()
