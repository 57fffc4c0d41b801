"""How kernels are compiled: those of the sampler, and those that train nets."""

import os
from collections.abc import Callable
from typing import Any

import numba

from coarsegrain.kernel_cache import cached

# numba's own cache does not notice an edit in an imported file and would run old machine code.
# It is therefore off, unless the caller has pointed NUMBA_CACHE_DIR at a folder that belongs to
# this exact code and says so by setting COARSEGRAIN_KERNEL_CACHE.
_CACHE = bool(os.environ.get("COARSEGRAIN_KERNEL_CACHE"))


# Of functions that make no arrays: they do not count references to those that they are given, which
# in a loop over vectors takes as much time as the arithmetic, and twice as long to compile.
_LEAN = {"_nrt": False, "no_cpython_wrapper": True, "no_cfunc_wrapper": True}


def kernel(function: Callable[..., Any]) -> Any:
    """Decorate a function with loops: compiled on its own. It runs beside other threads."""
    return _compiled(function, nogil=True)


def lean_kernel(function: Callable[..., Any]) -> Any:
    """Decorate a function with loops that makes no arrays and is called by kernels alone."""
    return _compiled(function, nogil=True, **_LEAN)


def word_function(function: Callable[..., Any]) -> Any:
    """Decorate a function of single machine words: always inlined into the loops that call it.

    Loops over lanes become vector instructions that way.
    """
    return _compiled(function, forceinline=True)


def vector_function(function: Callable[..., Any]) -> Any:
    """The same of vectors, for lean kernels."""
    return _compiled(function, forceinline=True, **_LEAN)


def _compiled(function: Callable[..., Any], **options: Any) -> Any:
    compiled = numba.njit(error_model="numpy", **options)(function)
    return cached(compiled) if _CACHE else compiled
