"""What must be made again: outputs against their sidecars, for runs and for ``make verify``."""
