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


def kernel(function: Callable[..., Any]) -> Any:
    """Decorate a function with loops: compiled on its own. It runs beside other threads."""
    compiled = numba.njit(error_model="numpy", nogil=True)(function)
    return cached(compiled) if _CACHE else compiled


def word_function(function: Callable[..., Any]) -> Any:
    """Decorate a function of single machine words: always inlined into the loops that call it.

    Loops over lanes become vector instructions that way.
    """
    compiled = numba.njit(error_model="numpy", forceinline=True)(function)
    return cached(compiled) if _CACHE else compiled
