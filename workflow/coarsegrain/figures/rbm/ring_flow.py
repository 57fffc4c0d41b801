"""The flow of the 1D coupling, learned from correlation lengths, beside decimation's."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from coarsegrain.figures.style import GREY, describe, in_words, styled

# b → (colour, words)
SCALES = {2: "#0072B2", 3: "#D55E00"}
OTHER_SCALE = "#117733"
# source → (panel's title, half height of the panel, tolerance that is shown)
SOURCES = {
    "exact": ("from the exact ξ", 8e-4, 5e-4),
    "samples": ("from ξ of sampled rings", 4.5e-3, 3e-3),
}
# Members side by side, as a share of the distance of two couplings.
_SPREAD = 0.6


@styled
def ring_flow(table: pd.DataFrame) -> Figure:
    """Plot K' against K, and its difference from artanh(tanhᵇ K) by source.

    Args:
        table: columns ``b, source, member, K, K_learned, K_exact, K_error``. Sources that are not
            in ``SOURCES`` are left out, but for ``exact_plain_loss``, a thin line in the panel of
            ``exact``.
    """
    shown = [source for source in SOURCES if source in set(table["source"])]
    figure = Figure(figsize=(9.6, 3.4 + 2.0 * len(shown)), layout="constrained")
    flow, *panels = figure.subplots(
        1 + len(shown), 1, sharex=True, height_ratios=[1.7, 1, 1][: 1 + len(shown)]
    )
    _draw_flow(flow, table[table["source"].isin(shown)])
    for axes, source in zip(panels, shown):
        title, height, tolerance = SOURCES[source]
        axes.axhspan(-tolerance, tolerance, color="#eeeeee", label=f"±{tolerance:g}")
        axes.axhline(0, color="black", lw=0.8)
        of_source = table[table["source"] == source]
        scales = _scales(of_source)
        for rank, b in enumerate(scales):
            _draw_members(axes, b, of_source[of_source["b"] == b], rank, len(scales))
        if source == "exact":
            _draw_control(axes, table[table["source"] == "exact_plain_loss"])
        largest = float(
            (table["K_learned"] - table["K_exact"])[table["source"] == source].abs().max()
        )
        axes.set_ylim(-max(height, 1.1 * largest), max(height, 1.1 * largest))
        axes.set_title(f"Difference from decimation, {title}")
        axes.set_ylabel("K′ − exact")
        axes.ticklabel_format(axis="y", style="sci", scilimits=(0, 0), useMathText=True)
        axes.legend(loc="upper left", ncols=4)
    (panels[-1] if panels else flow).set_xlabel("coupling K = β (J = k$_B$ = 1)")
    counts = table[table["source"].isin(shown)].groupby("source")["member"].nunique()
    words = ", ".join(f"{in_words(counts[each], 'net')} {SOURCES[each][0]}" for each in shown)
    describe(
        figure,
        title="The group flow of the 1D Ising model, learned from its correlation length",
        note=f"The net is told that ξ(K′) = ξ(K)/b, never a formula of K′. For each b: {words}, "
        "each drawn (points of one K side by side).\nBars: standard error that follows from the "
        "measured lengths, every member with rings of its own; points of one member are correlated "
        "along K. Grey: what is asked for.",
    )
    return figure


def _scales(table: pd.DataFrame) -> list[int]:
    """The b of a table, from the smallest."""
    return sorted(table["b"].astype(int).unique().tolist())


def _colour(b: int) -> str:
    return SCALES.get(b, OTHER_SCALE)


def _draw_flow(axes: Axes, table: pd.DataFrame) -> None:
    ends = [table["K"].min(), table["K"].max()]
    axes.plot(ends, ends, color=GREY, lw=0.9, ls="--", label="unchanged: K′ = K")
    for b in _scales(table):
        rows = table[table["b"] == b]
        exact = rows.drop_duplicates("K").sort_values("K")
        axes.plot(
            exact["K"], exact["K_exact"], color=_colour(b), lw=1.2,
            label=f"exact, b = {b}: artanh(tanh$^{b}$ K)",
        )  # fmt: skip
        for source, marker in (("exact", "o"), ("samples", "x")):
            means = rows[rows["source"] == source].groupby("K")["K_learned"].mean()
            if len(means):
                axes.plot(
                    means.index, means, color=_colour(b), ls="", marker=marker, ms=5,
                    mfc="none", label=f"learned {SOURCES[source][0]}",
                )  # fmt: skip
    axes.set_ylabel("coupling K′ after the change of scale")
    axes.legend(loc="upper left")


def _draw_members(axes: Axes, b: int, rows: pd.DataFrame, rank: int, scales: int) -> None:
    """The differences of one b, the ``rank``-th of ``scales``, member beside member."""
    members = sorted(rows["member"].unique())
    couplings = np.sort(rows["K"].unique())
    distance = float(np.diff(couplings).min()) if len(couplings) > 1 else 0.1
    places = len(members) * scales
    label = f"b = {b}"
    for number, member in enumerate(members):
        one = rows[rows["member"] == member]
        place = (number * scales + rank + 0.5) / places - 0.5
        axes.errorbar(
            one["K"] + _SPREAD * distance * place,
            one["K_learned"] - one["K_exact"],
            yerr=one["K_error"] if one["K_error"].any() else None,
            color=_colour(b), ls="", marker="o", ms=2.5, lw=0.8, capsize=0, label=label,
        )  # fmt: skip
        label = f"_b = {b}, one more member"


def _draw_control(axes: Axes, rows: pd.DataFrame) -> None:
    label = "control: loss of ξ, not ln ξ"
    pairs = rows[["b", "member"]].drop_duplicates().to_numpy(dtype=int).tolist()
    for b, member in pairs:
        one = rows[(rows["b"] == b) & (rows["member"] == member)]
        axes.plot(
            one["K"], one["K_learned"] - one["K_exact"], color=_colour(b), lw=0.7, ls=":",
            label=label,
        )  # fmt: skip
        label = "_one more"
