"""What kernels do in vectors against plain words and plain Python, and on another processor."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import plain_sampler
import pytest

from coarsegrain.ising.sampler.layout import LANES
from coarsegrain.ising.sampler.philox import (
    EARLY_BLOCKS,
    VECTOR,
    consecutive_lanes,
    early_planes,
    lane_counters,
    late_planes,
    stream_products,
)
from coarsegrain.ising.sampler.undecided import decide_listed, list_undecided, no_comparisons
from coarsegrain.ising.sampler.word_vectors import load_words, splat_word, store_words
from coarsegrain.jit import kernel

WORKFLOW = Path(__file__).parents[2] / "workflow"
SEED = 0xFEDCBA9876543210
K0, K1 = np.uint64(SEED & 0xFFFFFFFF), np.uint64(SEED >> 32)


def planes_in_plain_python(block, stream, step, lattice):
    x0, x1, x2, x3 = plain_sampler.philox((block, stream, step, lattice), SEED)
    return [x0 | x1 << 32, x2 | x3 << 32]


@kernel
def _early(counters, stream, planes):
    for block in range(EARLY_BLOCKS):
        for lane in range(0, LANES, VECTOR):
            of_stream = stream_products(counters, stream, lane)
            plane_0, plane_1 = early_planes(counters, of_stream, block, lane)
            store_words(planes, 2 * block * LANES + lane, plane_0)
            store_words(planes, (2 * block + 1) * LANES + lane, plane_1)


@kernel
def _late(block, stream, step, lattice, planes):
    for lane in range(0, LANES, VECTOR):
        plane_0, plane_1 = late_planes(
            block, splat_word(stream, VECTOR), load_words(step, lane, VECTOR),
            load_words(lattice, lane, VECTOR), K0, K1,
        )  # fmt: skip
        store_words(planes, lane, plane_0)
        store_words(planes, LANES + lane, plane_1)


@pytest.mark.parametrize("first_lattice", [0, 2**32 - LANES])
def test_planes_of_lanes_at_one_step_are_philox(first_lattice):
    stream, step = (3 << 24) | 77, 2**32 - 5
    planes = np.zeros((2 * EARLY_BLOCKS, LANES), np.uint64)
    _early(
        consecutive_lanes(np.uint64(step), np.uint64(first_lattice), K0, K1),
        np.uint64(stream), planes,
    )  # fmt: skip
    for block in range(EARLY_BLOCKS):
        for lane in range(LANES):
            expected = planes_in_plain_python(block, stream, step, first_lattice + lane)
            assert planes[2 * block : 2 * block + 2, lane].tolist() == expected


def test_planes_of_lanes_at_steps_of_their_own_are_philox():
    rng = np.random.default_rng(1)
    step, lattice = rng.integers(2**32, size=(2, LANES), dtype=np.uint64)
    early = np.zeros((2 * EARLY_BLOCKS, LANES), np.uint64)
    late = np.zeros((2, LANES), np.uint64)
    stream = (7 << 24) | 12345
    _early(lane_counters(step, lattice, K0, K1), np.uint64(stream), early)
    for block in (*range(EARLY_BLOCKS), 31):
        _late(np.uint64(block), np.uint64(stream), step, lattice, late)
        for lane in range(LANES):
            expected = planes_in_plain_python(block, stream, int(step[lane]), int(lattice[lane]))
            assert late[:, lane].tolist() == expected
            if block < EARLY_BLOCKS:
                assert early[2 * block : 2 * block + 2, lane].tolist() == expected


@kernel
def _list_and_decide(lanes, first, second, below, thresholds, step, lattice, stream, block):
    undecided = no_comparisons()
    counters = lane_counters(step, lattice, K0, K1)
    count = np.int64(0)
    for word in range(len(lanes)):
        count = list_undecided(undecided, count, word, lanes[word], first[word], second[word])
    decide_listed(
        undecided, count, below[0], below[1], 0, thresholds[0], thresholds[1], counters, stream,
        block,
    )  # fmt: skip


def test_listed_comparisons_are_those_of_whole_numbers():
    rng = np.random.default_rng(2)
    words, block = 3, 2
    first, second = rng.integers(2**64, size=(2, words, LANES), dtype=np.uint64)
    first[:, ::3] = 0
    second[:, ::2] = 0
    second &= ~first  # a bit is in question for one threshold, or for none
    bits = np.uint64(1) << np.arange(LANES, dtype=np.uint64)
    lanes = ((first | second) != 0) @ bits
    thresholds = rng.integers(2**64, size=(2, LANES), dtype=np.uint64)
    step, lattice = rng.integers(2**32, size=(2, LANES), dtype=np.uint64)
    below = np.zeros((2, words * LANES), np.uint64)
    stream = 4 << 24
    _list_and_decide(
        lanes, first, second, below, thresholds, step, lattice, np.uint64(stream), block
    )
    kept = 2 ** (64 - 2 * block) - 1  # of U and T, the bits of the planes from 2·block on
    for word in range(words):
        for lane in range(0, LANES, 5):
            for k, in_question in enumerate((first, second)):
                expected = 0
                for bit in range(64):
                    if int(in_question[word, lane]) >> bit & 1:
                        u = plain_sampler.uniform(
                            4, word, bit, int(step[lane]), int(lattice[lane]), SEED
                        )
                        below_threshold = (u & kept) < (int(thresholds[k, lane]) & kept)
                        expected |= below_threshold << bit
                assert int(below[k, word * LANES + lane]) == expected


SAMPLES = """
import hashlib
import numpy as np
from coarsegrain.ising.sampler import sample_lattices
digest = hashlib.sha256()
for L in (6, 16, 32, 34, 64, 66):
    for betas in (np.full(70, 0.4352), np.linspace(0.0, 0.6, 70)):
        digest.update(sample_lattices(betas, L, seed=3, steps=6).tobytes())
digest.update(sample_lattices(np.linspace(0.0, 0.4, 70), 16, seed=3, method="exact").tobytes())
print(digest.hexdigest())
"""
#: Of these lattices as the sampler made them before it had vectors, on AVX2.
DIGEST = "77b78284ac1dec4d6821060443df7147950aebc05538ba8c0d54cbe584034eb8"


@pytest.mark.slow
@pytest.mark.parametrize("processor", ["host", "generic"])
def test_lattices_have_the_same_bits_with_other_instructions(processor):
    # "generic" is the least processor of this architecture: vectors of 128 bits on x86-64.
    features = (
        {} if processor == "host" else {"NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": ""}
    )
    environment = {**os.environ, **features, "PYTHONPATH": str(WORKFLOW)}
    environment.pop("COARSEGRAIN_KERNEL_CACHE", None)
    run = subprocess.run(
        [sys.executable, "-c", SAMPLES], env=environment, capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == DIGEST
