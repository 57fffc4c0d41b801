"""All lattices of Shukla & Thakur (2021), as the pipeline samples them: one process per set."""

import json
import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np

WORKFLOW = Path(__file__).resolve().parent.parent / "workflow"

#: Number of lattices of each set and its inverse temperatures, the largest set first.
PAPER_SETS = {
    "wide_range": (50_000, {"uniform": [0.01, 0.6]}),
    "critical": (30_000, {"constant": 0.4352}),
    "local_entropy": (20_000, {"grid": np.linspace(0.025, 0.5, 20).tolist()}),
    "thermometer_test": (10_000, {"grid": np.linspace(0.017, 0.593, 40).tolist()}),
}


class Run(NamedTuple):
    """How long it took. On a busy machine the first grows, the second hardly."""

    seconds: float
    #: Of all processes together.
    processor_seconds: float


def runs_for_all(L: int, share: float = 1.0) -> tuple[Run, Run]:
    """Put all sets on disk twice, two processes at a time: kernels not yet cached, and cached.

    Args:
        L: side of the lattices.
        share: part of each set to sample, for a quick look.
    """
    with tempfile.TemporaryDirectory() as folder:
        return _run(Path(folder), L, share), _run(Path(folder), L, share)


def _run(folder: Path, L: int, share: float) -> Run:
    """One run; the kernels it compiles stay in the folder."""
    start, processor_start = time.perf_counter(), _processor_seconds()
    with ThreadPoolExecutor(max_workers=2) as cores:
        jobs = [cores.submit(_sample, name, folder, L, share) for name in PAPER_SETS]
        for job in jobs:
            job.result()
    return Run(time.perf_counter() - start, _processor_seconds() - processor_start)


def _processor_seconds() -> float:
    """Processor time of all processes that were started here and have ended."""
    times = os.times()
    return times.children_user + times.children_system


def _sample(name: str, folder: Path, L: int, share: float) -> None:
    number, betas = PAPER_SETS[name]
    number = max(1, round(number * share))
    if "grid" in betas:
        betas = {**betas, "each": max(1, round(number / len(betas["grid"])))}
    else:
        betas = {**betas, "number": number}
    spec = {"L": L, "method": "hybrid", "steps": "auto", "betas": betas, "seed": 1}
    environment = {
        **os.environ,
        "PYTHONPATH": str(WORKFLOW),
        "COARSEGRAIN_KERNEL_CACHE": "1",
        "NUMBA_CACHE_DIR": str(folder / "kernels"),
    }
    command = [sys.executable, "-m", "stages.lattices.sample_lattices", "--spec", json.dumps(spec)]
    command += ["--lattices", str(folder / f"{name}.nc"), "--device", "cpu", "--shards"]
    run = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if run.returncode != 0:
        raise RuntimeError(f"The stage sample_lattices failed:\n{run.stderr}")
