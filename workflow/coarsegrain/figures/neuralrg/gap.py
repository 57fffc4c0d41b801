"""How far flows are from the Ising model, while they are trained and afterwards."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from coarsegrain.figures.style import GREY, describe, in_words, styled

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7")
MARKERS = ("o", "s", "^", "D")


def looks(flows: list[str]) -> dict[str, tuple[str, str]]:
    """A colour and a marker for every flow, in the tables' order."""
    return {
        flow: (COLOURS[k % len(COLOURS)], MARKERS[k % len(MARKERS)]) for k, flow in enumerate(flows)
    }


@styled
def gap(gaps: pd.DataFrame, training: pd.DataFrame, gaussian: pd.DataFrame) -> Figure:
    """Plot the gap by step, and both divergences of the trained flows.

    Args:
        gaps: columns ``L, T, flow, member, gap_nats, gap_error, forward_kl_nats, forward_kl_error,
            collapsed``.
        training: columns ``flow, member, step, gap_nats``.
        gaussian: columns ``symmetric, gap_nats``.
    """
    look = looks(list(dict.fromkeys(gaps["flow"])))
    figure = Figure(figsize=(9.6, 4.6), layout="constrained")
    by_step, both = figure.subplots(1, 2)
    best = float(gaussian[gaussian["symmetric"]]["gap_nats"].iloc[0])
    _draw_training(by_step, training, look)
    by_step.axhline(best, color=GREY, lw=1, ls=":", label="best Gaussian of two signs")
    by_step.set(xlabel="steps of Adam", ylabel="gap KL(q‖p) (nats), exact zero below", yscale="log")
    by_step.legend(loc="upper right")

    for flow, rows in gaps.groupby("flow", sort=False):
        colour, marker = look[str(flow)]
        for collapsed, which in rows.groupby("collapsed"):
            both.errorbar(
                which["gap_nats"], which["forward_kl_nats"], xerr=which["gap_error"],
                yerr=which["forward_kl_error"], color=colour, marker=marker, ls="", ms=6, lw=1,
                mfc="white" if collapsed else colour,
            )  # fmt: skip
        both.plot([], [], color=colour, marker=marker, ls="", label=str(flow))
    both.plot([], [], color=GREY, marker="o", mfc="white", ls="", label="collapsed")
    low = float(gaps[["gap_nats", "forward_kl_nats"]].clip(lower=1e-3).min().min()) / 1.5
    high = float(gaps[["gap_nats", "forward_kl_nats"]].max().max()) * 1.5
    both.plot([low, high], [low, high], color="black", lw=0.8, ls="--")
    both.set(xscale="log", yscale="log", xlabel="gap KL(q‖p) (nats)")
    both.set_ylabel("forward KL(p‖q) (nats)")
    both.legend(loc="lower right")
    first = gaps.iloc[0]
    describe(
        figure,
        title=f"How far flows are from the Ising model, L = {first['L']}, T = {first['T']:.4g}",
        note=f"{in_words(gaps['member'].nunique(), 'member')} of each flow. Left: mean over the "
        "fresh samples of 1/50 of the steps, ln ∫exp(−E) exact (Kaufman 1949). Right: trained "
        "flows, bars: standard errors;\nwhat the gap does not see, the forward KL does: far above "
        "the dashed line (equal) a flow leaves out parts of the distribution. Hollow: ⟨m²⟩ of the "
        "flow is off by more than 10 %, or\nits forward KL is more than ten times the gap.",
    )
    return figure


def _draw_training(axes: Axes, training: pd.DataFrame, look: dict[str, tuple[str, str]]) -> None:
    for flow, rows in training.groupby("flow", sort=False):
        for k, (_, member) in enumerate(rows.groupby("member")):
            axes.plot(
                member["step"], member["gap_nats"], color=look[str(flow)][0], lw=1.2,
                label=None if k else str(flow),
            )  # fmt: skip
