"""Training steps of flows per second: our kernels and plain PyTorch, in one run.

    make bench BENCHMARKS=flows
    PYTHONPATH=workflow python benchmarks/flows.py --quick

A step draws fresh samples of a flow and computes the loss ln q + E of the dual Ising model and its
gradient by all parameters, in float32, on one core. Adam, the same for both, is not in it. The
peers are ``tests/flows/plain_sublattice_flow.py`` and ``plain_patch_flow.py``: the same formulas
with all sites of a coupling, or all patches of a layer, and all samples in one batch of tensors,
autograd, and torch's normal numbers; numbers below float32's normal ones are flushed to 0. "Path":
the gradient along the paths of the samples, which trains the flow by sublattices, for which the
peer computes ln q by the inverse. "Full": by the samples' own ln q, which trains that by patches.

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

import plain_patch_flow
from plain_patch_flow import PlainPatchFlow
from plain_sublattice_flow import PlainFlow

from coarsegrain.flows.architecture import Architecture
from coarsegrain.flows.dual_energy import dual_energy
from coarsegrain.flows.ingredients import start
from coarsegrain.flows.patch_architecture import PatchArchitecture, starting_weights
from coarsegrain.flows.patch_flow import PatchFlow
from coarsegrain.flows.sublattice_flow import SublatticeFlow
from coarsegrain.ising.critical_point import BETA_CRITICAL
from coarsegrain.ising.dual import DualIsing
from tables import keep, machine, spread, table

SIDES, BATCHES = (8, 16), (128, 512)
SEED = 1

Step = Callable[[int], None]


class Case(NamedTuple):
    """What a step computes."""

    flow: str
    L: int
    batch: int
    path: bool

    def __str__(self) -> str:
        """As it stands in the table."""
        gradient = "path" if self.path else "full"
        return f"{self.flow}, L = {self.L}, {self.batch} samples, {gradient}"


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
    """The library's step of the flow by sublattices."""
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


def patch_weights(architecture: PatchArchitecture) -> dict[str, np.ndarray]:
    """Weights as if after some training: scales are not 0."""
    weights, rng = starting_weights(architecture, seed=SEED), np.random.default_rng(SEED)
    for name, array in weights.items():
        if name.endswith("scale"):
            array += rng.normal(0, 0.05, array.shape).astype(np.float32)
    return weights


def our_patches(case: Case) -> Step:
    """The library's step of the flow by patches."""
    architecture, target = PatchArchitecture(case.L), DualIsing(case.L, BETA_CRITICAL)
    flow, energy = (
        PatchFlow(architecture, patch_weights(architecture)),
        dual_energy(target.spectrum),
    )
    return lambda k: flow.step(case.batch, energy, step=k, seed=SEED, path=case.path) and None


def plain_patches(case: Case) -> Step:
    """The peer's."""
    architecture, target = PatchArchitecture(case.L), DualIsing(case.L, BETA_CRITICAL)
    flow = PlainPatchFlow(architecture, patch_weights(architecture), torch.float32)
    energy = plain_patch_flow.dual_energy(target.spectrum, dtype=torch.float32)
    generator = torch.Generator().manual_seed(SEED)

    def step(k: int) -> None:
        for each in flow.parameters().values():
            each.grad = None
        z = torch.randn(case.batch, case.L, case.L, generator=generator)
        flow.loss(z, energy, path=case.path).mean().backward()

    return step


#: The library's and the peer's step, by flow.
CODES = {"sublattices": (ours, plain_torch), "patches": (our_patches, plain_patches)}


def measure(case: Case, repetitions: int, seconds: float) -> Measured:
    """Let both take turns."""
    found = Measured(case)
    our_step, peers_step = (make(case) for make in CODES[case.flow])
    turns = [(our_step, found.ours), (peers_step, found.peer)]
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
    cases = [
        Case("sublattices", L, n, path) for L in sides for n in batches for path in (True, False)
    ]
    for case in [*cases, *(Case("patches", L, batches[-1], path=False) for L in sides)]:
        measured.append(measure(case, repetitions, seconds))
        print(f"{case}: {median(measured[-1].ratio()):.2f}", file=sys.stderr, flush=True)
    default, theirs = Architecture(4), PatchArchitecture(4)
    parts = [
        f"Flow by sublattices of {default.couplings} couplings per scale, {default.hidden} hidden "
        f"units and splines of {default.bins} bins on each side; flow by patches of "
        f"{theirs.couplings} couplings per layer and nets of {' x '.join(map(str, theirs.hidden))} "
        "hidden units. float32, one core. Steps per second of processor time, loss and gradient "
        "without Adam:",
        speeds(measured),
    ]
    title = "## Flows: training steps per second\n"
    text = "\n\n".join([title + "\n" + machine(load, ["numpy", "numba", "torch"]), *parts])
    print(text)
    if arguments.write:
        keep("flows", text, arguments.write)


if __name__ == "__main__":
    main()
