"""Independent lattices of the 2D Ising model, from a Wolff and heat-bath sampler on bit rows."""

from coarsegrain.ising.sampler.equilibration import equilibration_steps
from coarsegrain.ising.sampler.lattices import sample_lattices

__all__ = ["equilibration_steps", "sample_lattices"]
