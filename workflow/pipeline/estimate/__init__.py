"""How long a run will take, told before it starts: ``python -m pipeline.estimate``."""
