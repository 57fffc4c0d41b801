"""What a run will cost in time, told before it starts: ``python -m pipeline.estimate``."""
