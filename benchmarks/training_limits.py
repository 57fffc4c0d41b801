"""What a step cannot do without: its matrix products by BLAS, Adam's pass over the weights."""

import ctypes
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from coarsegrain.jit import kernel
from coarsegrain.nets.training.adam import adam_constants, adam_update, step_sizes
from training_problems import Problem

#: Adam's steps on one unit of a shallow net before the next unit's turn, as in its trainer.
STEPS_PER_UNIT = 100


@kernel
def _adam_unit_by_unit(w, m, v, gradient, step_size, constants, steps):
    """``steps`` steps for each unit, whose weights stay in the cache."""
    for unit in range(w.shape[0]):
        for _ in range(steps):
            adam_update(w[unit], m[unit], v[unit], gradient[unit], step_size, constants)


class Limits:
    """The parts of one step, on arrays of its sizes."""

    def __init__(self, problem: Problem) -> None:
        rng = np.random.default_rng(1)
        batch = problem.settings.batch_size
        self._shallow = problem.is_shallow
        self._weights = [layer.weight for layer in problem.trained]
        sizes = [len(self._weights[0]), *(w.shape[1] for w in self._weights)]
        self._y = [rng.normal(size=(batch, n)).astype(np.float32) for n in sizes]
        self._slopes = [np.zeros_like(y) for y in self._y[1:]]
        self._gradients = [np.empty_like(w) for w in self._weights]
        self._out = [np.empty_like(y) for y in self._y]
        self._step_size = step_sizes(problem.settings, 0, 1, np.float32)[0]
        self._constants = adam_constants(problem.settings, np.float32)
        # Means, squares and gradients of 0.01, not 0: denormal numbers would be slow.
        self._adam = [
            (w.T.copy(), *(np.full(w.shape[::-1], 0.01, w.dtype) for _ in range(3)))
            for w in self._weights
        ]

    def products(self, seconds: float) -> float:
        """Seconds per step in its matrix products: outputs, gradients, slopes behind."""
        return _per_call(self._products, seconds)

    def adam(self, seconds: float) -> float:
        """Seconds per step in Adam's pass over the weights."""
        if self._shallow:
            return _per_call(self._adam_unit_by_unit, seconds) / STEPS_PER_UNIT
        return _per_call(self._adam_at_once, seconds)

    def _products(self) -> None:
        for k, (w, slopes) in enumerate(zip(self._weights, self._slopes, strict=True)):
            np.matmul(self._y[k], w, out=self._out[k + 1])
            np.matmul(self._y[k].T, slopes, out=self._gradients[k])
            if k:
                np.matmul(slopes, w.T, out=self._out[k])

    def _adam_unit_by_unit(self) -> None:
        (arrays,) = self._adam
        _adam_unit_by_unit(*arrays, self._step_size, self._constants, STEPS_PER_UNIT)

    def _adam_at_once(self) -> None:
        for arrays in self._adam:
            adam_update(*(each.reshape(-1) for each in arrays), self._step_size, self._constants)


def _per_call(call: Callable[[], None], seconds: float) -> float:
    """Processor time of one call, from as many as take about so long."""
    call()  # compiles
    calls, taken = 0, 0.0
    start = time.process_time()
    while taken < seconds or not calls:
        call()
        calls, taken = calls + 1, time.process_time() - start
    return taken / calls


def blas_kernels() -> str:
    """Which processor's kernels numpy's OpenBLAS has chosen: it does not know every newer one."""
    for library in (Path(np.__file__).parent.parent / "numpy.libs").glob("*openblas*"):
        loaded = ctypes.CDLL(str(library))
        for name in ("scipy_openblas_get_corename64_", "openblas_get_corename"):
            if hasattr(loaded, name):
                corename = getattr(loaded, name)
                corename.restype = ctypes.c_char_p
                return corename().decode()
    return "unknown"
