"""CuPy without a GPU: arrays are numpy's, kernels.cu is compiled as C, threads are loops.

What the backend uses of CuPy is here, and nothing else.
"""

import ctypes
import subprocess
import types
from pathlib import Path

import numpy as np

SHIM = Path(__file__).parent / "shim" / "cuda_shim.c"


class OutOfMemoryError(MemoryError):
    """What CuPy raises when the device is full."""


class CUDARuntimeError(RuntimeError):
    """What CuPy raises when there is no driver."""


class CompileException(Exception):
    """What CuPy raises when NVRTC finds an error."""


class DeviceArray(np.ndarray):
    """An array that can be copied to the host."""

    def get(self, out):
        out[...] = self


def compile_as_c(code: str, options: tuple[str, ...], folder: Path) -> ctypes.CDLL:
    """The source as a shared library, compiled by the system's C compiler."""
    number = len(list(folder.iterdir()))
    source, library = folder / f"kernels-{number}.c", folder / f"kernels-{number}.so"
    source.write_text(code)
    subprocess.run(
        ["cc", "-std=c11", "-O2", "-Wall", "-Wextra", "-Werror", "-Wno-unused-function",
         "-Wno-missing-field-initializers", "-shared", "-fPIC", *options,
         f'-DSOURCE="{source}"', str(SHIM), "-o", str(library)],
        check=True,
    )  # fmt: skip
    return ctypes.CDLL(str(library))


class RawModule:
    """Kernels of one source and one set of macros."""

    def __init__(self, code, options, folder):
        self._code, self._options, self._folder = code, options, folder

    def compile(self):
        self._library = compile_as_c(self._code, self._options, self._folder)

    def get_function(self, name):
        def kernel(grid, block, arguments):
            (blocks,), (threads,) = grid, block
            kernel = getattr(self._library, f"launch_{name}")
            kernel.restype = None
            kernel(*(_as_c(value) for value in (np.uint32(blocks), np.uint32(threads), *arguments)))

        return kernel


def _as_c(value):
    if isinstance(value, np.ndarray):
        assert value.flags.c_contiguous
        return ctypes.c_void_p(value.ctypes.data)
    assert isinstance(value, np.uint32)  # the only scalar type of the kernels
    return ctypes.c_uint32(int(value))


def fake_cupy(folder: Path, *, free_bytes: int = 2**30, array_bytes: int = 2**62):
    """A module that looks like CuPy on a device with so much memory.

    free_bytes: what the device says is free; array_bytes: the largest array there is room for.
    """
    cupy = types.ModuleType("cupy")

    def empty(shape, dtype):
        array = np.full(shape, 77, dtype=dtype).view(DeviceArray)  # memory that is not zero
        if array.nbytes > array_bytes:
            raise OutOfMemoryError(f"out of memory allocating {array.nbytes} bytes")
        return array

    def zeros(shape, dtype):
        return np.zeros(shape, dtype=dtype).view(DeviceArray)

    def asarray(values):
        return np.array(values).view(DeviceArray)

    def raw_module(*, code, backend, options):
        assert backend == "nvrtc"
        return RawModule(code, options, folder)

    cupy.empty, cupy.zeros, cupy.asarray, cupy.RawModule = empty, zeros, asarray, raw_module
    pool = types.SimpleNamespace(free_bytes=lambda: 0, free_all_blocks=lambda: None)
    cupy.get_default_memory_pool = lambda: pool
    runtime = types.SimpleNamespace(
        CUDARuntimeError=CUDARuntimeError,
        getDeviceCount=lambda: 1,
        memGetInfo=lambda: (free_bytes, free_bytes),
    )
    cupy.cuda = types.SimpleNamespace(
        runtime=runtime,
        memory=types.SimpleNamespace(OutOfMemoryError=OutOfMemoryError),
        compiler=types.SimpleNamespace(CompileException=CompileException),
    )
    return cupy
