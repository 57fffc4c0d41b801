"""A claim on a GPU: no other job on this machine gets it until this process has ended.

A claim holds names in the kernel's table of abstract Unix sockets (man 7 unix), made of the GPU's
UUID. Only one socket of the machine can have a name; the kernel frees it when the process is gone,
however it died. Lock files would need a folder that all users may write to, that is no network file
system, and that nobody cleans while a long training runs. ``ss -xap | grep coarsegrain-gpu`` lists
the claims. Containers with a network of their own have a table of their own.
"""

import errno
import importlib.util
import os
import socket
import time
from collections.abc import Callable, Sequence

from coarsegrain.errors import DeviceError
from pipeline.gpus.visible import SPLIT, VARIABLE, Gpu, visible_gpus

#: Says how many jobs may share a GPU; the workflow sets it (config ``jobs_per_gpu``).
SHARING = "COARSEGRAIN_JOBS_PER_GPU"
#: Names of a GPU. One job takes them all, and one of n that share a GPU an n-th: so a job that is
#: to be alone and jobs that may share keep apart. At most so many may share.
SHARES = 16
#: Two tries of a job that waits. Starting a job takes longer: none that comes later overtakes it.
SECONDS_BETWEEN_TRIES = 0.5
SECONDS_BETWEEN_LINES = 300.0


class Claim:
    """A share of a GPU, held until ``release`` or the end of the process."""

    def __init__(self, gpu: Gpu, names: list[socket.socket]) -> None:
        self.gpu = gpu
        self._names = names

    def release(self) -> None:
        """Let others have it; only right for a process that computed nothing on it."""
        global _held
        _held = None
        _close(self._names)


# Once CUDA runs in a process, that stays on its GPU: a process claims once.
_held: Claim | None = None


def take_device(name: str, choose: Callable[[str], str]) -> str:
    """Resolve ``auto``, ``cpu`` or ``cuda`` by ``choose``, on a GPU of this process's own.

    Where there are GPUs, ``auto`` waits for one as ``cuda`` does: it must not depend on what else
    runs where a net is trained.

    Args:
        name: ``auto``, ``cpu`` or ``cuda``.
        choose: what resolves it to ``cpu`` or ``cuda``, and tells what is missing.
    Raises:
        DeviceError: as ``choose`` and ``claim_gpu``.
    """
    # Without CuPy nothing here computes on a GPU; choose says so.
    claim = None if name == "cpu" or not _has_cupy() else claim_gpu()
    device = choose(name)
    if device == "cpu" and claim is not None:
        claim.release()
    if device == "cuda" and claim is None:
        raise DeviceError(
            f"there is a GPU, but the NVIDIA driver shows none to claim ({VARIABLE} is "
            f"{os.environ.get(VARIABLE, 'not set')}); see whether nvidia-smi works, or use cpu."
        )
    return device


def claim_gpu() -> Claim | None:
    """Claim a GPU for this process and make it the only visible one; wait until one is free.

    To be called before anything in this process asks CUDA for its devices.

    Returns:
        The claim, the same at every call; None where no GPU is visible.
    Raises:
        DeviceError: the driver breaks off, or names cannot be held.
    """
    global _held
    if _held is None:
        gpus, sharing = visible_gpus(), _sharing()
        if not gpus:
            return None
        _held, waited = _first_free(gpus, sharing)
        # One alone is left as it is: an unlisted instance of a split GPU goes by no other word.
        if len(gpus) > 1 or _held.gpu.visible.startswith(SPLIT):
            os.environ[VARIABLE] = _held.gpu.visible
        which = f"GPU {gpus.index(_held.gpu) + 1} of {len(gpus)}"
        shared = f", shared by up to {sharing} jobs" if sharing > 1 else ""
        after = f", after {_told(waited)} of waiting" if waited else ""
        print(f"{which}: {_held.gpu.name} ({_held.gpu.uuid}){shared}{after}", flush=True)
    return _held


def gpu_slots(device: str, jobs_per_gpu: int) -> int:
    """How many jobs find a GPU here at a time; 0 if, on the ``cpu``, none looks for one.

    Raises:
        DeviceError: the driver breaks off.
    """
    return 0 if device == "cpu" else jobs_per_gpu * len(visible_gpus())


def _has_cupy() -> bool:
    return importlib.util.find_spec("cupy") is not None


def _sharing() -> int:
    """How many jobs may share a GPU."""
    text = os.environ.get(SHARING, "1")
    if not (text.isdecimal() and 1 <= int(text) <= SHARES):
        raise DeviceError(f"{SHARING} is {text!r}; it must be an integer from 1 to {SHARES}.")
    return int(text)


def _first_free(gpus: Sequence[Gpu], sharing: int) -> tuple[Claim, float]:
    """A claim on the first GPU with room for this job, and for how many seconds it waited."""
    begin = time.monotonic()
    told: float | None = None
    size = SHARES // sharing
    while True:
        for share in range(sharing):  # an empty GPU before one that others compute on
            for gpu in gpus:
                names = _names(gpu, range(share * size, (share + 1) * size))
                if names:
                    return Claim(gpu, names), 0.0 if told is None else time.monotonic() - begin
        now = time.monotonic()
        if told is None:
            full = "the only one is" if len(gpus) == 1 else f"all {len(gpus)} are"
            print(f"waiting for a GPU: {full} in use", flush=True)
            told = now
        elif now - told >= SECONDS_BETWEEN_LINES:
            print(f"still waiting for a GPU, for {_told(now - begin)} now", flush=True)
            told = now
        time.sleep(SECONDS_BETWEEN_TRIES)


def _names(gpu: Gpu, shares: range) -> list[socket.socket]:
    """Hold these names of a GPU, all or none."""
    held: list[socket.socket] = []
    for share in shares:
        try:
            # Names of streams and datagrams do not exclude each other: always this type.
            held.append(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
            held[-1].bind(f"\0coarsegrain-gpu-{gpu.uuid}-{share}".encode())
        except OSError as error:
            _close(held)
            if error.errno == errno.EADDRINUSE:
                return []
            raise DeviceError(
                f"GPU {gpu.uuid} cannot be claimed on this machine ({error.strerror}), so nothing "
                "would keep two jobs from sharing it; use cpu."
            ) from error
    return held


def _close(names: Sequence[socket.socket]) -> None:
    for each in names:
        each.close()


def _told(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
