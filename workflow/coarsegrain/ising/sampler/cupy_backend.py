"""The sampler on a GPU, through CuPy: ``kernels.cu``, in batches that fit the device's memory.

The lattices are those of the CPU, bit for bit. CuPy is imported only when a GPU is asked for.
"""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from coarsegrain.device import import_cupy
from coarsegrain.errors import DeviceError
from coarsegrain.ising.sampler.coalescence import block_sweeps
from coarsegrain.ising.sampler.layout import row_layout
from coarsegrain.ising.sampler.thresholds import thresholds

SOURCE = Path(__file__).with_name("kernels.cu")
#: Static shared memory of a block, the same on all CUDA devices.
_SHARED_BYTES = 48 * 1024
#: Words of work space per word of a lattice (``WORK_WORDS``, ``EXACT_WORDS`` of the source).
_WORK, _EXACT_WORK = 3, 4
#: Spins of a batch, at most: enough to fill the device, and a sign of life every so often.
_SPINS_PER_BATCH = 2**28
#: Threads of an exact run: more than run at once on any device. Each takes lattice after lattice.
_EXACT_THREADS = 2**18
_THREADS_PER_SPIN_BLOCK = 256

Progress = Callable[[int], None] | None


def compile_options(L: int) -> dict[str, int]:
    """What ``kernels.cu`` must be told: macros and their values."""
    words = _words(L)
    threads = 64 if words <= 16 else 32
    return {
        "SIDE": L,
        "THREADS": threads,
        "SHARED_WORK": int(8 * _WORK * words * threads <= _SHARED_BYTES),
        "EXACT_SHARED": int(8 * _EXACT_WORK * words * threads <= _SHARED_BYTES),
    }


def _words(L: int) -> int:
    layout = row_layout(L)
    return layout.word_rows * layout.words_per_row


@cache
def _kernels(cupy: Any, L: int) -> Any:
    """The compiled kernels of one side: seconds the first time, then from CuPy's own cache."""
    macros = tuple(f"-D{name}={value}" for name, value in compile_options(L).items())
    module = cupy.RawModule(code=SOURCE.read_text(), backend="nvrtc", options=macros)
    try:
        module.compile()
    except (cupy.cuda.compiler.CompileException, OSError, RuntimeError) as error:
        raise DeviceError(
            f"{SOURCE.name} cannot be compiled for L = {L} on this device; if NVRTC is missing, "
            f"install envs/requirements-gpu.lock, else use cpu. The compiler says: {error}"
        ) from error
    return module


