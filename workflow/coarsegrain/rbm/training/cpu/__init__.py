"""Training on a CPU: kernels whose sums have one order, whatever the processor."""
