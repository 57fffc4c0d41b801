"""Kernels of flows on a CPU: 32 samples at a time, one in each lane of a vector."""
