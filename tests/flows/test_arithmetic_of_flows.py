"""A training of a flow has the same bits whatever vectors the processor has."""

import os
import subprocess
import sys

import pytest

from checkouts import PROJECT

PROGRAM = """
import hashlib
import numpy as np
from coarsegrain.flows.architecture import Architecture
from coarsegrain.flows.dual_energy import dual_energy
from coarsegrain.flows.ingredients import start
from coarsegrain.flows.patch_architecture import PatchArchitecture, starting_weights
from coarsegrain.flows.patch_flow import PatchFlow
from coarsegrain.flows.sublattice_flow import SublatticeFlow
from coarsegrain.flows.training.loop import train
from coarsegrain.flows.training.patches import PatchTrainer
from coarsegrain.flows.training.settings import TrainingSettings
from coarsegrain.flows.training.sublattices import SublatticeTrainer
from coarsegrain.ising.dual import DualIsing

def tell(name, *arrays):
    joined = b"".join(np.ascontiguousarray(each).tobytes() for each in arrays)
    print(name, hashlib.sha256(joined).hexdigest()[:16], flush=True)

target = DualIsing(8, 0.4406868)
architecture = Architecture(8, couplings=2, hidden=6)
parameters = start(architecture, target.spectrum, seed=1)
flow = SublatticeFlow(architecture, target.spectrum, parameters)
tell("spectrum", target.spectrum)
settings = TrainingSettings(steps=12, batch=32, warm_up=4)
trainer = SublatticeTrainer(flow, seed=2, largest_gradient=50.0)
history = train(trainer, settings, target.log_integral(), records=4)
tell("history", history.to_numpy())
tell("parameters", flow.parameters)
drawn = flow.draw(100, seed=3)
tell("fields", drawn.fields)
tell("densities", drawn.log_q, flow.log_density(drawn.fields))
tell("full gradient", *flow.step(64, step=1, seed=2, path=False))
tell("likelihood", *flow.likelihood_step(drawn.fields[:64]))

architecture = PatchArchitecture(8, couplings=2, hidden=(6, 5))
energy = dual_energy(target.spectrum)
flow = PatchFlow(architecture, starting_weights(architecture, seed=1))
trainer = PatchTrainer(flow, energy, seed=2, weight_decay=1e-3)
history = train(trainer, settings, target.log_integral(), records=4)
tell("patches: history", history.to_numpy(), flow.parameters)
drawn = flow.draw(100, seed=3)
tell("patches: fields and densities", drawn.fields, drawn.log_q, flow.log_density(drawn.fields))
tell("patches: path gradient", *flow.step(64, energy, step=1, seed=2, path=True))
passed = flow.passed_on(drawn.fields, seed=4)
passed = [x for _, *each in passed for x in each]
tell("patches: latents", flow.latents(drawn.fields, seed=4), *passed)
"""

#: What the processor then is, and what of it is hidden from numba, numpy and the C library.
PROCESSORS = {
    "AVX2": ("haswell", "X86_V4 AVX512_ICL AVX512_SPR", "-AVX512F,-AVX512VL"),
    "128 bits": (
        "x86-64-v2",
        "X86_V3 X86_V4 AVX512_ICL AVX512_SPR",
        "-AVX512F,-AVX512VL,-AVX2,-AVX,-FMA,-FMA4",
    ),
}


def digests(processor):
    """Of the program's numbers, on such a processor."""
    variables = {**os.environ, "PYTHONPATH": str(PROJECT / "workflow")}
    if processor:
        variables.pop("COARSEGRAIN_KERNEL_CACHE", None)
        numba, numpy, libc = PROCESSORS[processor]
        variables |= {
            "NUMBA_CPU_NAME": numba,
            "NUMBA_CPU_FEATURES": "",
            "NPY_DISABLE_CPU_FEATURES": numpy,
            "GLIBC_TUNABLES": f"glibc.cpu.hwcaps={libc}",
        }
    made = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PROGRAM],
        env=variables,
        capture_output=True,
        text=True,
        check=False,
    )
    assert made.returncode == 0, made.stderr
    return made.stdout.splitlines()


@pytest.mark.slow
def test_numbers_are_the_same_with_wide_vectors_and_with_narrow_ones():
    here = digests(None)
    assert len(here) == 11
    for processor in PROCESSORS:
        assert digests(processor) == here, processor
