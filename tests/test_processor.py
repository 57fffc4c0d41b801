"""The processor that kernels are compiled for, as numba is told it."""

import os
import platform
import subprocess
import sys

import pytest
from llvmlite import binding

from coarsegrain.processor import has_fused_multiply_add, vector_bits

ASK = (
    "from coarsegrain.processor import has_fused_multiply_add, vector_bits;"
    "print(vector_bits(), has_fused_multiply_add())"
)
X86 = platform.machine().lower() in ("x86_64", "amd64")


def test_without_other_orders_it_is_the_host():
    features = binding.get_host_cpu_features()
    widest = 512 if features.get("avx512f") else 256 if features.get("avx") else 128
    assert vector_bits() == widest
    assert has_fused_multiply_add() == bool(
        features.get("fma") or features.get("avx512f") or features.get("neon")
    )


@pytest.mark.skipif(not X86, reason="names of x86 processors")
@pytest.mark.parametrize(
    ("name", "features", "answer"),
    [
        ("generic", "", "128 False"),
        ("nehalem", "", "128 False"),
        ("sandybridge", "", "256 False"),
        ("haswell", "", "256 True"),
        ("skylake-avx512", "", "512 True"),
        ("skylake-avx512", "-avx512f", "256 True"),
    ],
)
def test_it_is_the_one_that_numba_is_told(name, features, answer):
    told = {"NUMBA_CPU_NAME": name, "NUMBA_CPU_FEATURES": features, "PYTHONPATH": "workflow"}
    asked = subprocess.run(
        [sys.executable, "-c", ASK],
        env=os.environ | told,
        capture_output=True,
        text=True,
        check=True,
    )
    assert asked.stdout.strip() == answer
