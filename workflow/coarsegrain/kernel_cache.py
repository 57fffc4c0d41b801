"""Compiled kernels on disk, each sealed: a spoilt one is compiled again and never run.

numba's own cache files have no checksum, so a file that a power loss cut short ends every later
process with an error. They also share an index that two processes may write at a time: one may then
find the other's machine code under its own key. Here every kernel has a file of its own, named
after its key, and a disk that takes none costs compiling again, no more.
"""

import contextlib
import hashlib
import pickle
from collections.abc import Callable
from typing import Any

from numba.core.caching import FunctionCache, IndexDataCacheFile

SEAL_BYTES = hashlib.sha256().digest_size


class SealedFiles(IndexDataCacheFile):
    """One function's compiled versions."""

    def load(self, key: Any) -> Any:
        """The version of a key; None if there is none that is whole and of this source."""
        try:
            with open(self._path(key), "rb") as file:
                seal, content = file.read(SEAL_BYTES), file.read()
        except OSError:
            return None
        if seal != hashlib.sha256(content).digest():
            return None
        made_by, data = pickle.loads(content)
        return data if made_by == self._maker(key) else None

    def save(self, key: Any, data: Any) -> None:
        """Keep a version."""
        content = self._dump((self._maker(key), data))
        with self._open_for_write(self._path(key)) as file:
            file.write(hashlib.sha256(content).digest() + content)

    def flush(self) -> None:
        """Nothing: there is no index to write."""

    def _maker(self, key: Any) -> Any:
        return self._version, self._source_stamp, repr(key)

    def _path(self, key: Any) -> str:
        name = hashlib.sha256(repr(key).encode()).hexdigest()[:16]
        return str(self._data_path(f"{self._index_name.removesuffix('.nbi')}.{name}.nbc"))


class KernelCache(FunctionCache):
    """numba's cache of one function, in sealed files."""

    def __init__(self, function: Callable[..., Any]) -> None:
        """Raise a RuntimeError if there is no folder for it that can be written to."""
        super().__init__(function)
        self._cache_file = SealedFiles(
            self._cache_path, self._impl.filename_base, self._impl.locator.get_source_stamp()
        )

    def save_overload(self, signature: Any, data: Any) -> None:
        """Keep a compiled version, if the disk takes it."""
        with contextlib.suppress(OSError):
            super().save_overload(signature, data)


def cached(dispatcher: Any) -> Any:
    """Have numba keep what it compiles for ``dispatcher``, where there is room."""
    with contextlib.suppress(RuntimeError):
        dispatcher._cache = KernelCache(dispatcher.py_func)
    return dispatcher
