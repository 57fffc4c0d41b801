"""A machine has the same bits, whatever vectors the processor has."""

import os
import subprocess
import sys

import numpy as np
import pytest

from checkouts import PROJECT
from coarsegrain.rbm.training.loop import random_machine

TRAINING = """
import hashlib
import numpy as np
from coarsegrain.rbm.machine import TiedMachine, log_weight
from coarsegrain.rbm.training.loop import Seeds, random_machine, train
from coarsegrain.rbm.training.settings import TrainingSettings

data = np.random.default_rng(1).choice(np.array([-1, 1], np.int8), (300, 8, 8))
settings = TrainingSettings(updates=20, batch=40, chains=50, gibbs_steps=2, l1=1e-2)
for shape in ((2, 4, 4), (64, 20)):
    start = random_machine(shape, 8, spread=0.3, seed=1)
    machine, history = train(
        start, data[:250], data[250:], settings, seeds=Seeds(1, 2, 3), records=5
    )
    weights = machine.kernels if isinstance(machine, TiedMachine) else machine.weights
    for found in (weights, history.to_numpy(), log_weight(machine, data)):
        print(hashlib.sha256(np.ascontiguousarray(found).tobytes()).hexdigest())
"""


@pytest.mark.slow
def test_trained_machines_have_the_same_bits_with_any_vectors():
    digests = {}
    for processor in (None, "haswell", "generic"):  # its own, AVX2, 128 bits
        names = {} if processor is None else {"NUMBA_CPU_NAME": processor}
        environment = {
            **os.environ,
            **names,
            "PYTHONPATH": str(PROJECT / "workflow"),
            "COARSEGRAIN_KERNEL_CACHE": "",
        }
        if processor is not None:
            environment["NUMBA_CPU_FEATURES"] = ""
        done = subprocess.run(
            [sys.executable, "-c", TRAINING], env=environment, capture_output=True, text=True,
            check=True,
        )  # fmt: skip
        digests[processor] = done.stdout.split()
    assert len(digests[None]) == 6
    assert digests["haswell"] == digests[None]
    assert digests["generic"] == digests[None]


@pytest.mark.parametrize("shape", [(400, 300), (300, 20, 20)])
def test_weights_at_the_start_have_the_spread_that_was_asked_for(shape):
    machine = random_machine(shape, 20, spread=0.01, seed=1)
    weights = machine.kernels if len(shape) == 3 else machine.weights
    assert weights.dtype == np.float32
    assert weights.std() == pytest.approx(0.01, rel=0.02)
    assert abs(weights.mean()) < 4 * 0.01 / np.sqrt(weights.size)
