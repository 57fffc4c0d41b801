"""Updates of Boltzmann machines per second: ours, scikit-learn, rbms, plain numpy, in one run.

    make bench BENCHMARKS=machines
    PYTHONPATH=workflow python benchmarks/machines.py --quick

PCD-1 with batches and chains of 100, float32, on one core. An update of ours is that of the
library: Gibbs step, gradient, Adam with its proximal penalty. Peers make plain gradient steps,
which cost less. Units of ours are ±1 without biases, those of the peers 0 and 1 with biases.
They are given batches that are ready, ours gathers its own. "Plain numpy" makes the operations
that scikit-learn makes, without its checks of what it is given.

Codes take turns, --repetitions times. A figure is the median of its turns, the brackets hold the
least and the greatest, and a ratio is the median of the ratios within one turn. Rates are per
second of processor time. Compilation is not in them. A peer that is not installed is named and left
out.
"""

# ruff: noqa: E402
import os

for _library in ("OPENBLAS", "MKL", "OMP"):  # before they start their threads
    os.environ[f"{_library}_NUM_THREADS"] = "1"

import argparse
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from statistics import median

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from coarsegrain.rbm.training.cpu.free import FreeTrainer
from coarsegrain.rbm.training.settings import TrainingSettings
from tables import keep, machine, rounded, spread, table

BATCH = 100
LEARNING_RATE = 1e-3
#: Visible and hidden units, and the project's targets: times scikit-learn, times rbms.
SIZES = {(256, 64): (2.0, 4.0), (1024, 256): (1.7, 1.8)}
SKLEARN, RBMS = "scikit-learn", "rbms"
NUMPY = "plain numpy"

Batches = list[npt.NDArray[np.float32]]
Step = Callable[[int], None]


def plain_numpy(batches: Batches, weights: npt.NDArray[np.float32]) -> Step:
    """PCD-1 as the textbooks have it, with numpy's generator of old."""
    rng = np.random.RandomState(1)
    w = weights.T.copy()
    a, b = np.zeros(w.shape[1], np.float32), np.zeros(w.shape[0], np.float32)
    h = np.zeros((BATCH, w.shape[0]), np.float32)

    def step(k: int) -> None:
        nonlocal h
        v = batches[k % len(batches)]
        of_data = expit(v @ w.T + b)
        p = expit(h @ w + a)
        chains = (rng.uniform(size=p.shape) < p).astype(np.float32)
        of_chains = expit(chains @ w.T + b)
        rate = np.float32(LEARNING_RATE / BATCH)
        w[:] += rate * (of_data.T @ v - of_chains.T @ chains)
        b[:] += rate * (of_data.sum(axis=0) - of_chains.sum(axis=0))
        a[:] += rate * (v.sum(axis=0) - chains.sum(axis=0))
        h = (rng.uniform(size=of_chains.shape) < of_chains).astype(np.float32)

    return step


def scikit_learn(batches: Batches, weights: npt.NDArray[np.float32]) -> Step:
    """``sklearn.neural_network.BernoulliRBM``: what its ``fit`` does for each batch, PCD-1.

    The public ``partial_fit`` checks every batch first, a fifth of its time at 256 x 64.
    """
    from sklearn.neural_network import BernoulliRBM

    peer = BernoulliRBM(
        n_components=weights.shape[1],
        learning_rate=LEARNING_RATE,
        batch_size=BATCH,
        random_state=1,
    )

    peer.partial_fit(batches[0])

    def step(k: int) -> None:
        peer._fit(batches[k % len(batches)], peer.random_state_)

    return step


def rbms(batches: Batches, weights: npt.NDArray[np.float32]) -> Step:
    """``rbms.training.pcd.fit_batch_pcd`` with torch's SGD, as in that package's own loop."""
    import torch
    from rbms.bernoulli_bernoulli.classes import BBRBM
    from rbms.training.pcd import fit_batch_pcd

    torch.set_num_threads(1)
    n_visible, n_hidden = weights.shape
    peer = BBRBM(torch.tensor(weights), torch.zeros(n_visible), torch.zeros(n_hidden))
    for each in peer.parameters():
        each.grad = torch.zeros_like(each)
    optimizer = torch.optim.SGD(peer.parameters(), lr=LEARNING_RATE, maximize=True)
    ones = torch.ones(BATCH)
    data = [(torch.from_numpy(v), ones) for v in batches]
    chains = peer.init_chains(BATCH, start_v=data[0][0])

    def step(k: int) -> None:
        nonlocal chains
        with torch.no_grad():
            optimizer.zero_grad(set_to_none=False)
            chains, _ = fit_batch_pcd(
                batch=data[k % len(data)],
                parallel_chains=chains,
                params=peer,
                gibbs_steps=1,
                beta=1.0,
            )
            optimizer.step()

    return step


PEERS = {SKLEARN: scikit_learn, RBMS: rbms, NUMPY: plain_numpy}
#: Names on the package index.
PACKAGES = {SKLEARN: "scikit-learn", RBMS: "rbms", NUMPY: "numpy"}


