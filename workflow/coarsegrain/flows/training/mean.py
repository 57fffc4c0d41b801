"""The last touch of a trained flow: the density of the mean of its latent variables, fitted.

KL(q‖p) makes a flow rare where it is worst: on lattices without order, while ⟨m²⟩ grows. What
latent variables have apart from their mean stays; the density of the mean, two modes and a spline
of 15 numbers or so, becomes the likeliest of exact samples. No net is computed again: it takes
seconds.
"""

from collections.abc import Iterable

import numpy as np

from coarsegrain.flows.blocks import to_blocks
from coarsegrain.flows.flow import Fields
from coarsegrain.flows.kernels.base import score_of_latent
from coarsegrain.flows.sublattice_flow import SublatticeFlow
from coarsegrain.flows.training.settings import TrainingSettings
from coarsegrain.training.plain_adam import adam_step

#: Steps of Adam, each over all samples.
SETTINGS = TrainingSettings(steps=1000, learning_rate=2e-2, warm_up=1)


def fit_mean(flow: SublatticeFlow, fields: Iterable[Fields]) -> None:
    """Fit the density of the mean to exact samples, in place.

    Args:
        flow: trained; its two modes and their spline are changed.
        fields: (n, L, L) samples of the target, part by part: all latent variables of many large
            lattices would take gigabytes.
    """
    # a mean of N variables, times √N, is to the kernel the only variable of a lattice of one site
    of_parts = [flow.latents_with_modes(part).sum(axis=1, keepdims=True) for part in fields]
    means = to_blocks(np.concatenate(of_parts) / flow.L)
    views = flow.architecture.views(flow.parameters)
    fitted = np.concatenate([views["modes"], views["mean"]])
    mean, square = np.zeros_like(fitted), np.zeros_like(fitted)
    score = np.empty_like(means)
    for step in range(SETTINGS.steps):
        gradient = np.zeros_like(fitted)
        modes, spline = np.split(fitted.astype(np.float32), [2])
        score_of_latent(means, modes, spline, score, True, gradient[:2], gradient[2:])
        rate = SETTINGS.learning_rate_of(step)
        adam_step(fitted, mean, square, gradient / means.size, step + 1, rate)
    views["modes"][:], views["mean"][:] = fitted[:2], fitted[2:]
    flow.refresh()
