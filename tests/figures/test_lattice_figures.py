import numpy as np
import pytest

from coarsegrain.figures.autoencoder.lattice_gallery import LABELS, lattice_gallery
from coarsegrain.figures.autoencoder.reconstructions import (
    hinge_of,
    reconstructions,
    recovered_share,
)


def random_spins(*shape) -> np.ndarray:
    return np.random.default_rng(1).choice(np.array([-1, 1], dtype=np.int8), size=shape)


def shown(axes) -> np.ndarray:
    return np.asarray(axes.images[0].get_array())


def test_each_panel_shows_the_output_of_the_model_it_names():
    lattice = random_spins(8, 8)
    outputs = {f"Model-{k}": [np.full((8, 8), 0.3 * k), lattice] for k in (1, 2, 3)}
    panels = reconstructions(lattice, outputs).axes[:4]
    np.testing.assert_array_equal(shown(panels[0]), lattice)
    for axes, (model, members) in zip(panels[1:], outputs.items()):
        assert axes.get_title(loc="left").startswith(model)
        np.testing.assert_array_equal(shown(axes), members[0])


def test_all_reconstructions_have_one_colour_scale():
    outputs = {f"Model-{k}": [k * np.ones((8, 8))] for k in (1, 2, 3)}
    panels = reconstructions(random_spins(8, 8), outputs).axes[:4]
    assert {axes.images[0].get_clim() for axes in panels} == {(-1, 1)}


def test_a_lattice_as_its_own_output_has_no_hinge_and_every_spin_recovered():
    lattice = random_spins(8, 8)
    assert hinge_of(lattice, lattice.astype(float)) == 0
    assert recovered_share(lattice, lattice.astype(float)) == 1


def test_zero_output_has_hinge_one_and_recovers_nothing():
    lattice = random_spins(8, 8)
    assert hinge_of(lattice, np.zeros((8, 8))) == 1
    assert recovered_share(lattice, np.zeros((8, 8))) == 0


def test_captions_of_panels_give_hinge_and_share():
    lattice = random_spins(8, 8)
    output = 0.5 * lattice
    output[0, :4] *= -1
    words = reconstructions(lattice, {"Model-1": [output]}).axes[1].get_xlabel()
    assert words == "hinge 0.562\n93.8 % of spins recovered by sign"
    words = reconstructions(lattice, {"Model-1": [output, lattice]}).axes[1].get_xlabel()
    assert words == "hinge 0.000 to 0.562\n93.8 to 100.0 % of spins recovered by sign"


@pytest.mark.parametrize("L", [8, 32])
def test_the_gallery_has_a_column_per_beta_and_a_row_per_kind(L):
    betas = [0.025, 0.25, 0.5]
    lattices = random_spins(3, L, L)
    rows = {
        "input": list(lattices),
        "autoencoder": list(-lattices),
        "autoencoders": list(lattices / 3),
        "decimated": list(lattices[:, ::2, ::2]),
    }
    figure = lattice_gallery(rows, betas, 3)
    assert "signs of 3 members" in figure.get_supxlabel().replace("\n", " ")
    panels = np.reshape(figure.axes, (4, 3))
    assert [axes.get_title() for axes in panels[0]] == ["β = 0.025", "β = 0.25", "β = 0.5"]
    for row, (kind, expected) in zip(panels, rows.items()):
        assert row[0].get_ylabel().startswith(LABELS[kind])
        for axes, lattice in zip(row, expected):
            np.testing.assert_array_equal(shown(axes), lattice)


def test_the_gallery_refuses_a_row_without_a_lattice_for_each_beta():
    with pytest.raises(ValueError, match="shorter"):
        lattice_gallery({"input": list(random_spins(2, 8, 8))}, [0.1, 0.2, 0.3], 2)
