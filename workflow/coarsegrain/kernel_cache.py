"""Compiled kernels on disk, each sealed: a spoilt one is compiled again and never run.

numba's own cache files have no checksum, so a file that a power loss cut short ends every later
process with an error. They also share an index that two processes may write at a time: one may then
find the other's machine code under its own key. Here every kernel has a file of its own, named
after its key, and a disk that takes none costs compiling again, no more.
"""

import contextlib
import hashlib
import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from numba.core.caching import FunctionCache, IndexDataCacheFile
from numba.core.runtime.nrt import rtsys

# In machine code that hashes: a name of the process's random key, known once a module is imported.
HASHES = b"_numba_hashsecret"


class SealedFiles(IndexDataCacheFile):
    """One function's compiled versions, and beside each file one with its SHA-256."""

    def load(self, key: Any) -> Any:
        """The version of a key; None if there is none that is whole and of this source."""
        name = self._name(key)
        try:
            content = Path(self._data_path(name)).read_bytes()
            if self._seal(name).read_bytes() != _checksum(content):
                return None
            if HASHES in content:
                importlib.import_module("numba.cpython.hashing")
            made_by, data = self._load_data(name)
        except OSError:
            return None
        return data if made_by == self._maker(key) else None

    def save(self, key: Any, data: Any) -> None:
        """Keep a version."""
        name, content = self._name(key), self._dump((self._maker(key), data))
        for path, what in (
            (self._data_path(name), content),
            (self._seal(name), _checksum(content)),
        ):
            with self._open_for_write(path) as file:
                file.write(what)

    def flush(self) -> None:
        """Nothing: there is no index to write."""

    def _maker(self, key: Any) -> Any:
        return self._version, self._source_stamp, repr(key)

    def _name(self, key: Any) -> str:
        name = hashlib.sha256(repr(key).encode()).hexdigest()[:16]
        return f"{self._index_name.removesuffix('.nbi')}.{name}.nbc"

    def _seal(self, name: str) -> Path:
        return Path(f"{self._data_path(name)}.sha256")


def _checksum(content: bytes) -> bytes:
    return hashlib.sha256(content).hexdigest().encode()


class KernelCache(FunctionCache):
    """numba's cache of one function, in sealed files."""

    def __init__(self, function: Callable[..., Any]) -> None:
        """Raise a RuntimeError if there is no folder for it that can be written to."""
        super().__init__(function)
        self._cache_file = SealedFiles(
            self._cache_path, self._impl.filename_base, self._impl.locator.get_source_stamp()
        )

    def load_overload(self, signature: Any, target_context: Any) -> Any:
        """A compiled version from disk; None if there is none.

        numba would first load what it compiles with: most of its modules, and scipy's linear
        algebra, in more time than many a kernel runs. Machine code needs none of it, but for the
        runtime that counts references to arrays. Before it compiles, numba loads it all the same.
        """
        data = self._cache_file.load(self._index_key(signature, target_context.codegen()))
        if data is None:
            return None
        rtsys.initialize(target_context)
        return self._impl.rebuild(target_context, data)

    def save_overload(self, signature: Any, data: Any) -> None:
        """Keep a compiled version, if the disk takes it."""
        with contextlib.suppress(OSError):
            super().save_overload(signature, data)


def cached(dispatcher: Any) -> Any:
    """Have numba keep what it compiles for ``dispatcher``, where there is room."""
    with contextlib.suppress(RuntimeError):
        dispatcher._cache = KernelCache(dispatcher.py_func)
    return dispatcher
