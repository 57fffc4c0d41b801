"""Encoders as matrices: how sparse they are, how near to a map, and which sites share units.

Layers are y = x W. A net of linear layers is the product of its weights; one of tanh is that to
first order around lattices of zeros, since tanh'(0) = 1. Only the products are a net's own: W₁M and
M⁻¹W₂ make the same encoder as W₁ and W₂, for any invertible M. What is measured of W₁ or W₂ alone
is a matter of how it was trained, too.

C = W Wᵀ is the matrix that Shukla & Thakur (2021, fig. 12) call the correlations of spins: C_ij
says how much the sites i and j share units. Here it is averaged over all translations of the torus,
and divided by its diagonal.
"""

import math

import numpy as np
import numpy.typing as npt

from coarsegrain.nets.network import Network
from coarsegrain.sparsity import hoyer_sparsity, participation_ratio

FloatArray = npt.NDArray[np.float64]
_DIGITS = 9  # of cosines that units are matched by: equal ones are so on every processor


def linear_maps(network: Network) -> dict[str, FloatArray]:
    """The weights of a net's first two layers, their product, and that of all if there are more.

    Args:
        network: two layers or more, linear or tanh, without biases.
    Returns:
        By name, each (inputs, outputs): ``W1``, ``W2``, ``W1W2``, and such as ``W1W2W3W4``.
    Raises:
        ValueError: a layer is no matrix, not even around zero, or there is only one.
    """
    if any(each.activation == "relu" or each.bias is not None for each in network.layers):
        raise ValueError("a layer with biases or ReLU is no matrix around zero.")
    weights = [each.weight.astype(np.float64) for each in network.layers]
    if len(weights) < 2:
        raise ValueError("an encoder has two layers.")
    maps = {"W1": weights[0], "W2": weights[1], "W1W2": weights[0] @ weights[1]}
    if len(weights) > 2:
        name, product = "W1W2", maps["W1W2"]
        for k, each in enumerate(weights[2:], start=3):
            name, product = f"{name}W{k}", product @ each
        maps[name] = product
    return maps


def unit_cosines(weights: FloatArray, others: FloatArray) -> FloatArray:
    """Cosine of the angle between each unit's weights and those of the unit of the same number.

    Args:
        weights: (inputs, units).
        others: (inputs, units).
    Returns:
        (units,) from -1 to 1; 0 where one of the two has no weights.
    """
    return np.asarray((_of_length_1(weights) * _of_length_1(others)).sum(axis=0))


