"""One exact sample of the fields, and what flows pass on from it."""

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.figure import Figure

from coarsegrain.figures.style import SIGNED_MAP, describe, lattice_axes, styled

Array = npt.NDArray[np.float64]
#: What the control's row is called.
DECIMATED = "fields,\ndecimated"
#: In units of a picture's root mean square: where colours end.
_REACH = 2.0


@styled
def samples_by_scale(table: pd.DataFrame) -> Figure:
    """Draw a row for every flow, a picture for every scale; fields of fewer sites come first.

    Args:
        table: columns ``L, T, flow, member, scale, row, column, field``; scale 1 holds the fields
            themselves. The first member of each flow is drawn; all have seen the same sample.
    """
    table = table[table["member"] == table["member"].min()]
    # a scale of one site is no picture
    scales = [int(each) for each in sorted(table["scale"].unique()) if each < table["L"].max()]
    by_flow = {str(flow): rows for flow, rows in table.groupby("flow", sort=False)}
    fields = lattice(next(iter(by_flow.values())), 1)
    rows = {DECIMATED: [fields[::scale, ::scale] for scale in scales]}
    for flow, of_flow in by_flow.items():
        rows[flow.replace(", ", ",\n")] = [lattice(of_flow, scale) for scale in scales]
    figure = Figure(figsize=(2.6 + 1.9 * len(scales), 1.4 + 1.8 * len(rows)), layout="constrained")
    panels = figure.subplots(len(rows), len(scales), squeeze=False)
    for line, (words, pictures) in zip(panels, rows.items()):
        for axes, picture in zip(line, pictures):
            size = float(np.sqrt((picture**2).mean()))
            reach = _REACH * size
            axes.imshow(picture, cmap=SIGNED_MAP, vmin=-reach, vmax=reach)
            axes.set_xlabel(f"rms {size:.2g}", fontsize=7, labelpad=2)
            lattice_axes(axes)
        line[0].set_ylabel(words, rotation=0, ha="right", va="center")
    for axes, scale in zip(panels[0], scales):
        axes.set_title(f"scale {scale}", loc="center")
    first = table.iloc[0]
    describe(
        figure,
        title=f"A sample, scale by scale, L = {first['L']}, T = {first['T']:.4g}",
        note="One exact sample of the fields (blue −, red +), of 50 that of the smallest mean, "
        "and what\nthe first member of each flow makes of it; colours end at twice the root mean "
        "square, which\nstands below each picture. First row: the fields themselves, on as few "
        "sites. An illustration.",
    )
    return figure


def lattice(rows: pd.DataFrame, scale: int) -> Array:
    """The fields of one flow on one scale."""
    here = rows[rows["scale"] == scale]
    return np.asarray(here.pivot_table(values="field", index="row", columns="column"))
