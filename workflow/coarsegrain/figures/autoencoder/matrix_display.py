"""How a large matrix is shown in a small panel.

A trained coarse-grainer's 1024×512 matrix has one large weight per column. In a panel of some
480 pixels, an ordinary image drops or averages away three of four elements and the large ones
flicker or vanish. Here each pixel-sized block of the matrix is shown by its element of largest
absolute value, sign included, so that no isolated large element is ever lost. The price: a block
shows the extremes of what it holds, so a homogeneous matrix looks a little stronger than it is.
"""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colorbar import Colorbar
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.ticker import FixedLocator
from numpy.typing import NDArray

from coarsegrain.figures.style import SIGNED_MAP

# Blocks along each side of a panel: about two pixels each in a 2.4-inch panel at 200 dpi.
MOST_BLOCKS = 256


def strongest_per_block(
    matrix: NDArray[np.floating], most_blocks: int = MOST_BLOCKS
) -> NDArray[np.floating]:
    """Shrink a matrix to its element of largest absolute value in each block, sign included.

    Args:
        matrix: (rows, columns).
        most_blocks: blocks per side that the result has at most.
    Returns:
        The matrix itself where a side has at most ``most_blocks`` elements.
    """
    rows, columns = matrix.shape
    tall, wide = -(-rows // most_blocks), -(-columns // most_blocks)
    padded = np.pad(matrix, ((0, -rows % tall), (0, -columns % wide)))
    blocks = padded.reshape(padded.shape[0] // tall, tall, padded.shape[1] // wide, wide)
    highest, lowest = blocks.max(axis=(1, 3)), blocks.min(axis=(1, 3))
    strongest: NDArray[np.floating] = np.where(highest >= -lowest, highest, lowest)
    return strongest


def draw_matrix(axes: Axes, matrix: NDArray[np.floating], scale: float) -> AxesImage:
    """Draw a matrix on a symmetric scale from −scale to scale; ticks count its own elements."""
    rows, columns = matrix.shape
    axes.grid(False)
    axes.xaxis.set_major_locator(FixedLocator(list(range(0, columns, max(columns // 4, 1)))))
    axes.yaxis.set_major_locator(FixedLocator(list(range(0, rows, max(rows // 4, 1)))))
    for spine in axes.spines.values():
        spine.set_visible(True)
    return axes.imshow(
        strongest_per_block(matrix),
        cmap=SIGNED_MAP,
        vmin=-scale,
        vmax=scale,
        extent=(-0.5, columns - 0.5, rows - 0.5, -0.5),
        aspect="auto",
        interpolation="nearest",  # matplotlib's own choice would blend neighbours
    )


def draw_scale(figure: Figure, image: AxesImage, columns: list[Axes], label: str) -> Colorbar:
    """Draw the colour bar of a symmetric scale under the panels that share it."""
    bar = figure.colorbar(image, ax=columns, location="bottom", extend="both", aspect=30, pad=0.02)
    _, scale = image.get_clim()
    bar.set_ticks([-scale, 0, scale], labels=[f"−{scale:.2g}", "0", f"{scale:.2g}"])
    bar.set_label(f"{label} (scale of this column only)")
    return bar
