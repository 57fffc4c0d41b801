import itertools
import subprocess
import sys
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from coarsegrain.figures import style
from coarsegrain.figures.autoencoder import nets

# Deuteranopia and protanopia in linear RGB: Machado, Oliveira & Fernandes 2009, severity 1.
DEFICIENCIES = {
    "none": np.eye(3),
    "deuteranopia": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
    "protanopia": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
}
TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
SHARING_AN_AXIS = [
    [nets.NET_COLOURS[f"Model-{name}"] for name in ("1", "2", "2-CG", "3", "3-HCG")],
    list(nets.LATTICE_COLOURS.values()),
    [nets.NET_COLOURS["CG"], nets.NET_COLOURS["Model-1"]],
]


def lab(colour: str, deficiency: str) -> np.ndarray:
    """CIE L*a*b* of a colour as a reader with the deficiency sees it."""
    rgb = np.array(to_rgb(colour))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    seen = np.clip(DEFICIENCIES[deficiency] @ linear, 0, 1)
    x, y, z = np.cbrt(TO_XYZ @ seen / TO_XYZ.sum(axis=1))
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def drawing() -> Figure:
    with style.applied():
        figure = Figure(layout="constrained")
        axes = figure.subplots()
        axes.plot([0, 1], [0, 1], label="β")
        axes.imshow(np.eye(3))
        axes.legend()
        style.describe(figure, title="title", note="note", remakes="fig. 0")
    return figure


@pytest.mark.parametrize("deficiency", DEFICIENCIES)
@pytest.mark.parametrize("colours", SHARING_AN_AXIS)
def test_nets_that_share_an_axis_have_colours_that_can_be_told_apart(colours, deficiency):
    for one, other in itertools.combinations(colours, 2):
        distance = np.linalg.norm(lab(one, deficiency) - lab(other, deficiency))
        assert distance > 15, (one, other)  # some six times the least noticeable difference


def test_the_output_of_a_net_has_the_colour_of_the_net():
    assert nets.LATTICE_COLOURS["autoencoder"] == nets.NET_COLOURS["AE-WR"]
    assert nets.LATTICE_COLOURS["decimated"] == nets.NET_COLOURS["CG"]


def test_no_two_nets_have_the_same_colour():
    assert len(set(nets.NET_COLOURS.values())) == len(nets.NET_COLOURS)


def test_saving_a_figure_twice_gives_identical_bytes(tmp_path):
    figure = drawing()
    for name in ("first", "second"):
        style.save(figure, tmp_path / f"{name}.pdf", tmp_path / f"{name}.png")
    for ending in ("pdf", "png"):
        first, second = (tmp_path / f"{name}.{ending}" for name in ("first", "second"))
        assert first.read_bytes() == second.read_bytes()


def test_another_process_with_other_hashes_writes_identical_bytes(tmp_path):
    style.save(drawing(), tmp_path / "here.pdf", tmp_path / "here.png")
    program = (
        "from pathlib import Path; from coarsegrain.figures import style;"
        "from test_style_figure import drawing;"
        "style.save(drawing(), Path('there.pdf'), Path('there.png'))"
    )
    places = [str(Path(__file__).parent), str(Path(style.__file__).parents[2])]
    subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path += {places!r}; {program}"],
        cwd=tmp_path,
        env={"PYTHONHASHSEED": "7", "SOURCE_DATE_EPOCH": "1", "MPLCONFIGDIR": str(tmp_path)},
        check=True,
    )
    for ending in ("pdf", "png"):
        here, there = (tmp_path / f"{name}.{ending}" for name in ("here", "there"))
        assert here.read_bytes() == there.read_bytes()


def test_saved_files_carry_no_date(tmp_path):
    style.save(drawing(), tmp_path / "figure.pdf", tmp_path / "figure.png")
    assert b"Date" not in (tmp_path / "figure.pdf").read_bytes()
    assert b"tIME" not in (tmp_path / "figure.png").read_bytes()


def test_drawing_and_saving_leave_the_users_settings_as_they_were(tmp_path):
    before = dict(matplotlib.rcParams)
    style.save(drawing(), tmp_path / "figure.pdf", tmp_path / "figure.png")
    assert dict(matplotlib.rcParams) == before


def test_a_users_own_settings_do_not_change_the_figure(tmp_path):
    style.save(drawing(), tmp_path / "plain.pdf", tmp_path / "plain.png")
    with matplotlib.rc_context({"font.size": 20, "axes.facecolor": "red"}):
        style.save(drawing(), tmp_path / "own.pdf", tmp_path / "own.png")
    assert (tmp_path / "plain.png").read_bytes() == (tmp_path / "own.png").read_bytes()


def test_every_figure_says_in_grey_what_it_remakes():
    note = drawing().get_supxlabel()
    assert note.endswith("\nRemakes fig. 0.")


def test_numbers_of_members_read_as_english():
    assert style.in_words(1, "member") == "1 member"
    assert style.in_words(3, "member") == "3 members"
