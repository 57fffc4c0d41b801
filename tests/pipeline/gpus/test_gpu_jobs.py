"""Stages and Snakemake itself keep to the GPUs that are there and free."""

import json
import signal
import sys

import numpy as np
import pytest

from coarsegrain.storage.lattices import write_lattices

pytest_plugins = ["stand_in_driver"]

# In place of CuPy: whoever computes with it ends.
CUPY = 'raise SystemExit("CuPy is asked now")'
# In place of torch: it finds the GPU of the stand-in driver.
TORCH = "class cuda:\n    is_available = staticmethod(lambda: True)"
SAMPLING = {
    "L": 4,
    "method": "hybrid",
    "steps": 1,
    "seed": 1,
    "betas": {"constant": 0.1, "number": 2},
}
TRAINING = {
    "net": "thermometer",
    "member": 0,
    "sizes": [16, 2, 1],
    "activations": ["tanh", "relu"],
    "biases": True,
    "targets": "betas",
    "settings": {
        **{"loss": "mse", "l1": 0.0, "batch_size": 2, "epochs": 1},
        **{"learning_rate": 0.001, "adam_betas": [0.9, 0.999], "adam_epsilon": 1e-7},
    },
    "validation_fraction": 0.2,
    "start_seed": 1,
    "shuffling_seed": 1,
    "device": "auto",
    "threads": 1,
    "precision": "float32",
}
STAGES = [
    ("lattices.sample_lattices", "--lattices new.nc --device cuda", SAMPLING),
    (
        "autoencoder.train_net",
        "--lattices-in old.nc --lattices-out old.nc --transferred"
        " --network new.safetensors --history new.csv --checkpoint-minutes 5",
        TRAINING,
    ),
]


@pytest.mark.parametrize(("stage", "options", "spec"), STAGES)
def test_a_stage_waits_for_a_gpu_and_leaves_nothing_when_asked_to_end(
    machine, tmp_path, monkeypatch, stage, options, spec
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "cupy.py").write_text(CUPY)
    write_lattices(tmp_path / "old.nc", np.ones((20, 4, 4), np.int8), np.full(20, 0.1), {})
    before = {path.name for path in tmp_path.iterdir()}
    box = machine(1)
    holder = box.job()
    holder.line()
    words = ["-m", f"stages.{stage}", *options.split(), "--spec", json.dumps(spec)]
    job = box.job(sys.executable, *words, PYTHONDONTWRITEBYTECODE="1")
    said = job.line()
    assert said == "waiting for a GPU: the only one is in use", [said, *job.lines()][-5:]
    assert job.send(signal.SIGTERM) == -signal.SIGTERM
    # what is hidden there the next run takes away
    assert {path.name for path in tmp_path.iterdir() if path.name[0] != "."} == before


def test_snakemake_starts_no_more_gpu_jobs_than_find_a_gpu_here(machine, checkout, monkeypatch):
    box = machine(1)
    for name, value in box.variables.items():
        monkeypatch.setenv(name, value)
    slow = "import time; time.sleep(1)"
    (checkout.path / "workflow" / "cupy.py").write_text(f"{slow}\n{CUPY}")
    (checkout.path / "workflow" / "torch.py").write_text(TORCH)
    sets = ("local_entropy", "thermometer_test", "wide_range/AE-WR/member-0")
    targets = [f"results/smoke/lattices/{each}.nc" for each in sets]
    settings = ["--config", "device=auto", "jobs_per_gpu=2"]
    run = checkout.smoke("--cores", "3", *targets, "--keep-going", *settings)
    assert "Provided resources: gpu=" in run.stdout, run.stdout
    assert "device: cuda; asked for: auto" in run.stdout
    for each in sets:  # none had to wait
        said = (checkout.path / f"results/smoke/logs/sample_lattices/{each}.log").read_text()
        assert said.splitlines() == [
            f"GPU 1 of 1: Stand-in 0 ({box.uuid(0)}), shared by up to 2 jobs",
            "device: cuda; asked for: cuda",
            "CuPy is asked now",
        ]
