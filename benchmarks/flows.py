"""Training steps of flows per second: our kernels and plain PyTorch, in one run.

    make bench BENCHMARKS=flows
    PYTHONPATH=workflow python benchmarks/flows.py --quick

A step draws fresh samples of the flow by sublattices and computes the loss ln q + E of the dual
Ising model and its gradient by all parameters, in float32, on one core. Adam, the same for both, is
not in it. The peer is ``tests/flows/plain_sublattice_flow.py``: the same formulas with all sites of
a coupling and all samples in one batch of tensors, autograd, and torch's normal numbers; numbers
below float32's normal ones are flushed to 0. "Path": the gradient along the paths of the samples,
which trains, for which the peer computes ln q by the inverse. "Full": by the samples' own ln q.

Codes take turns, --repetitions times. A figure is the median of its turns, the brackets hold the
least and the greatest, and a ratio is the median of the ratios within one turn. Rates are per
second of processor time. Compilation is not in them.
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
from statistics import median
from typing import NamedTuple

import numpy as np
import torch

sys.path.append(str(Path(__file__).resolve().parents[1] / "tests" / "flows"))

from plain_sublattice_flow import PlainFlow

from coarsegrain.flows.architecture import Architecture
from coarsegrain.flows.ingredients import start
from coarsegrain.flows.sublattice_flow import SublatticeFlow
from coarsegrain.ising.critical_point import BETA_CRITICAL
from coarsegrain.ising.dual import DualIsing
from tables import keep, machine, spread, table

SIDES, BATCHES = (8, 16), (128, 512)
SEED = 1

Step = Callable[[int], None]


class Case(NamedTuple):
    """What a step computes."""

    L: int
    batch: int
    path: bool

    def __str__(self) -> str:
        """As it stands in the table."""
        return f"L = {self.L}, {self.batch} samples, {'path' if self.path else 'full'}"


@dataclass
class Measured:
    """Steps per second in each turn."""

    case: Case
    ours: list[float] = field(default_factory=list)
    peer: list[float] = field(default_factory=list)

    def ratio(self) -> list[float]:
        """Ours over the peer, turn by turn."""
        return [a / b for a, b in zip(self.ours, self.peer, strict=True)]


def parameters_of(architecture: Architecture) -> np.ndarray:
    """Parameters as if after some training: every coupling does something."""
    noise = np.random.default_rng(SEED).normal(0, 0.05, architecture.size)
    spectrum = DualIsing(architecture.L, BETA_CRITICAL).spectrum
    return start(architecture, spectrum, seed=SEED) + noise


def ours(case: Case) -> Step:
    """The library's step."""
    architecture, target = Architecture(case.L), DualIsing(case.L, BETA_CRITICAL)
    flow = SublatticeFlow(architecture, target.spectrum, parameters_of(architecture))
    return lambda k: flow.step(case.batch, step=k, seed=SEED, path=case.path) and None


def plain_torch(case: Case) -> Step:
    """The peer's."""
    architecture, target = Architecture(case.L), DualIsing(case.L, BETA_CRITICAL)
    flow = PlainFlow(architecture, target.spectrum, torch.float32)
    parameters = torch.tensor(parameters_of(architecture), dtype=torch.float32, requires_grad=True)
    sign = torch.ones(case.batch)
    generator = torch.Generator().manual_seed(SEED)

    def step(k: int) -> None:
        parameters.grad = None
        z = torch.randn(case.batch, case.L**2, generator=generator)
        flow.loss(parameters, z, sign, path=case.path).mean().backward()

    return step


def measure(case: Case, repetitions: int, seconds: float) -> Measured:
    """Let both take turns."""
    found = Measured(case)
    turns = [(ours(case), found.ours), (plain_torch(case), found.peer)]
    numbers = [_steps(step, seconds) for step, _ in turns]
    for _ in range(repetitions):
        for (step, rates), number in zip(turns, numbers, strict=True):
            rates.append(number / _processor_seconds(step, number))
    return found


def _steps(step: Step, seconds: float) -> int:
    """How many take about so long; compiles."""
    _processor_seconds(step, 1)
    return max(1, round(seconds / _processor_seconds(step, 1)))


def _processor_seconds(step: Step, number: int) -> float:
    start_of = time.process_time()
    for k in range(number):
        step(k)
    return time.process_time() - start_of


def speeds(measured: list[Measured]) -> str:
    """Steps per second, and ratios."""
    rows = [
        [str(of.case), f"**{spread(of.ours)}**", spread(of.peer), spread(of.ratio())]
        for of in measured
    ]
    return table(["step", "coarsegrain", "plain PyTorch", "ratio"], rows)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repetitions", type=int, default=7, help="turns of each code")
    parser.add_argument("--seconds", type=float, default=2.0, help="length of a turn, about")
    parser.add_argument("--quick", action="store_true", help="short; the figures mean nothing")
    parser.add_argument("--write", type=Path, metavar="FILE", help="keep the tables in this file")
    arguments = parser.parse_args()
    repetitions, seconds = arguments.repetitions, arguments.seconds
    sides, batches = SIDES, BATCHES
    if arguments.quick:
        repetitions, seconds, sides, batches = 2, 0.01, (4,), (32,)

    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    load = os.getloadavg()[0]
    measured = []
    for case in [Case(L, n, path) for L in sides for n in batches for path in (True, False)]:
        measured.append(measure(case, repetitions, seconds))
        print(f"{case}: {median(measured[-1].ratio()):.2f}", file=sys.stderr, flush=True)
    default = Architecture(4)
    parts = [
        f"Flow by sublattices of {default.couplings} couplings per scale, {default.hidden} hidden "
        f"units and splines of {default.bins} bins on each side, float32, one core. Steps per "
        "second of processor time, loss and gradient without Adam:",
        speeds(measured),
    ]
    title = "## Flows: training steps per second\n"
    text = "\n\n".join([title + "\n" + machine(load, ["numpy", "numba", "torch"]), *parts])
    print(text)
    if arguments.write:
        keep("flows", text, arguments.write)


if __name__ == "__main__":
    main()
