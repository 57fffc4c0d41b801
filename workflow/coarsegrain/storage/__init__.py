"""Files: lattices as NetCDF, weights as safetensors, tables as CSV. Everything read is checked."""
