"""Gaps of flows over the settings that variants change: sweeps and an ablation."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from coarsegrain.figures.neuralrg.gap import looks
from coarsegrain.figures.style import GREY, describe, styled

BASE = "base"
#: What the table has beside the settings.
MEASURED = ("L", "T", "flow", "member", "gap_nats")
#: Panels in a row.
ACROSS = 3
#: Words for settings on an axis; others are their key's last word.
WORDS = {
    "neuralrg.L": "L",
    "neuralrg.beta": "T",
    "neuralrg.patches.depth": "scales of the flow by patches",
}


@dataclass(frozen=True)
class Panel:
    """Variants that change the same settings.

    Attributes:
        heading: the settings, in words.
        places: where each variant stands: numbers, or words.
    """

    heading: str
    places: Mapping[str, float | str]

    @property
    def is_numeric(self) -> bool:
        """Whether the axis has numbers."""
        return not any(isinstance(place, str) for place in self.places.values())


@styled
def gap_by_setting(table: pd.DataFrame) -> Figure:
    """Plot both divergences of every flow whose rows a setting changes.

    Args:
        table: ``tables/variants/neuralrg_gaps.csv``: ``variant``, settings by dotted key, and
            columns ``L, T, flow, member, gap_nats, gap_error, forward_kl_nats, forward_kl_error,
            collapsed``.
    """
    found = panels(table)
    look = looks(list(dict.fromkeys(table["flow"])))
    rows = -(-len(found) // ACROSS)
    across = min(len(found), ACROSS)
    figure = Figure(figsize=(4.6 * across, 4.2 * rows + 0.5), layout="constrained")
    for axes, panel in zip(figure.subplots(rows, across, squeeze=False).flat, found):
        _draw(axes, table, panel, look)
    for axes in figure.axes[len(found) :]:
        axes.remove()
    for flow, (colour, marker) in look.items():
        figure.axes[0].plot([], [], color=colour, marker=marker, ls="-", label=flow)
    figure.axes[0].plot(
        [], [], color=GREY, marker="o", mfc="white", ls=":", label="forward KL(p‖q)"
    )
    figure.axes[0].legend(loc="best")
    describe(
        figure,
        title="What settings do to the gap",
        note="Filled, full lines: gap KL(q‖p) over the exact zero; hollow, dotted: forward KL(p‖q) "
        "on exact samples.\nA mark for each member, lines through their means. Flows that a "
        "setting does not touch are left out.",
    )
    return figure


def panels(table: pd.DataFrame) -> list[Panel]:
    """Variants by the settings in which they differ from the experiment; single ones together."""
    first = table.columns.get_loc(MEASURED[0])
    keys = list(table.columns[1:first])
    settings = table.drop_duplicates("variant").set_index("variant")[keys]
    changed: dict[tuple[str, ...], list[str]] = {}
    for variant, values in settings.drop(BASE).iterrows():
        mine = tuple(key for key in keys if str(values[key]) != str(settings.loc[BASE, key]))
        changed.setdefault(mine, []).append(str(variant))
    found, alone = [], {}
    for which, variants in changed.items():
        if len(variants) == 1 and not (len(which) == 1 and _numeric(settings, which[0], variants)):
            texts = [f"{_word(key)}: {settings.loc[variants[0], key]!s}" for key in which]
            alone[variants[0]] = "\n".join(texts)
        elif len(which) == 1:
            found.append(_sweep(settings, which[0], variants))
        else:
            names = {each: each for each in (BASE, *variants)}
            found.append(Panel(" and ".join(map(_word, which)), names))
    if alone:
        found.append(Panel("one change at a time", {BASE: "as it is", **alone}))
    return found


def _numeric(settings: pd.DataFrame, key: str, variants: Sequence[str]) -> bool:
    values = settings.loc[[BASE, *variants], key]
    numbers = pd.to_numeric(values, errors="coerce")
    return not bool(numbers.isna().any()) and not set(map(str, values)) <= {"True", "False"}


def _sweep(settings: pd.DataFrame, key: str, variants: Sequence[str]) -> Panel:
    which = [BASE, *variants]
    values = settings.loc[which, key]
    if not _numeric(settings, key, variants):
        return Panel(_word(key), {each: str(values[each]) for each in which})
    numbers = pd.to_numeric(values)
    if key == "neuralrg.beta":
        numbers = 1 / numbers
    return Panel(_word(key), {each: float(numbers[each]) for each in which})


def _word(key: str) -> str:
    return WORDS.get(key, key.rpartition(".")[2].replace("_", " "))


def _draw(
    axes: Axes, table: pd.DataFrame, panel: Panel, look: Mapping[str, tuple[str, str]]
) -> None:
    names = list(panel.places)
    order = names if not panel.is_numeric else sorted(names, key=lambda each: panel.places[each])
    x = {each: panel.places[each] if panel.is_numeric else k for k, each in enumerate(order)}
    shown = table[table["variant"].isin(names)]
    for flow, rows in shown.groupby("flow", sort=False):
        base = rows[rows["variant"] == BASE]["gap_nats"].to_numpy()
        by_variant = {name: each["gap_nats"].to_numpy() for name, each in rows.groupby("variant")}
        if all(len(each) == len(base) and (each == base).all() for each in by_variant.values()):
            continue
        colour, marker = look[str(flow)]
        for column, face, line in (
            ("gap_nats", colour, "-"), ("forward_kl_nats", "white", ":"),
        ):  # fmt: skip
            axes.plot(
                [x[each] for each in rows["variant"]], rows[column], color=colour, mfc=face,
                marker=marker, ms=4.5, ls="",
            )  # fmt: skip
            means = rows.groupby("variant")[column].mean()
            axes.plot(
                [x[each] for each in order], [means[each] for each in order], color=colour,
                ls=line, lw=1,
            )  # fmt: skip
    axes.set(yscale="log", ylabel="nats", title=panel.heading)
    if not panel.is_numeric:
        axes.set_xticks(range(len(order)), [str(panel.places[each]) for each in order])
        axes.tick_params(axis="x", labelrotation=60, labelsize=7.5)
