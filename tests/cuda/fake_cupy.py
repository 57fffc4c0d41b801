"""CuPy without a GPU: arrays are numpy's, CUDA sources are compiled as C, threads are loops.

What the project uses of CuPy is here, and nothing else.
"""

import ctypes
import re
import subprocess
import types
from importlib.machinery import ModuleSpec
from pathlib import Path

import numpy as np

SHIM = Path(__file__).parent / "shim" / "cuda_shim.c"
#: Options of NVRTC that C compilers know by another name.
C_OPTIONS = {"--fmad=false": "-ffp-contract=off"}
SCALARS = {np.uint32: ctypes.c_uint32, np.float32: ctypes.c_float, np.float64: ctypes.c_double}


class OutOfMemoryError(MemoryError):
    """What CuPy raises when the device is full."""


class CompileException(Exception):
    """What CuPy raises when NVRTC finds an error."""


class DeviceArray(np.ndarray):
    """An array that can be copied to the host."""

    def get(self, out=None):
        if out is None:
            return np.array(self)
        out[...] = self
        return out

    def set(self, values):
        assert values.flags.c_contiguous
        assert (values.dtype, values.shape) == (self.dtype, self.shape)
        self[...] = values


def launches(code: str) -> str:
    """A LAUNCH of cuda_shim.c for every kernel of the source."""
    lines = []
    for name, listed in re.findall(r"^KERNEL (\w+)\(([^)]*)\)", code, flags=re.MULTILINE):
        names = re.findall(r"(\w+)(?=,|$)", " ".join(listed.split()))
        lines.append(
            f"LAUNCH({name}, (u32 grid_size, u32 block_size, {listed}), ({', '.join(names)}))\n"
        )
    return "".join(lines)


def compile_as_c(code: str, options: tuple[str, ...], folder: Path) -> ctypes.CDLL:
    """The source as a shared library, compiled by the system's C compiler."""
    number = len(list(folder.iterdir()))
    source, started, library = (
        folder / f"kernels-{number}.{end}" for end in ("c", "launches", "so")
    )
    source.write_text(code)
    started.write_text(launches(code))
    together = 32 if re.search(r"\bLANES\b", code) else 1
    subprocess.run(
        ["cc", "-std=c11", "-O2", "-Wall", "-Wextra", "-Werror", "-Wno-unused-function",
         "-Wno-missing-field-initializers", "-Wno-unknown-pragmas", "-shared", "-fPIC",
         *(C_OPTIONS.get(option, option) for option in options), f"-DTOGETHER={together}",
         f'-DSOURCE="{source}"', f'-DLAUNCHES="{started}"', str(SHIM), "-lm", "-o", str(library)],
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
        return Kernel(getattr(self._library, f"launch_{name}"))


class Kernel:
    """A kernel that can be launched."""

    max_dynamic_shared_size_bytes = 48 * 1024

    def __init__(self, function):
        self._function = function
        function.restype = None

    def __call__(self, grid, block, arguments, *, shared_mem=0):
        assert shared_mem <= self.max_dynamic_shared_size_bytes
        (blocks,), (threads,) = grid, block
        self._function(*map(_as_c, (np.uint32(blocks), np.uint32(threads), *arguments)))


def _as_c(value):
    if isinstance(value, np.ndarray):
        assert value.flags.c_contiguous
        return ctypes.c_void_p(value.ctypes.data)
    return SCALARS[type(value)](value)  # as CuPy does: by the type of the number


def fake_cupy(
    folder: Path,
    *,
    free_bytes: int = 2**30,
    array_bytes: int = 2**62,
    shared_bytes: int = 227 * 1024,
):
    """A module that looks like CuPy on a device with so much memory.

    free_bytes: what the device says is free; array_bytes: the largest array there is room for;
    shared_bytes: shared memory that a block may ask for (an H100's).
    """
    cupy = types.ModuleType("cupy")
    cupy.__spec__ = ModuleSpec("cupy", None)  # so that it is found

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
        assert all(option.startswith(("-D", *C_OPTIONS)) for option in options)
        return RawModule(code, options, folder)

    cupy.empty, cupy.zeros, cupy.asarray, cupy.RawModule = empty, zeros, asarray, raw_module
    pool = types.SimpleNamespace(free_bytes=lambda: 0, free_all_blocks=lambda: None)
    cupy.get_default_memory_pool = lambda: pool
    runtime = types.SimpleNamespace(
        memGetInfo=lambda: (free_bytes, free_bytes),
    )
    attributes = {"MaxSharedMemoryPerBlockOptin": shared_bytes}
    cupy.cuda = types.SimpleNamespace(
        runtime=runtime,
        Device=lambda: types.SimpleNamespace(attributes=attributes),
        memory=types.SimpleNamespace(OutOfMemoryError=OutOfMemoryError),
        compiler=types.SimpleNamespace(CompileException=CompileException),
    )
    return cupy
