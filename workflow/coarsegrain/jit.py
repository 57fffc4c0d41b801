"""How kernels are compiled: those of the sampler, and those that train nets."""

import os
from typing import Any

import numba

# numba's own cache does not notice an edit in an imported file and would run old machine code.
# It is therefore off, unless the caller has pointed NUMBA_CACHE_DIR at a folder that belongs to
# this exact code and says so by setting COARSEGRAIN_KERNEL_CACHE.
_CACHE = bool(os.environ.get("COARSEGRAIN_KERNEL_CACHE"))

#: Decorator of functions with loops: compiled on their own. They run beside other threads.
kernel: Any = numba.njit(cache=_CACHE, error_model="numpy", nogil=True)

#: Decorator of functions of single machine words: always inlined, so that the loops over lanes
#: that call them become vector instructions.
word_function: Any = numba.njit(cache=_CACHE, error_model="numpy", forceinline=True)