@dataclass
class Measured:
    """Updates per second in each turn, of ours and of the peers."""

    size: tuple[int, int]
    ours: list[float] = field(default_factory=list)
    peers: dict[str, list[float]] = field(default_factory=dict)

    def ratio(self, peer: str) -> list[float]:
        """Ours over a peer, turn by turn."""
        return [a / b for a, b in zip(self.ours, self.peers[peer], strict=True)]


def measure(
    size: tuple[int, int], peers: list[str], repetitions: int, seconds: float
) -> tuple[Measured, list[str]]:
    """Let all codes take turns; sentences on those that are missing."""
    rng = np.random.default_rng(1)
    spins = rng.choice(np.array([-1, 1], np.int8), (20 * BATCH, size[0]))
    weights = rng.normal(0, 0.05, size).astype(np.float32)
    settings = TrainingSettings(
        updates=10**6,
        batch=BATCH,
        chains=BATCH,
        gibbs_steps=1,
        learning_rate=LEARNING_RATE,
        l1=1e-3,
    )
    trainer = FreeTrainer(weights, spins, settings, seed=1)
    rows = np.arange(len(spins)).reshape(-1, BATCH)
    batches = [((spins[each] + 1) / 2).astype(np.float32) for each in rows]
    steps: dict[str, Step] = {"ours": lambda k: trainer.update(k, rows[k % len(rows)])}
    missing = []
    for name in peers:
        try:
            steps[name] = PEERS[name](batches, weights)
            steps[name](0)
        except ImportError:
            missing.append(f"Not measured: {name} (not installed).")
            steps.pop(name, None)
        except Exception as error:  # another version than it was written for
            missing.append(f"Not measured: {name} ({type(error).__name__}: {error}).")
            steps.pop(name, None)
    of = Measured(size, peers={name: [] for name in steps if name != "ours"})
    numbers = {name: _updates(step, seconds) for name, step in steps.items()}
    for _ in range(repetitions):
        for name, step in steps.items():
            rate = numbers[name] / _processor_seconds(step, numbers[name])
            (of.ours if name == "ours" else of.peers[name]).append(rate)
    return of, missing


def _updates(step: Step, seconds: float) -> int:
    """How many take about so long; compiles."""
    _processor_seconds(step, 5)
    return max(10, round(seconds * 10 / _processor_seconds(step, 10)))


def _processor_seconds(step: Step, number: int) -> float:
    start = time.process_time()
    for k in range(number):
        step(k)
    return time.process_time() - start


def speeds(measured: list[Measured], names: list[str]) -> str:
    """Updates per second."""
    rows = [
        [_name(of.size), f"**{spread(of.ours)}**", *(spread(of.peers[name]) for name in names)]
        for of in measured
    ]
    return table(["units", "coarsegrain", *(_with_version(name) for name in names)], rows)


def ratios(measured: list[Measured], names: list[str]) -> str:
    """Ours over each."""
    rows = [[_name(of.size), *(spread(of.ratio(name)) for name in names)] for of in measured]
    return table(["units", *names], rows)


def targets(measured: list[Measured]) -> str:
    """What the project set itself, where the peer is there."""
    rows = []
    for of in measured:
        for peer, least in zip((SKLEARN, RBMS), SIZES[of.size]):
            if peer in of.peers:
                found = median(of.ratio(peer))
                rows.append(
                    [
                        _name(of.size),
                        f"at least {least:g} × {peer}",
                        rounded(found),
                        "yes" if found >= least else "**no**",
                    ]
                )
    return table(["units", "target", "measured", "met"], rows)


def _with_version(name: str) -> str:
    return f"{name} {version(PACKAGES[name])}"


def _name(size: tuple[int, int]) -> str:
    return f"{size[0]} x {size[1]}"


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repetitions", type=int, default=7, help="turns of each code")
    parser.add_argument("--seconds", type=float, default=0.5, help="length of a turn, about")
    parser.add_argument("--peers", nargs="+", choices=list(PEERS), default=list(PEERS))
    parser.add_argument("--quick", action="store_true", help="short; the figures mean nothing")
    parser.add_argument("--write", type=Path, metavar="FILE", help="keep the tables in this file")
    arguments = parser.parse_args()
    repetitions, seconds = arguments.repetitions, arguments.seconds
    if arguments.quick:
        repetitions, seconds = 2, 0.01

    load = os.getloadavg()[0]
    measured, missing = [], []
    for size in SIZES:
        print(_name(size), file=sys.stderr, flush=True)
        of, missing = measure(size, arguments.peers, repetitions, seconds)
        measured.append(of)
    names = [name for name in PEERS if all(name in of.peers for of in measured)]
    parts = [
        f"PCD-1, batches and chains of {BATCH}, float32, one core. Updates per second of processor "
        "time:",
        speeds(measured, names),
        *missing,
        "Ours over each:",
        ratios(measured, names),
        *([] if arguments.quick else ["The project's targets:", targets(measured)]),
    ]
    title = "## Boltzmann machines: updates per second\n"
    text = "\n\n".join([title + "\n" + machine(load, ["numpy", "numba", "scipy"]), *parts])
    print(text)
    if arguments.write:
        keep("machines", text, arguments.write)


if __name__ == "__main__":
    main()
