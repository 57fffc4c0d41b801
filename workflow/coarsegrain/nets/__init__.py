"""Neural nets: architectures, losses, training, transfer of weights."""
