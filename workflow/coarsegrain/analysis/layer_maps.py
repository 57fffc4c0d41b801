"""Layers of machines and nets as maps to a lattice of half the side, for the test of RG."""

import numpy as np
import numpy.typing as npt

from coarsegrain.nets.network import Network
from coarsegrain.rbm.machine import Machine, TiedMachine
from coarsegrain.rg.block_maps import BlockMap, dense_layer, tied_layer
from coarsegrain.rg.unit_placement import placed_units, upright

FloatArray = npt.NDArray[np.float64]


def machine_map(machine: Machine, *, sampled: bool) -> BlockMap:
    """The hidden layer of a machine, given its visible units.

    A machine is the same with hidden units turned upside down, weights and all: each is turned so
    that its weights' sum is positive. Units of a free machine stand where ``placed_units`` puts
    them; a tied machine's kernel serves lattices of any side.

    Args:
        machine: free with one hidden unit for each 2 x 2 block, or tied with one channel.
        sampled: hidden units are drawn; else they are the sign of their mean.
    Raises:
        ValueError: its hidden units are not as many as 2 x 2 blocks.
    """
    if isinstance(machine, TiedMachine):
        if machine.channels != 1 or machine.stride != 2:
            raise ValueError(
                f"{machine.channels} channels with stride {machine.stride} are no lattice of half "
                "the side; that takes 1 channel with stride 2."
            )
        kernel = machine.kernels[0].astype(np.float64)
        turned = kernel * upright(kernel.reshape(-1, 1))
        return tied_layer(turned, sampled=sampled)
    return _placed(machine.weights, machine.hidden_bias, sampled=sampled)


def code_map(network: Network) -> BlockMap:
    """The sign of a linear net's output, such as an autoencoder's code, units placed as above.

    Args:
        network: linear layers without biases, from L² inputs to L²/4 outputs.
    Raises:
        ValueError: it has other layers, or its outputs are not as many as 2 x 2 blocks.
    """
    if any(each.activation != "linear" or each.bias is not None for each in network.layers):
        raise ValueError("only a net of linear layers without biases is one matrix.")
    if len(network.layers) > 2:
        raise ValueError("the product of more than two layers is not computed exactly.")
    # multiples of 2⁻²⁴: their products' sums have no rounding error, whatever BLAS's order
    weights = [np.rint(each.weight.astype(np.float64) * 2**24) / 2**24 for each in network.layers]
    product = weights[0] if len(weights) == 1 else weights[0] @ weights[1]
    return _placed(product, None, sampled=False)


def encoder(network: Network, layers: int = 2) -> Network:
    """The first layers of a net: those from an autoencoder's lattice to its code."""
    return Network(network.layers[:layers])


def _placed(
    weights: npt.NDArray[np.floating], biases: npt.NDArray[np.floating] | None, *, sampled: bool
) -> BlockMap:
    signs = upright(weights)
    return dense_layer(
        weights * signs,
        placed_units(weights),
        sampled=sampled,
        biases=None if biases is None else biases * signs,
    )