def sample_hybrid_on_gpu(
    beta: npt.NDArray[np.float64],
    first_lattice: int,
    seed: int,
    L: int,
    steps: int,
    progress: Progress = None,
) -> npt.NDArray[np.int8]:
    """Sample lattices (n, L, L) by hybrid chains. Arguments are ``sample_lattices``'s, checked."""
    cupy, macros, words = import_cupy(), compile_options(L), _words(L)
    kernels, t = _kernels(cupy, L), thresholds(beta)
    threads, key = macros["THREADS"], _key(seed)
    spins = np.empty((len(beta), L, L), dtype=np.int8)

    def sample(start: int, stop: int) -> None:
        n = stop - start
        number = [np.uint32(n), np.uint32(first_lattice + start)]
        bond, against_2, against_4 = (cupy.asarray(values[start:stop]) for values in t)
        state = cupy.empty((words, n), dtype=np.uint64)
        scratch = cupy.empty(1 if macros["SHARED_WORK"] else _WORK * words * n, dtype=np.uint64)
        grid = (-(-n // threads),)
        kernels.get_function("cold_start")(grid, (threads,), (state, *number, *key))
        run = (np.uint32(1), np.uint32(steps))
        arguments = (state, bond, against_2, against_4, scratch, *number, *run, *key)
        kernels.get_function("advance")(grid, (threads,), arguments)
        _unpack(cupy, kernels, state, spins[start:stop])

    per_lattice = L * L + 8 * (words + 3 + (0 if macros["SHARED_WORK"] else _WORK * words))
    _in_batches(cupy, L, len(beta), per_lattice, sample, progress)
    return spins


def sample_exactly_on_gpu(
    beta: npt.NDArray[np.float64],
    first_lattice: int,
    seed: int,
    L: int,
    progress: Progress = None,
) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.int64]]:
    """Sample exactly (``coupling``): lattices (n, L, L), and how many sweeps each took (n,)."""
    cupy, macros, words = import_cupy(), compile_options(L), _words(L)
    kernels, t = _kernels(cupy, L), thresholds(beta)
    threads, key = macros["THREADS"], _key(seed)
    by_beta = {b: block_sweeps(b, L) for b in np.unique(beta).tolist()}
    blocks = np.array([by_beta[b] for b in beta.tolist()], dtype=np.uint64)
    spins = np.empty((len(beta), L, L), dtype=np.int8)
    sweeps = np.empty(len(beta), dtype=np.int64)

    def sample(start: int, stop: int) -> None:
        n = stop - start
        number = (np.uint32(n), np.uint32(first_lattice + start))
        values = (t.against_2, t.against_4, blocks)
        inputs = [cupy.asarray(each[start:stop]) for each in values]
        state = cupy.empty((words, n), dtype=np.uint64)
        counts = cupy.empty(n, dtype=np.int64)
        taken = cupy.zeros(1, dtype=np.uint32)
        grid = -(-min(n, _EXACT_THREADS) // threads)
        work = 1 if macros["EXACT_SHARED"] else _EXACT_WORK * words * grid * threads
        scratch = cupy.empty(work, dtype=np.uint64)
        arguments = (state, counts, *inputs, scratch, taken, *number, *key)
        kernels.get_function("exact")((grid,), (threads,), arguments)
        _unpack(cupy, kernels, state, spins[start:stop])
        counts.get(out=sweeps[start:stop])

    per_lattice = L * L + 8 * (words + 4 + (0 if macros["EXACT_SHARED"] else _EXACT_WORK * words))
    _in_batches(cupy, L, len(beta), per_lattice, sample, progress)
    return spins, sweeps


def _key(seed: int) -> tuple[np.uint32, np.uint32]:
    return np.uint32(seed & 0xFFFFFFFF), np.uint32(seed >> 32)


def _unpack(cupy: Any, kernels: Any, state: Any, spins: npt.NDArray[np.int8]) -> None:
    """Copy the device's words to spins (n, L, L) of the host, and wait for it."""
    on_device = cupy.empty(spins.shape, dtype=np.int8)
    grid = -(-spins.size // _THREADS_PER_SPIN_BLOCK)
    arguments = (state, on_device, np.uint32(len(spins)))
    kernels.get_function("unpack_spins")((grid,), (_THREADS_PER_SPIN_BLOCK,), arguments)
    on_device.get(out=spins)


def _in_batches(
    cupy: Any,
    L: int,
    n: int,
    bytes_per_lattice: int,
    sample: Callable[[int, int], None],
    progress: Progress,
) -> None:
    """Call sample(start, stop) for all of n lattices; halve the batch when memory runs out."""
    pool = cupy.get_default_memory_pool()
    free = cupy.cuda.runtime.memGetInfo()[0] + pool.free_bytes()
    batch = max(1, min(n, _SPINS_PER_BATCH // L**2, int(0.8 * free) // bytes_per_lattice))
    start = 0
    while start < n:
        stop = min(start + batch, n)
        full = ""
        try:
            sample(start, stop)
        except cupy.cuda.memory.OutOfMemoryError as error:
            full = str(error) or "out of memory"
        if not full:
            start = stop
            if progress is not None:
                progress(stop)
            continue
        # Only now is the failed batch's own memory given back: the error referred to it.
        pool.free_all_blocks()
        if batch == 1:
            raise DeviceError(
                f"GPU memory does not hold a single lattice of L = {L} ({full}); "
                "free memory on the GPU, or use cpu."
            )
        batch = (stop - start + 1) // 2
        print(
            f"GPU memory is full at {stop - start} lattices at once; "
            f"going on with {batch}. Nothing is lost.",
            flush=True,
        )
