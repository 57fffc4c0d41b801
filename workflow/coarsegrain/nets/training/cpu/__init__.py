"""Steps of training on a CPU, compiled by numba, one member at a time."""
