"""Files: lattices as NetCDF, weights as safetensors, tables as CSV. Everything read is checked."""

from coarsegrain.storage.lattices import Lattices, read_lattices, write_lattices
from coarsegrain.storage.tables import read_table, write_table
from coarsegrain.storage.weights import read_weights, write_weights

__all__ = [
    "Lattices",
    "read_lattices",
    "read_table",
    "read_weights",
    "write_lattices",
    "write_table",
    "write_weights",
]
