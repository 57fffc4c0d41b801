"""The last touch of a trained flow: the density of the mean of its latent variables, fitted.

KL(q‖p) makes a flow rare where it is worst: on lattices without order, while ⟨m²⟩ grows. What
latent variables have apart from their mean stays; the density of the mean, two modes and a spline
of 15 numbers or so, becomes the likeliest of exact samples. No net is computed again: it takes
seconds.
"""

import numpy as np

from coarsegrain.flows.blocks import to_blocks
from coarsegrain.flows.flow import Fields
from coarsegrain.flows.kernels.base import score_of_latent
from coarsegrain.flows.sublattice_flow import SublatticeFlow
from coarsegrain.training.plain_adam import adam_step

#: Steps of Adam over all samples, and their size, falling like that of a flow's training.
STEPS, RATE = 1000, 2e-2


def fit_mean(flow: SublatticeFlow, fields: Fields) -> None:
    """Fit the density of the mean to exact samples, in place.

    Args:
        flow: trained; its two modes and their spline are changed.
        fields: (n, L, L) samples of the target.
    """
    latents = flow.latents_with_modes(fields)
    sites = latents.shape[1]
    # a mean of N variables, times √N, is to the kernel the only variable of a lattice of one site
    means = to_blocks(latents.sum(axis=1, keepdims=True) / np.sqrt(sites))
    views = flow.architecture.views(flow.parameters)
    fitted = np.concatenate([views["modes"], views["mean"]])
    mean, square = np.zeros_like(fitted), np.zeros_like(fitted)
    score = np.empty_like(means)
    for step in range(STEPS):
        gradient = np.zeros_like(fitted)
        modes, spline = np.split(fitted.astype(np.float32), [2])
        score_of_latent(means, modes, spline, score, True, gradient[:2], gradient[2:])
        rate = RATE * (1 - (step / STEPS) ** 2) ** 2
        adam_step(fitted, mean, square, gradient / means.size, step + 1, rate)
    views["modes"][:], views["mean"][:] = fitted[:2], fitted[2:]
    flow.refresh()
