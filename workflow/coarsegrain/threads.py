"""How many threads a job computes with, decided once, at the stage's edge."""

import numpy as np  # noqa: F401  loads the BLAS whose threads are limited here
from threadpoolctl import threadpool_limits


def use_threads(number: int) -> None:
    """Compute with so many CPU threads: the order of sums, and so the last bits, depend on it.

    This holds for the numeric libraries that are loaded by now, numpy's BLAS among them.
    """
    threadpool_limits(limits=number)
