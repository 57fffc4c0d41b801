"""Local Shannon entropy of lattices taken as images, in bits (Shukla & Thakur 2021, III.C).

The entropy at a site is that of the values in its 3 x 3 neighbourhood, by
``skimage.filters.rank.entropy``. For two-valued images it equals H₂(p), p being the share of one
value in the window. skimage crops the window at the lattice's edges (the paper's setting);
``periodic`` wraps it around instead, as the lattice itself does. At single sites the two differ by
up to a bit.
"""

from typing import Literal

import numpy as np
import numpy.typing as npt
from skimage.filters import rank

Boundary = Literal["crop", "periodic"]
ImageName = Literal["sign", "rescale"]

NEIGHBOURHOOD = np.ones((1, 3, 3), dtype=np.uint8)  # within one lattice, never across lattices


def as_images(values: npt.NDArray[np.generic], how: ImageName) -> npt.NDArray[np.uint8]:
    """Turn spins or a net's real-valued outputs into grey images.

    Args:
        values: (n, rows, cols).
        how: ``sign``: 255 where positive, else 0; ``rescale``: linear from 0 at a lattice's
            smallest value to 255 at its largest.
    """
    if how == "sign":
        return np.where(np.greater(values, 0), np.uint8(255), np.uint8(0))
    real = values.astype(np.float64)
    low = real.min(axis=(1, 2), keepdims=True)
    span = real.max(axis=(1, 2), keepdims=True) - low
    scaled = np.divide(real - low, span, out=np.zeros_like(real), where=span > 0)
    return np.asarray(np.round(255 * scaled), dtype=np.uint8)


def local_entropy(
    images: npt.NDArray[np.uint8], *, boundary: Boundary = "crop"
) -> npt.NDArray[np.float64]:
    """Mean local entropy of each image.

    Args:
        images: (n, rows, cols) uint8.
        boundary: ``crop`` or ``periodic``.
    Returns:
        (n,) bits per site.
    """
    if boundary == "periodic":
        wrapped = np.pad(images, ((0, 0), (1, 1), (1, 1)), mode="wrap")
        entropies = rank.entropy(wrapped, NEIGHBOURHOOD)[:, 1:-1, 1:-1]
    else:
        entropies = rank.entropy(images, NEIGHBOURHOOD)
    return np.asarray(entropies.mean(axis=(1, 2)), dtype=np.float64)
