"""The two-dimensional Ising model: exact results, observables and a sampler.

``from coarsegrain.ising import sample_lattices`` works, and loads the sampler's compiler (numba)
only then: ``import coarsegrain.ising.exact`` does without.
"""

import importlib
from typing import Any

# By name, not by an import statement: the digest of a stage follows import statements, and an
# edit of the sampler must not make a stage run again that uses exact results only.
_FROM_SAMPLER = ("equilibration_steps", "sample_lattices")


def __getattr__(name: str) -> Any:
    if name in _FROM_SAMPLER:
        return getattr(importlib.import_module("coarsegrain.ising.sampler"), name)
    raise AttributeError(f"module {__name__} has no attribute {name}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_FROM_SAMPLER])