def matched_units(
    weights: FloatArray, others: FloatArray
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Pairs of units such that the sum of their |cosines| is largest: the Hungarian assignment.

    Args:
        weights: (inputs, units).
        others: (inputs, other units).
    Returns:
        The numbers of the units in ``weights`` and of their partners, sorted by the latter; as many
        as there are of the fewer.
    """
    from scipy.optimize import linear_sum_assignment  # takes long, and few need it

    cosines = np.round(abs(_of_length_1(weights).T @ _of_length_1(others)), _DIGITS)
    partners, units = linear_sum_assignment(cosines.T, maximize=True)
    return units, partners


def spin_correlations(weights: FloatArray) -> FloatArray:
    """C = W Wᵀ by lattice displacement: the mean of C_ij over all pairs with site j = i + d.

    Args:
        weights: (L², units).
    Returns:
        (L, L) in units of the mean diagonal element, rows and columns of d from 0 on, periodic.
    Raises:
        ValueError: the inputs are no square lattice.
    """
    inputs, units = weights.shape
    L = _side(inputs, "inputs")
    power = abs(np.fft.rfft2(weights.T.reshape(units, L, L))) ** 2
    return _by_diagonal(np.fft.irfft2(power.sum(axis=0), s=(L, L)))


def correlations_by_offset(weights: FloatArray) -> FloatArray:
    """C = W Wᵀ along its diagonals: the mean of C_ij over all i, with j = i + k, periodic.

    With sites numbered row by row, L is one row of an L x L lattice and L/2 is half a row; L/2 is
    one row of the L x L/2 array that one decimation leaves.

    Args:
        weights: (inputs, units).
    Returns:
        (inputs,) in units of the mean diagonal element, by the offset k.
    """
    power = abs(np.fft.rfft(weights.T, axis=1)) ** 2
    return _by_diagonal(np.fft.irfft(power.sum(axis=0), n=len(weights)))


def neighbouring_cosines(weights: FloatArray) -> float:
    """Mean |cosine| of units that are neighbours on their lattice, periodic.

    Args:
        weights: (inputs, l²), units row by row on an l x l lattice.
    Raises:
        ValueError: the units are no square lattice.
    """
    inputs, units = weights.shape
    side = _side(units, "units")
    placed = _of_length_1(weights).T.reshape(side, side, inputs)
    pairs = [abs((placed * np.roll(placed, 1, axis=axis)).sum(axis=2)) for axis in (0, 1)]
    return float(np.mean(pairs))


def measures(weights: FloatArray, L: int, *, from_lattice: bool) -> dict[str, float]:
    """A map in numbers.

    Args:
        weights: (inputs, units).
        L: side of the lattices, which sets the offsets.
        from_lattice: the inputs are the sites of an L x L lattice; else they are a hidden layer.
    Returns:
        ``inputs_per_unit`` (participation ratio), ``share_of_inputs`` (that by the number of
        inputs) and ``hoyer_sparsity``, means over units with weights. Of maps from the lattice, or
        from as many inputs as one decimation leaves, ``at_offset_L`` and ``at_offset_half_L``: |C|
        beside the diagonal. Of maps from the lattice ``off_diagonal``, the largest |C| at any
        displacement but 0, and ``neighbouring_sites``, the mean |C| at a distance of 1. Nothing if
        all weights are 0.
    """
    fields = weights[:, weights.any(axis=0)].T
    if not len(fields):
        return {}
    inputs = len(weights)
    numbers = {"inputs_per_unit": float(participation_ratio(fields).mean())}
    numbers["share_of_inputs"] = numbers["inputs_per_unit"] / inputs
    if inputs > 1:
        numbers["hoyer_sparsity"] = float(hoyer_sparsity(fields).mean())
    if from_lattice or inputs == L * L // 2:
        by_offset = abs(correlations_by_offset(weights))
        numbers["at_offset_L"] = float(by_offset[L])
        numbers["at_offset_half_L"] = float(by_offset[L // 2])
    if from_lattice:
        correlations = abs(spin_correlations(weights))
        numbers["off_diagonal"] = float(correlations.ravel()[1:].max())
        numbers["neighbouring_sites"] = float((correlations[0, 1] + correlations[1, 0]) / 2)
    return numbers


def measures_beside(
    weights: FloatArray, coarse_graining: FloatArray, *, placed: bool
) -> dict[str, float]:
    """A map beside the coarse-graining that it may have found.

    Args:
        weights: (inputs, units).
        coarse_graining: (inputs, coarse sites), a hard-coded map.
        placed: the units are the coarse sites, one by one; else they are matched with them.
    Returns:
        ``cosine_with_map``, the mean over units, of |cosine| if they were matched. If every site of
        a square lattice has its unit, ``neighbouring_units``: see ``neighbouring_cosines``.
    """
    if placed:
        found = unit_cosines(weights, coarse_graining)
    else:
        units, partners = matched_units(weights, coarse_graining)
        weights = weights[:, units]
        found = abs(unit_cosines(weights, coarse_graining[:, partners]))
    numbers = {"cosine_with_map": float(found.mean())}
    sites = coarse_graining.shape[1]
    if weights.shape[1] == sites == round(sites**0.5) ** 2:
        numbers["neighbouring_units"] = neighbouring_cosines(weights)
    return numbers


def _side(sites: int, noun: str) -> int:
    side = math.isqrt(sites)
    if sites != side * side:
        raise ValueError(f"{sites} {noun} are no square lattice.")
    return side


def _of_length_1(weights: FloatArray) -> FloatArray:
    """Every unit's weights divided by their norm; those of a unit without any stay 0."""
    largest = abs(weights).max(axis=0)
    scaled = weights / np.where(largest == 0, 1, largest)
    norm = np.sqrt((scaled**2).sum(axis=0))
    return np.asarray(scaled / np.where(norm == 0, 1, norm))


def _by_diagonal(correlations: FloatArray) -> FloatArray:
    diagonal = float(correlations.flat[0])
    return np.asarray(correlations / diagonal if diagonal else correlations)
