"""Training of flows: from random weights to a density that stands for the target."""
