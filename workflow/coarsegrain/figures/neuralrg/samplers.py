"""What an independent lattice costs, by sampler, and whether all sample the same model."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from coarsegrain.figures.neuralrg.gap import COLOURS
from coarsegrain.figures.style import GREY, describe, in_words, styled

#: The rows that ⟨m²⟩ is compared with.
REFERENCE = "independent lattices"
#: What needs the flow, what does not.
_WITH_FLOW = ("latent HMC", "flow proposals", "reweighting")


@styled
def samplers(table: pd.DataFrame) -> Figure:
    """Plot ⟨m²⟩ and evaluations per independent sample of every sampler.

    Args:
        table: columns ``L, T, flow, member, method, m2, m2_error, evaluations_per_independent,
            evaluations_error``, with rows of the method ``REFERENCE``.
    """
    methods = list(dict.fromkeys(table["method"]))
    figure = Figure(figsize=(9.6, 1.6 + 0.42 * len(methods)), layout="constrained")
    squared, cost = figure.subplots(1, 2, sharey=True)
    reference = table[table["method"] == REFERENCE].iloc[0]
    low, high = (reference["m2"] + sign * reference["m2_error"] for sign in (-1, 1))
    squared.axvspan(low, high, color="#DDDDDD", lw=0, zorder=0)
    squared.axvline(reference["m2"], color="black", lw=0.8)
    _draw(squared, table, methods, "m2", "m2_error")
    _draw(cost, table, methods, "evaluations_per_independent", "evaluations_error")
    squared.set_xlabel("⟨m²⟩")
    cost.set(xscale="log", xlabel="evaluations per independent sample")
    squared.set_yticks(range(len(methods)), methods)
    squared.invert_yaxis()
    first = table.iloc[0]
    describe(
        figure,
        title=f"Sampling with a flow and without, L = {first['L']}, T = {first['T']:.4g}",
        note=f"{in_words(table['member'].nunique(), 'member')} of the flow ({first['flow']}); "
        "bars: standard errors. Blue: with the flow. Left: line and band are independent lattices. "
        "Right: evaluations in 2τ steps, τ = ½ + Σρ of m²\n(reweighting: samples by effective "
        "ones). An evaluation is one pass over all sites; it takes far longer through the flow "
        "than without. No point: chains too short to tell τ.",
    )
    return figure


def _draw(axes: Axes, table: pd.DataFrame, methods: list[str], value: str, error: str) -> None:
    members = sorted(table["member"].unique())
    for height, method in enumerate(methods):
        rows = table[(table["method"] == method) & table[value].notna()]
        shift = [0.12 * (members.index(each) - (len(members) - 1) / 2) for each in rows["member"]]
        axes.errorbar(
            rows[value], [height + each for each in shift], xerr=rows[error].fillna(0),
            color=COLOURS[0] if method in _WITH_FLOW else GREY, marker="o", ls="", ms=4, lw=1,
        )  # fmt: skip
