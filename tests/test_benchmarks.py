"""The benchmarks: they run, peers are right, and steps are counted fairly."""

import importlib
import math
import os
import re
import subprocess
import sys
from dataclasses import replace
from importlib.metadata import PackageNotFoundError
from importlib.util import find_spec

import numpy as np
import pytest

from checkouts import PROJECT
from coarsegrain.ising import exact
from coarsegrain.rg.decimation import decimate
from waiting import LIMIT

BENCHMARKS = PROJECT / "benchmarks"
PACKAGES = ("peapods", "pyising")


@pytest.fixture
def benchmark_module(monkeypatch):
    """Import a module of ``benchmarks/``."""
    monkeypatch.syspath_prepend(BENCHMARKS)
    return importlib.import_module


def run(program, *arguments):
    """Run a benchmark program in a process of its own, as ``make bench`` does."""
    environment = {**os.environ, "PYTHONPATH": str(PROJECT / "workflow")}
    command = [sys.executable, BENCHMARKS / program, *map(str, arguments)]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=LIMIT, check=False, env=environment
    )


@pytest.mark.slow
def test_sampling_benchmark_has_a_row_for_all_there_is_and_names_what_is_missing(tmp_path):
    file = tmp_path / "benchmarks.md"
    done = run("sampling.py", "--quick", "--write", file)
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
    done = run("relaxation.py", *arguments)
    assert done.returncode == 0, done.stderr
    header, energy, m2 = done.stdout.splitlines()
    assert header.startswith("L,beta,observable,")
    tau = {row.split(",")[2]: float(row.split(",")[4]) for row in (energy, m2)}
    assert tau["energy"] == pytest.approx(1.2, abs=0.3)  # docs/lab-notes/lattices.md


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


def small(training_problems, net, batch=10):
    """A net on 8 x 8 lattices."""
    (problem,) = [
        each
        for each in training_problems.problems(8, 400, 400, [net])
        if each.settings.batch_size == batch
    ]
    return problem


def test_training_benchmark_has_a_row_for_each_batch_size_and_names_what_is_missing(tmp_path):
    file = tmp_path / "benchmarks.md"
    arguments = ["--quick", "--nets", "Model-2", "--peers", "eager", "fused", "keras"]
    done = run("training.py", *arguments, "--write", file)
    assert done.returncode == 0, done.stderr
    for net in ("Model-2, batch 10", "Model-2, batch 100"):
        row = rf"^\| {net} \| \*\*[\d,]+ .*\*\* \| [\d,.]+ \[.*\] \| [\d,.]+ \["
        assert re.search(row, done.stdout, re.M), net
    missing = "Not measured: keras (not installed)." in done.stdout
    assert missing == (find_spec("keras") is None)
    assert "GPU: " in done.stdout
    assert "refused" not in done.stdout
    assert done.stdout.strip() in file.read_text()


@pytest.mark.parametrize("net", ["CG", "UP", "Model-1", "Model-2", "thermometer"])
@pytest.mark.parametrize("fused", [None, True])
def test_torch_makes_the_steps_that_ours_makes(benchmark_module, net, fused):
    problem = small(benchmark_module("training_problems"), net)
    peer = benchmark_module("training_peers").Torch(problem, fused=fused, compiled=False)
    found = benchmark_module("training_agreement").agreement(problem, peer)
    assert found.holds
    assert found.largest < 1e-5  # at these sizes and seeds no output is at a kink


@pytest.mark.parametrize(
    "mistake",
    [{"adam_epsilon": 1e-8}, {"l1": 0.0}, {"adam_betas": (0.9, 0.99)}, {"learning_rate": 1.1e-3}],
    ids=lambda mistake: next(iter(mistake)),
)
@pytest.mark.parametrize(("net", "L"), [("CG", 32), ("Model-2", 32)])
def test_a_peer_that_trains_with_other_settings_is_refused(benchmark_module, mistake, net, L):
    training_problems = benchmark_module("training_problems")
    problem = training_problems.problems(L, 200, 200, [net])[0]
    wrong = replace(problem, settings=replace(problem.settings, **mistake))
    peer = benchmark_module("training_peers").Torch(wrong, fused=None, compiled=False)
    assert not benchmark_module("training_agreement").agreement(problem, peer).holds


def test_a_peer_that_trains_another_net_gets_no_figure(benchmark_module, monkeypatch):
    training = benchmark_module("training")
    problem = small(benchmark_module("training_problems"), "CG")

    def without_penalty(problem, **options):
        return torch_peer(replace(problem, settings=replace(problem.settings, l1=0.0)), **options)

    torch_peer = training.Torch
    monkeypatch.setattr(training, "Torch", without_penalty)
    of = training.measure(problem, ["eager"], repetitions=1, seconds=0.001)
    assert of.peers == {}
    assert "refused" in of.refused["eager"]
    assert "refused" in benchmark_module("training_report").ratios([of], {"eager": "torch"})


def test_a_peer_that_cannot_run_here_is_told_in_its_row(benchmark_module, monkeypatch):
    training = benchmark_module("training")
    problem = small(benchmark_module("training_problems"), "CG")

    def no_compiler(*arguments, **options):
        raise RuntimeError("no C++ compiler")

    monkeypatch.setattr(training, "Torch", no_compiler)
    of = training.measure(problem, ["compiled"], repetitions=1, seconds=0.001)
    assert of.refused == {"compiled": "failed: RuntimeError"}


def test_peers_are_given_the_outputs_of_frozen_layers_if_so_asked(benchmark_module):
    training_problems = benchmark_module("training_problems")
    problem = small(training_problems, "Model-2, encoded beforehand")
    theirs = problem.for_peers()
    twice_decimated = decimate(problem.member.data[0], 2)
    np.testing.assert_array_equal(
        theirs.member.data[0], twice_decimated.reshape(len(twice_decimated), -1)
    )
    assert [layer.weight.shape for layer in theirs.member.network.layers] == [(16, 32), (32, 64)]
    plain = small(training_problems, "Model-2")
    assert plain.for_peers() is plain
