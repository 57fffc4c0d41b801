"""The figures of divergences and couplings show the numbers of their tables."""

import numpy as np
import pandas as pd
import pytest

from coarsegrain.figures.rbm.couplings import SOURCES, couplings
from coarsegrain.figures.rbm.likelihood import GREY, METHODS, likelihood
from coarsegrain.figures.style import save

MACHINES = (("far", 0.0, 64, 4, 40.0), ("near", 0.01, 256, 64, 1.5), ("free", 0.0, 64, 16384, 8.0))
LIKELIHOODS = pd.DataFrame(
    [
        (*machine, method, value + shift, 0.2, believed, believed and method == "bar")
        for *machine, value in MACHINES
        for method, shift, believed in (
            ("ais", 0.1, value < 10), ("bar", 0.0, value < 30), ("data", -0.5, False),
        )
    ],
    columns=["machine", "l1", "n_hidden", "weights", "method", "kl_nats",
             "kl_error", "believed", "chosen"],
)  # fmt: skip
COUPLINGS = pd.DataFrame(
    [
        (machine, layer, source, operator, value + 0.01 * layer, 0.005, 0.02)
        for machine, layer in (("tied 4×4 ×4", 1), ("tied 4×4 ×1", 1), ("tied 4×4 ×4", 2))
        for source in SOURCES
        for operator, value in (("nn", 0.4), ("nnn", 0.05), ("third", -0.01), ("plaquette", 0.02))
    ],
    columns=["machine", "layer", "source", "operator", "coupling", "std_error", "spread"],
)


def drawn(axes, colour=None):
    """x and y of all error bars' points, sorted."""
    lines = [container.lines[0] for container in axes.containers]
    points = [each.get_xydata() for each in lines if colour in (None, each.get_color())]
    return np.concatenate(points) if points else np.empty((0, 2))


def test_divergences_are_those_of_the_table_and_sorted():
    (axes,) = likelihood(LIKELIHOODS).axes
    assert sorted(drawn(axes)[:, 0]) == sorted(LIKELIHOODS["kl_nats"])
    words = [each.get_text() for each in axes.get_yticklabels()]
    assert words == [
        "near\n256 hidden units\n64 weights, L1 0.01",
        "free\n64 hidden units\n16384 weights",
        "far\n64 hidden units\n4 weights",
    ]


def test_what_is_not_believed_is_grey_and_hollow():
    (axes,) = likelihood(LIKELIHOODS).axes
    grey = LIKELIHOODS.loc[~LIKELIHOODS["believed"], "kl_nats"]
    assert sorted(drawn(axes, GREY)[:, 0]) == sorted(grey)
    for container in axes.containers:
        assert (container.lines[0].get_markerfacecolor() == "white") == (
            container.lines[0].get_color() == GREY
        )


def test_members_with_equal_values_lie_apart():
    (axes,) = likelihood(pd.concat([LIKELIHOODS] * 3, ignore_index=True)).axes
    heights = drawn(axes)[:, 1]
    assert len(set(heights.round(6))) == len(heights) == 27


def test_rows_without_a_divergence_are_left_out():
    some = LIKELIHOODS.assign(kl_nats=LIKELIHOODS["kl_nats"].where(
        LIKELIHOODS["machine"] != "free"))  # fmt: skip
    (axes,) = likelihood(some).axes
    assert len(axes.get_yticklabels()) == 2


def test_couplings_are_those_of_the_table():
    _, *panels = couplings(COUPLINGS).axes
    for axes, operator in zip(panels, ("nn", "nnn", "third", "plaquette"), strict=True):
        for colour, source in ((SOURCES[each][0], each) for each in SOURCES):
            rows = COUPLINGS[
                (COUPLINGS["source"] == source) & (COUPLINGS["operator"] == operator)
            ].sort_values(["layer", "machine"])
            found = drawn(axes, colour)
            assert found[np.argsort(found[:, 0]), 1].tolist() == rows["coupling"].tolist()


def test_sources_and_methods_have_colours_of_their_own():
    for table in (SOURCES, METHODS):
        assert len({each[0] for each in table.values()}) == len(table)


@pytest.mark.parametrize(("draw", "table"), [(likelihood, LIKELIHOODS), (couplings, COUPLINGS)])
def test_figures_are_written(draw, table, tmp_path):
    save(draw(table), tmp_path / "a.pdf", tmp_path / "a.png")
    assert (tmp_path / "a.png").stat().st_size > 20_000
