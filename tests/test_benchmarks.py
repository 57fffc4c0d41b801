"""The benchmarks: they run, their textbook sampler is right, and steps are counted fairly."""

import importlib
import math
import os
import subprocess
import sys
from importlib.metadata import PackageNotFoundError
from importlib.util import find_spec

import numpy as np
import pytest

from coarsegrain.ising import exact
from conftest import PROJECT

BENCHMARKS = PROJECT / "benchmarks"
PACKAGES = ("peapods", "pyising")


@pytest.fixture
def benchmark_module(monkeypatch):
    """Import a module of ``benchmarks/``."""
    monkeypatch.syspath_prepend(BENCHMARKS)
    return importlib.import_module


def run(program, *arguments, kernels):
    """Run a benchmark program in a process of its own, as ``make bench`` does."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(PROJECT / "workflow"),
        "COARSEGRAIN_KERNEL_CACHE": "1",
        "NUMBA_CACHE_DIR": str(kernels),
    }
    command = [sys.executable, BENCHMARKS / program, *map(str, arguments)]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=900, check=False, env=environment
    )


@pytest.mark.slow
def test_sampling_benchmark_has_a_row_for_all_there_is_and_names_what_is_missing(tmp_path):
    file = tmp_path / "benchmarks.md"
    done = run("sampling.py", "--quick", "--write", file, kernels=tmp_path / "kernels")
    assert done.returncode == 0, done.stderr
    for sampler in ("coarsegrain, hybrid", "coarsegrain, exact", "textbook Wolff", "two cores"):
        assert sampler in done.stdout
    for package in PACKAGES:
        missing = f"Not measured: {package} (not installed)."
        assert (missing in done.stdout) == (find_spec(package) is None)
    assert "GPU: " in done.stdout
    assert done.stdout.strip() in file.read_text()


@pytest.mark.slow
def test_relaxation_benchmark_fits_the_energy_and_m2(tmp_path):
    arguments = ["--side", 8, "--betas", 0.41, "--lattices", 16384, "--length", 30]
    done = run("relaxation.py", *arguments, kernels=tmp_path / "kernels")
    assert done.returncode == 0, done.stderr
    header, energy, m2 = done.stdout.splitlines()
    assert header.startswith("L,beta,observable,")
    tau = {row.split(",")[2]: float(row.split(",")[4]) for row in (energy, m2)}
    assert tau["energy"] == pytest.approx(1.2, abs=0.3)  # docs/lab-notes.md


@pytest.mark.parametrize(("beta", "L"), [(0.3, 8), (0.4352, 32), (0.5, 16)])
def test_energy_of_the_textbook_wolff_peer_equals_kaufman(benchmark_module, beta, L):
    peer = benchmark_module("peers").TextbookWolff(beta, L, seed=4)
    energy, _ = peer.series(chains=800, length=120)
    of_chains = energy[:, 60:].mean(axis=1)
    error = of_chains.std(ddof=1) / math.sqrt(len(of_chains))
    assert abs(of_chains.mean() - exact.energy_per_site(beta, L)) < 4 * error


@pytest.mark.parametrize("package", PACKAGES)
def test_a_peer_that_is_not_installed_is_named_and_left_out(benchmark_module, monkeypatch, package):
    peers = benchmark_module("peers")

    def version(name):
        if name == package:
            raise PackageNotFoundError(name)
        return original(name)

    original = peers.version
    monkeypatch.setattr(peers, "version", version)
    found, missing = peers.installed_peers(0.4, 8)
    assert package in missing
    assert not any(package in peer.name for peer in found)
    assert any("textbook" in peer.name for peer in found)


class AutoregressivePeer:
    """x(t+1) = φ x(t) + noise around the exact energy: ρ(t) = φᵗ, bias A φᵗ from A σ off."""

    name = "AR(1)"
    start = "off"

    def __init__(self, phi, offset, beta, L):
        self.phi, self.offset, self.mean = phi, offset, exact.energy_per_site(beta, L)

    def series(self, chains, length):
        rng = np.random.default_rng(3)
        x = self.offset + rng.normal(size=(2, chains))
        values = np.empty((2, chains, length))
        for t in range(length):
            x = self.phi * x + math.sqrt(1 - self.phi**2) * rng.normal(size=x.shape)
            values[..., t] = x
        return self.mean + values[0], 1 + values[1]


def test_steps_of_a_process_with_known_relaxation_are_found(benchmark_module):
    phi, offset, beta, L = 0.75, 6.0, 0.4352, 32
    decorrelation = benchmark_module("decorrelation")
    peer = AutoregressivePeer(phi, offset, beta, L)
    steps = decorrelation.steps_per_lattice(peer, beta, L, chains=32768, length=90)
    tau = -1 / math.log(phi)
    # The slower of two observables is taken, each with a statistical error of a few percent.
    assert steps.long_chain == pytest.approx(tau * math.log(1 / 1e-4), rel=0.06)
    assert steps.from_start == pytest.approx(tau * math.log(offset / 1e-4), rel=0.06)
    assert steps.fewer == min(steps.long_chain, steps.from_start)


def test_keeping_a_section_leaves_the_rest_of_the_file(benchmark_module, tmp_path):
    tables = benchmark_module("tables")
    file = tmp_path / "benchmarks.md"
    tables.keep("training", "fast", file)
    tables.keep("sampling", "old", file)
    before = file.read_text()
    tables.keep("sampling", "new", file)
    assert file.read_text() == before.replace("old", "new")


@pytest.mark.parametrize(
    ("value", "text"), [(21597.2, "21,600"), (0.0371649, "0.0372"), (5.0, "5.00"), (0, "0")]
)
def test_figures_have_three_significant_digits(benchmark_module, value, text):
    assert benchmark_module("tables").rounded(value) == text
