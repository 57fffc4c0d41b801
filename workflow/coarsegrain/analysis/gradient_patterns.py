"""Gradient patterns: how a latent variable responds to the fields, scale by scale.

∂z_a/∂x_i, mean over samples, by the displacement of site i from site a (S.-H. Li and L. Wang,
arXiv:1802.02840, show such patterns for their network). Of the latent variables of scale n, those
count whose row is an even and whose column an odd multiple of 2ⁿ; translations by 2ⁿ⁺¹ take one to
another, and the flow along, so that the mean over them is taken, too. What a linear map alone would
show, with no flow, is the pattern of ``decorrelation``.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

#: Of a field, to either side: latent variables in float32 have errors of some 1e-6.
STEP = 0.03
#: No smooth response moves a latent variable by more: the flow has taken the other sign.
_JUMP = 1.0


class Pattern(NamedTuple):
    """Mean response of a scale's latent variables.

    Attributes:
        scale: 2ⁿ, in sites.
        gradient: (L, L) by displacement; displacement 0 is at row and column L/2.
        error: (L, L) standard errors over samples.
        samples: how many were counted.
    """

    scale: int
    gradient: Array
    error: Array
    samples: int


def gradient_patterns(
    latents: Callable[[Array], Array], fields: Array, *, step: float = STEP
) -> list[Pattern]:
    """Measure the patterns of all scales, from the finest on, by central differences.

    A flow that makes x of z or of −z gives one of the two: every sample's responses get the sign
    with which Σ ∂z_i/∂x_i is positive. A sample is left out if the sign changes within a step.

    Args:
        latents: of fields (n, L, L), the same for the same numbers and shape of the fields.
        fields: (n, L, L) samples.
        step: of a field, up and down.
    """
    n, L, _ = fields.shape
    scales = [2**k for k in range(L.bit_length() - 1)]
    found = np.zeros((n, len(scales), L, L))
    trace, steady = np.zeros(n), np.ones(n, dtype=bool)
    for row in range(L):
        moved = np.repeat(fields[:, None], L, axis=1)  # (n, column, L, L)
        columns = np.arange(L)
        ends = []
        for sign in (1, -1):
            moved[:, columns, row, columns] += sign * step
            ends.append(latents(moved.reshape(-1, L, L)).reshape(moved.shape))
            moved[:, columns, row, columns] -= sign * step
        difference = ends[0] - ends[1]
        steady &= np.abs(difference).max(axis=(1, 2, 3)) < _JUMP
        response = difference / (2 * step)
        trace += response[:, columns, row, columns].sum(axis=1)
        for k, scale in enumerate(scales):
            even, odd = np.arange(0, L, 2 * scale), np.arange(scale, L, 2 * scale)
            down = (row - even + L // 2) % L
            for column in columns:
                right = (column - odd + L // 2) % L
                here = response[:, column][:, even[:, None], odd] / len(odd) ** 2
                found[:, k, down[:, None], right] += here
    found *= np.sign(trace)[:, None, None, None]
    found, number = found[steady], int(steady.sum())
    error = found.std(axis=0, ddof=1) / np.sqrt(number)
    return [
        Pattern(scale, gradient, of_gradient, number)
        for scale, gradient, of_gradient in zip(scales, found.mean(axis=0), error)
    ]


def decorrelation(fields: Array) -> Array:
    """The same pattern of the linear map that makes the plane waves' variances 1 over samples.

    Args:
        fields: (n, L, L), of mean 0.
    Returns:
        (L, L) by displacement, as above: the same for variables of all scales.
    """
    L = fields.shape[1]
    spectrum = (np.abs(np.fft.fft2(fields)) ** 2).mean(axis=0) / L**2
    pattern = np.fft.ifft2(1 / np.sqrt(spectrum)).real
    return np.asarray(np.roll(pattern, (L // 2, L // 2), axis=(0, 1)))
