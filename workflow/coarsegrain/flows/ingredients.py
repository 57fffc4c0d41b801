"""What makes the flow by sublattices better, each part a switch: all on unless told.

A part that is off stays in the kernels, at the values where it does nothing: its parameters start
there and their derivatives are left out, so all flows of one size take the same time and differ in
nothing else.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from coarsegrain.flows.architecture import NEIGHBOURS, SHIFTS, Architecture
from coarsegrain.vector_math import logarithms

Array = npt.NDArray[np.float64]

#: Of the neighbours, how many are the nearest ones; they come first.
NEAREST = 4


@dataclass(frozen=True)
class Ingredients:
    """Switches.

    Attributes:
        whitening: fields are multiplied by a circulant matrix that starts as the square root of the
            exact coupling matrix, and is learned; otherwise by the root of its mean eigenvalue.
        modes: the mean of the latent variables has two modes and a spline; otherwise all latent
            variables are normal.
        splines: couplings bend what they change; otherwise they are affine, y = e^s (x + a) + b.
        window: neighbours that a site sees, 12 or the nearest 4.
        mean: a site also sees the mean of the other sublattice.
        path_gradients: what the parameters do to ln q at fixed fields is left out of gradients of
            the energy's loss, where its mean is 0.
    Raises:
        ValueError: the window is another one.
    """

    whitening: bool = True
    modes: bool = True
    splines: bool = True
    window: int = len(NEIGHBOURS)
    mean: bool = True
    path_gradients: bool = True

    def __post_init__(self) -> None:
        """Check the window."""
        if self.window not in (NEAREST, len(NEIGHBOURS)):
            raise ValueError(f"window is {self.window}; it must be {NEAREST} or {len(NEIGHBOURS)}.")


def start(
    architecture: Architecture,
    spectrum: Array,
    *,
    seed: int,
    ingredients: Ingredients = Ingredients(),
) -> Array:
    """Parameters at the start: nets of small uniform weights, splines and matrix as they are.

    Hidden units get weights of the variance 1/inputs, outputs none: all couplings start as the
    identity. The modes start two standard deviations of 1 from 0.

    Args:
        architecture: of the flow.
        spectrum: (L, L) eigenvalues of the coupling matrix K by wave vector.
        seed: of the weights.
        ingredients: what the flow has.
    Returns:
        (size,).
    """
    parameters = np.zeros(architecture.size)
    views = architecture.views(parameters)
    rng = np.random.default_rng(seed)
    for name, view in views.items():
        if name.endswith((".first", ".second")):
            view[:] = math.sqrt(3 / view.shape[1]) * (2 * rng.random(view.shape) - 1)
    views["modes"][:] = 2.0, 0.0
    switch_off(architecture, spectrum, ingredients, parameters)
    return parameters


def switch_off(
    architecture: Architecture, spectrum: Array, ingredients: Ingredients, parameters: Array
) -> None:
    """Put parameters (size,) of what is off where they do nothing, in place; arguments as above."""
    views = architecture.views(parameters)
    for name, view in views.items():
        if name.endswith(".first"):
            view[:, _unseen(ingredients)] = 0
    if not ingredients.modes:
        views["modes"][:] = 0
    if not ingredients.whitening:
        orbits = architecture.orbits.reshape(-1)
        views["spectrum"][orbits] = logarithms(spectrum.mean() / spectrum.reshape(-1)) / 2


def constrain(architecture: Architecture, ingredients: Ingredients, gradient: Array) -> None:
    """Leave out of a gradient (size,) what the switches keep as it is, in place."""
    views = architecture.views(gradient)
    unseen = _unseen(ingredients)
    for name, view in views.items():
        if name.endswith(".first"):
            view[:, unseen] = 0
        if not ingredients.splines and name.endswith((".last", ".spline")):
            _tie(view[SHIFTS:] if name.endswith(".last") else view)
    if not ingredients.modes:
        views["modes"][:] = 0
        views["mean"][:] = 0
    if not ingredients.whitening:
        views["spectrum"][:] = 0


def _unseen(ingredients: Ingredients) -> list[int]:
    """Inputs of nets that are not there."""
    mean = [] if ingredients.mean else [len(NEIGHBOURS)]
    return [*range(ingredients.window, len(NEIGHBOURS)), *mean]


def _tie(of_spline: Array) -> None:
    """Derivatives by a spline's numbers, one each or a row each, as those of a line's slope.

    A spline whose widths stay 0 and whose heights and slopes have one and the same logarithm is a
    line. What begins equal and gets equal derivatives stays equal.
    """
    bins = len(of_spline) // 3
    of_spline[:bins] = 0
    of_spline[bins:] = of_spline[bins:].sum(axis=0)
