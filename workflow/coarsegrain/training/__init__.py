"""What the trainings of all studies share: the order of batches, and checkpoints."""
