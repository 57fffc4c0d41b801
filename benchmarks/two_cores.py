"""The sampler on two cores: two processes, as the pipeline runs two jobs."""

import multiprocessing
import time
from concurrent.futures import ProcessPoolExecutor

import numpy as np

from coarsegrain.ising.sampler import sample_lattices

_barrier = None


def _prepare(barrier, beta: float, L: int, options: dict[str, str]) -> None:
    """Compile in a new process."""
    global _barrier
    _barrier = barrier
    sample_lattices([beta], L, seed=1, **options)


def _sample(first: int, n: int, beta: float, L: int, options: dict[str, str]) -> float:
    """Seconds for n lattices, begun together with the other process."""
    _barrier.wait()
    start = time.perf_counter()
    sample_lattices(np.full(n, beta), L, seed=1, first_lattice=first, **options)
    return time.perf_counter() - start


class TwoCores:
    """Two processes that are kept, with their kernels compiled."""

    def __init__(self, beta: float, L: int, **options: str) -> None:
        """Start both; ``options`` are further arguments of ``sample_lattices``."""
        context = multiprocessing.get_context("spawn")
        self._arguments = (beta, L, options)
        self._pool = ProcessPoolExecutor(
            2, context, initializer=_prepare, initargs=(context.Barrier(2), *self._arguments)
        )
        self.lattices_per_second(1)

    def lattices_per_second(self, n: int) -> float:
        """Lattices per second of both together, n each."""
        jobs = [self._pool.submit(_sample, first, n, *self._arguments) for first in (0, n)]
        return 2 * n / max(job.result() for job in jobs)

    def close(self) -> None:
        """End both processes."""
        self._pool.shutdown()
