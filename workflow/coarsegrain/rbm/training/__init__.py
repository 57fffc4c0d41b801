"""Training of machines: persistent contrastive divergence, on CPUs and GPUs."""
