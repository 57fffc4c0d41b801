"""Training steps per second: ours, torch in three ways, Keras, in one run.

    make bench                                               runs it after the sampler's
    make bench BENCHMARKS=training ARGS="--nets CG Model-1"  alone, with options of its own
    PYTHONPATH=workflow python benchmarks/training.py --quick

Every net is trained on one core in float32: ours through the library's trainers, whole epochs,
shuffling included; the others as a competent user would write it (``training_peers``), over the
first batches of such an epoch. A peer whose weights do not agree with ours after some steps
(``training_agreement``) gets no figure.

Codes take turns, --repetitions times. A figure is the median of its turns, the brackets hold the
least and the greatest, and a ratio is the median of the ratios within one turn. Rates are per
second of processor time: what a clock shows when nothing else runs. Compilation is not in them.

A peer that is not installed is named and left out, and so is the GPU where there is none.
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
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from coarsegrain.nets.architecture import level_sizes
from coarsegrain.training.batches import epoch_order
from tables import keep, machine
from training_agreement import Agreement, agreement, keras_agreement
from training_gpu import gpu
from training_limits import Limits, blas_kernels
from training_peers import Keras, Peer, Torch, keras_backend, keras_name
from training_problems import NETS, Problem, problems
from training_report import agreements, bounds, ratios, speeds, targets, validation

TORCH = {"eager": (None, False), "fused": (True, False), "compiled": (True, True)}
KERAS = "keras"
#: Keras' ``fit`` starts slowly: its turns are so many times longer, as epochs are.
FIT_LONGER = 3


@dataclass
class Measured:
    """A training and what came out for it.

    Attributes:
        problem: the training.
        ours: steps per second in each turn.
        peers: theirs, by peer; those with a figure only.
        refused: why the others have none.
        agreements: with ours, by peer.
        evaluation: seconds of the validation after an epoch of ``epoch`` seconds.
        products: seconds per step in matrix products.
        adam: seconds per step in Adam's pass.
    """

    problem: Problem
    ours: list[float] = field(default_factory=list)
    peers: dict[str, list[float]] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    agreements: dict[str, Agreement] = field(default_factory=dict)
    epoch: list[float] = field(default_factory=list)
    evaluation: list[float] = field(default_factory=list)
    products: list[float] = field(default_factory=list)
    adam: list[float] = field(default_factory=list)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repetitions", type=int, default=5, help="turns of each code")
    parser.add_argument("--seconds", type=float, default=0.3, help="length of a peer's turn, about")
    parser.add_argument("--nets", nargs="+", choices=NETS, metavar="NET", help=", ".join(NETS))
    parser.add_argument("--peers", nargs="+", choices=[*TORCH, KERAS], default=[*TORCH, KERAS])
    parser.add_argument("--quick", action="store_true", help="small nets; the figures mean nothing")
    parser.add_argument("--write", type=Path, metavar="FILE", help="keep the tables in this file")
    arguments = parser.parse_args()
    repetitions, seconds = arguments.repetitions, arguments.seconds
    # As many lattices as the paper's for shallow nets, which read all of them for every unit.
    L, shallow, deep = 32, 19200, 4800
    if arguments.quick:
        repetitions, seconds, L, shallow, deep = 2, 0.01, 8, 2000, 2000

    load = os.getloadavg()[0]
    torch.set_num_threads(1)
    names, missing = peer_names(arguments.peers)
    measured = []
    for problem in problems(L, shallow, deep, arguments.nets):
        print(problem.name, file=sys.stderr, flush=True)
        measured.append(measure(problem, list(names), repetitions, seconds))

    packages = ["numpy", "numba", "torch"]
    lattices = f"{shallow:,} training lattices for nets of one layer, {deep:,} for the others"
    a, b, c = level_sizes(L)
    parts = [
        f"Nets: CG {a}-{b}, UP {b}-{a}; Model-1 and AE-WR {a}-{b}-{c}-{b}-{a}, on lattices of one "
        f"β and of a range; Model-2 the same with decimation for its first half, frozen, and "
        f"{c}-{b}-{a} trained; all linear, no biases, hinge loss. Thermometer: {a}-{b} tanh-1 "
        "ReLU, biases, squared error. All: + 1e-5 Σ|w|, Adam. "
        f"Data: {lattices}.",
        "Steps per second of one core's processor time, float32. Compilation and validation are "
        "not in them. Peers apply Model-2's frozen encoder at every step, the plain way; where it "
        'says "encoded beforehand" they are given its outputs, as ours gives them to itself:',
        speeds(measured, names),
        *missing,
        "Ours over each:",
        ratios(measured, names),
        *([] if arguments.quick else ["The project's targets:", targets(measured)]),
        "What bounds a step of ours. The products are those of the step by numpy "
        f"(OpenBLAS, kernels: {blas_kernels()}), alone; nets of one layer do without them. Adam's "
        "pass is alone, too, unit by unit for nets of one layer:",
        bounds(measured),
        "Validation, once per epoch, on a quarter as many lattices as there are to train on:",
        validation(measured),
        "Agreement: share of weights that are off ours by more than 1e-5 after 20 steps from the "
        "same start with the same batches, in brackets the largest difference. For Keras: after 3 "
        "steps at ε = 1e-12, since it puts ε elsewhere. Where rounding decides on the slope at a "
        "kink, weights part for good:",
        agreements(measured, names),
        gpu(L, 64 if arguments.quick else 19200, repetitions),
    ]
    title = "## Training: steps per second\n"
    text = "\n\n".join([title + "\n" + machine(load, packages), *parts])
    print(text)
    if arguments.write:
        keep("training", text, arguments.write)


def peer_names(chosen: list[str]) -> tuple[dict[str, str], list[str]]:
    """What stands in the tables for each peer, and sentences on those that are missing."""
    names = {
        "eager": "torch, eager Adam",
        "fused": "torch, fused Adam",
        "compiled": "torch, compiled + fused Adam",
    }
    found, missing = {name: names[name] for name in chosen if name in names}, []
    if KERAS in chosen:
        backend = keras_backend()
        if backend is None:
            missing.append("Not measured: keras (not installed).")
        else:
            found[KERAS] = keras_name(backend)
    return found, missing


def measure(problem: Problem, names: list[str], repetitions: int, seconds: float) -> Measured:
    """Check that the peers train the same, then let all take turns."""
    of = Measured(problem)
    peers: dict[str, Peer] = {}
    for name in names:
        try:
            peer, of.agreements[name] = checked_peer(problem, name)
        except Exception as error:  # no compiler, no such device: each raises its own
            of.refused[name] = f"failed: {type(error).__name__}"
            continue
        if of.agreements[name].holds:
            peers[name] = peer
            of.peers[name] = []
        else:
            of.refused[name] = "refused: it trains another net"

    batch_size, data = problem.settings.batch_size, problem.member.data
    order = epoch_order(problem.member.seed, 1, len(data[0]))
    steps = -(-len(order) // batch_size)
    trainer, limits = problem.trainer(), Limits(problem)
    trainer.run_epoch(order, 0)  # compiles
    trainer.evaluate()
    parts = {
        name: _part(peer, order, batch_size, FIT_LONGER * seconds if name == KERAS else seconds)
        for name, peer in peers.items()
    }
    for turn in range(1, repetitions + 1):
        epoch = _processor_seconds(lambda: trainer.run_epoch(order, turn * steps))  # noqa: B023
        of.ours.append(steps / epoch)
        of.epoch.append(epoch)
        of.evaluation.append(_processor_seconds(lambda: (trainer.evaluate(), trainer.penalty())))
        for name, peer in peers.items():
            taken = _processor_seconds(lambda: peer.train(parts[name]))  # noqa: B023
            of.peers[name].append(len(parts[name]) / batch_size / taken)
        of.products.append(limits.products(seconds / 5))
        of.adam.append(limits.adam(seconds / 5))
    return of


def checked_peer(problem: Problem, name: str) -> tuple[Peer, Agreement]:
    """A peer, and whether it trains as ours does."""
    theirs = problem.for_peers()
    if name == KERAS:
        return Keras(theirs), keras_agreement(problem)
    fused, compiled = TORCH[name]
    if compiled:
        torch._dynamo.reset()  # else it would compile for any shape of the nets so far
    peer = Torch(theirs, fused=fused, compiled=compiled)
    return peer, agreement(problem, peer)


def _part(
    peer: Peer, order: npt.NDArray[np.int64], batch_size: int, seconds: float
) -> npt.NDArray[np.int64]:
    """The lattices of so many whole batches as take a peer about so long."""
    few = np.resize(order, 40 * batch_size)
    peer.train(few)
    rate = 40 / _processor_seconds(lambda: peer.train(few))
    return np.resize(order, max(20, round(seconds * rate)) * batch_size)


def _processor_seconds(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


if __name__ == "__main__":
    main()
