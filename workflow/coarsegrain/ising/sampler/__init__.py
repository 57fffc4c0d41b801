"""Independent lattices of the 2D Ising model, from a Wolff and heat-bath sampler on bit rows.

Or exact ones, by coupling from the past with the same heat bath.
"""

from coarsegrain.ising.equilibration import equilibration_steps
from coarsegrain.ising.sampler.coalescence import block_sweeps
from coarsegrain.ising.sampler.lattices import sample_lattices

__all__ = ["block_sweeps", "equilibration_steps", "sample_lattices"]
