"""Chains and log weights have the same bits whatever vectors the processor has."""

import os
import subprocess
import sys

import pytest

from checkouts import PROJECT

PROGRAM = """
import hashlib
import numpy as np
from rbm.machines import random_machine
from coarsegrain.rbm.ais import annealed_importance_sampling
from coarsegrain.rbm.chains import gibbs_chains
machine = random_machine(50, 37, seed=1)
found = annealed_importance_sampling(machine, chains=64, steps=200, seed=2)
start = np.ones((40, 50), dtype=np.int8)
chains = gibbs_chains(machine, start, [50], seed=3)
digest = hashlib.sha256()
# of the logarithm at the end, libm decides the last bit
digest.update(np.round(found.log_weights, 10).tobytes())
digest.update(found.visible.tobytes() + chains.tobytes())
print(digest.hexdigest())
"""


def digest(processor):
    """Of the program's numbers, compiled for a processor."""
    variables = {**os.environ, "PYTHONPATH": f"{PROJECT / 'workflow'}:{PROJECT / 'tests'}"}
    variables.pop("COARSEGRAIN_KERNEL_CACHE", None)
    if processor:
        variables |= {"NUMBA_CPU_NAME": processor, "NUMBA_CPU_FEATURES": ""}
    made = subprocess.run(
        [sys.executable, "-c", PROGRAM], env=variables, capture_output=True, text=True, check=True
    )
    return made.stdout


@pytest.mark.slow
def test_numbers_are_the_same_with_wide_vectors_and_with_narrow_ones():
    assert len({digest(processor) for processor in ("", "haswell", "x86-64-v2")}) == 1
