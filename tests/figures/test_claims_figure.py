import itertools

import numpy as np
import pandas as pd
import pytest
from test_style_figure import DEFICIENCIES, lab

from checkouts import PROJECT
from coarsegrain.analysis.claims import COLUMNS, VERDICTS
from coarsegrain.analysis.claims_file import read_claims
from coarsegrain.figures.claims import VERDICT_COLOURS, claims


def row(**changes):
    whole = {
        "id": "A1", "paper": "P", "where": "III", "claim": "one loses less", "published": 0.06,
        "measured": 0.05, "low": 0.04, "high": 0.06, "interval": "95 %",
        "criterion": "above 0", "control": "c", "control_value": 0.01, "verdict": "reproduced",
        "reason": "r", "figure": "f",
    }  # fmt: skip
    return {name: (whole | changes)[name] for name in COLUMNS}


def untested(**changes):
    nothing = dict.fromkeys(("measured", "low", "high", "control_value"), np.nan)
    return row(verdict="not tested", criterion="", **nothing, **changes)


def drawn(*rows):
    figure = claims(pd.DataFrame(list(rows)))
    figure.draw_without_rendering()
    return figure


def texts(figure):
    return [text.get_text() for axes in figure.axes for text in axes.texts]


def dots(figure, marker):
    return [line for line in figure.axes[0].get_lines() if line.get_marker() == marker]


@pytest.mark.parametrize("verdict", VERDICT_COLOURS)
def test_a_verdict_is_told_in_words_and_in_its_colour(verdict):
    axes = drawn(row(verdict=verdict)).axes[0]
    (chip,) = (text for text in axes.texts if text.get_text() == verdict)
    assert chip.get_bbox_patch().get_facecolor()[:3] == pytest.approx(
        [int(VERDICT_COLOURS[verdict][0][k : k + 2], 16) / 255 for k in (1, 3, 5)]
    )


def test_every_verdict_that_is_drawn_has_a_colour():
    assert {*VERDICT_COLOURS, "not tested"} == set(VERDICTS)


@pytest.mark.parametrize("deficiency", DEFICIENCIES)
def test_verdicts_have_colours_that_can_be_told_apart(deficiency):
    for one, other in itertools.combinations(VERDICT_COLOURS.values(), 2):
        assert np.linalg.norm(lab(one[0], deficiency) - lab(other[0], deficiency)) > 15


def test_what_a_claim_would_be_if_its_trainings_had_converged_is_said():
    reason = "it still falls: B (2 %); as it stands: not reproduced, 0.1 (fails)"
    assert "as it stands: not reproduced" in texts(drawn(row(verdict="undecided", reason=reason)))
    assert not any("as it stands" in text for text in texts(drawn(row())))


def test_published_and_measured_are_on_one_scale():
    figure = drawn(row(published=0.05, measured=0.05, low=0.04, high=0.06))
    (diamond,), (dot,) = dots(figure, "D"), dots(figure, "o")
    assert diamond.get_xdata()[0] == dot.get_xdata()[0]
    figure = drawn(row(published=0.06))
    (diamond,), (dot,) = dots(figure, "D"), dots(figure, "o")
    assert diamond.get_xdata()[0] > dot.get_xdata()[0]


def test_numbers_are_written_beside_the_marks():
    assert {"A1", "one loses less", "0.06", "0.050 [0.040, 0.060]"} <= set(texts(drawn(row())))


def test_a_claim_published_in_words_has_no_diamond():
    figure = drawn(row(published="falls"))
    assert dots(figure, "D") == []
    assert "falls" in texts(figure)


def test_an_interval_that_goes_on_ends_in_arrows():
    assert dots(drawn(row()), ">") == dots(drawn(row()), "<") == []
    wide = drawn(row(low=-50, high=50))
    assert len(dots(wide, ">")) == len(dots(wide, "<")) == 1


def test_numbers_have_minus_signs_and_names_keep_their_hyphens():
    figure = drawn(row(measured=-0.05, low=-0.06, high=-0.04, criterion="Model-1: below -1"))
    assert "−0.050 [−0.060, −0.040]" in texts(figure)
    assert "III;  holds if Model-1 below −1" in texts(figure)


def test_words_of_neighbouring_columns_do_not_touch():
    wide = row(
        claim="Its fixed point is nearer to β_c than RG's", published="quantitatively",
        criterion="from the hottest lattices of all: within 0.02 of 0.4407",
        measured=-0.4035, low=-0.4075, high=-0.3995, interval="3σ", verdict="undecided",
        reason="it still falls: B (2 %); as it stands: not reproduced, 0.1 (fails)",
    )  # fmt: skip
    figure = drawn(wide, wide | {"published": "0.275/0.281, 0.338/0.341, 0.600/0.601"}, wide)
    boxes = [text.get_window_extent() for text in figure.axes[0].texts]
    scale = figure.axes[0].collections[0].get_window_extent()
    assert not any(one.overlaps(other) for one, other in itertools.combinations(boxes, 2))
    assert not any(box.overlaps(scale) for box in boxes)
    assert max(box.x1 for box in boxes) < figure.bbox.x1


def test_what_is_asked_is_broken_before_its_bounds():
    asked = "share that a soft majority explains: within 0.02 of 0.9"
    (words,) = (text for text in texts(drawn(row(criterion=asked))) if "holds if" in text)
    assert words.split("\n")[-1].endswith("within 0.02 of 0.9")


def test_claims_are_drawn_from_the_top_in_the_tables_order():
    axes = drawn(row(id="A7"), row(id="A10"), row(id="A9")).axes[0]
    heights = {text.get_text(): text.get_position()[1] for text in axes.texts}
    assert heights["A7"] < heights["A10"] < heights["A9"]
    assert axes.yaxis_inverted()


def test_what_was_not_tested_is_listed_with_the_reason():
    figure = drawn(row(), untested(id="A2", reason="needs a sweep"))
    assert any("A2  one loses less: needs a sweep" in text for text in texts(figure))
    assert "1 of 2" in figure.get_suptitle()


@pytest.mark.parametrize(
    "rows",
    [
        [untested()],
        [row(measured=np.nan, low=np.nan, high=np.nan, verdict="undecided")],
        [row(measured=0.0, low=0.0, high=0.0, published="words", control_value=np.nan)],
        [row(criterion="")],
    ],
)
def test_rows_with_little_to_draw_do_not_crash(rows):
    drawn(*rows)


@pytest.mark.parametrize("study", ["autoencoder", "rbm", "neuralrg"])
def test_every_published_claim_ends_before_the_scales(study):
    judged = [
        row(id=each.id, claim=each.claim)
        for each in read_claims(PROJECT / "workflow" / "claims" / f"{study}.yaml")
    ]
    axes = drawn(*judged).axes[0]
    words = {each["claim"] for each in judged}
    found = [text for text in axes.texts if text.get_text() in words]
    assert len(found) == len(judged)
    for text in found:
        right = axes.transData.inverted().transform(text.get_window_extent())[1, 0]
        assert right < 0, text.get_text()
