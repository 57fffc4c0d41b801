"""Independent lattices per second: ours, two packages, and a textbook, in one run.

    make bench                                                  installs the peers, prints tables
    make bench ARGS="--write docs/benchmarks.md"                and keeps them
    make bench ARGS=--help                                      says what else there is
    PYTHONPATH=workflow python benchmarks/sampling.py --quick   shows in a minute that it works

First the steps: each peer's relaxation is measured, and it makes as many of its own steps per
lattice as leave the bias of energy and m² at 1e-4 standard deviations of one lattice, either from
its start or in one long chain, whichever takes fewer steps (see ``decorrelation.py``). Ours makes
the library's default number of steps from a cold start, which has a margin; theirs has none.

Then the speed: samplers take turns, --repetitions times. A figure is the median of its turns, the
brackets hold the least and the greatest, and a ratio is the median of the ratios within one turn.
Rates on one core are per second of processor time: what a clock shows when nothing else runs, and
hardly less on a busy machine. Rates on two cores and on a GPU are by the clock.

A peer that is not installed is named and left out, and so is the GPU where there is none.
"""

import argparse
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import numpy as np

from coarsegrain.ising.sampler import equilibration_steps, sample_lattices
from decorrelation import Steps, steps_per_lattice
from kernel_times import Kernels
from paper_lattices import PAPER_SETS, runs_for_all
from peers import Peer, Pyising, TextbookWolff, installed_peers
from tables import keep, machine, rounded, spread, table
from two_cores import TwoCores

L = 32
BETA = 0.4352
METHODS = ("hybrid", "exact")
TWO = "two cores, by the clock"
#: So few exact lattices at a time that idle lanes at the end do not show.
_LEAST = {"hybrid": 1024, "exact": 2048}


@dataclass
class Sampler:
    """A row of the table, with its lattices per second in each turn."""

    name: str
    steps: str
    turn: Callable[[], float]
    kind: str = "ours"
    rates: list[float] = field(default_factory=list)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repetitions", type=int, default=7, help="turns of each sampler")
    parser.add_argument("--seconds", type=float, default=0.5, help="length of a turn, about")
    parser.add_argument("--chains", type=int, default=4096, help="for a peer's relaxation, 16·n")
    parser.add_argument("--quick", action="store_true", help="a minute; the figures mean nothing")
    parser.add_argument("--write", type=Path, metavar="FILE", help="keep the tables in this file")
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.repetitions, arguments.seconds, arguments.chains = 2, 0.02, 256
    repetitions = arguments.repetitions

    load = os.getloadavg()[0]
    peers, missing = installed_peers(BETA, L)
    note("measuring the peers' relaxation")
    steps = {peer.name: steps_per_lattice(peer, BETA, L, arguments.chains, 90) for peer in peers}
    parts = [
        f"Independent lattices, L = {L}, β = {BETA}, per second of one core's processor time:",
        speeds(peers, steps, repetitions, arguments.seconds, arguments.quick),
        *(f"Not measured: {package} (not installed)." for package in missing),
        f"The peers' own steps per independent lattice, bias 1e-4 σ, {arguments.chains} chains:",
        relaxations(peers, steps),
        "Parts of ours, one core, processor time:",
        parts_of_ours(repetitions, 2 if arguments.quick else 100),
        paper(0.001 if arguments.quick else 1.0),
        gpu(2**10 if arguments.quick else 2**20, repetitions),
    ]
    title = "## Sampling: independent lattices per second\n"
    text = "\n\n".join([title + "\n" + machine(load, ("numpy", "numba")), *parts])
    print(text)
    if arguments.write:
        keep("sampling", text, arguments.write)


def note(what: str) -> None:
    """Say on stderr what is going on."""
    print(what, file=sys.stderr, flush=True)


def speeds(
    peers: list[Peer],
    steps: dict[str, Steps | None],
    repetitions: int,
    seconds: float,
    quick: bool,
) -> str:
    """Lattices per second of all samplers, in turns."""
    default = str(equilibration_steps(L))
    shown = {"hybrid": f"{default}, from all up or down", "exact": "no bias"}
    size = {method: 64 if quick else _LEAST[method] for method in METHODS}
    one_core = {method: ours(method, seconds, size[method]) for method in METHODS}
    pools = {method: TwoCores(BETA, L, method=method) for method in METHODS}
    samplers = [
        *(Sampler(f"**coarsegrain, {m}**", shown[m], one_core[m]) for m in METHODS),
        *(peer_sampler(peer, steps, seconds) for peer in peers),
        *(
            Sampler(f"coarsegrain, {m}, {TWO}", shown[m], twice(pools[m], seconds, size[m]), TWO)
            for m in METHODS
        ),
    ]
    for turn in range(repetitions):
        note(f"turn {turn + 1} of {repetitions}")
        for sampler in samplers:
            sampler.rates.append(sampler.turn())
    for pool in pools.values():
        pool.close()

    fastest = max((s for s in samplers if s.kind == "peer"), key=lambda s: median(s.rates))
    rows = []
    for sampler in samplers:
        ratios = [a / b for a, b in zip(sampler.rates, fastest.rates, strict=True)]
        ratio = "1 (the fastest peer)" if sampler is fastest else spread(ratios)
        ratio = "–" if sampler.kind == TWO else ratio  # clock against processor time
        rows.append([sampler.name, sampler.steps, spread(sampler.rates), ratio])
    return table(["sampler", "steps per lattice", "lattices/s", "ratio to the fastest peer"], rows)


def ours(method: str, seconds: float, least: int) -> Callable[[], float]:
    """A turn of ours on one core: its lattices per second, arrays of spins included."""

    def rate(n: int) -> float:
        start = time.process_time()
        sample_lattices(np.full(n, BETA), L, seed=1, method=method)
        return n / (time.process_time() - start)

    rate(64)  # compiles
    n = max(least, round(seconds * rate(least) / least) * least)
    return lambda: rate(n)


def twice(pool: TwoCores, seconds: float, least: int) -> Callable[[], float]:
    """A turn of ours on two cores."""
    n = max(least, round(seconds * pool.lattices_per_second(least) / (2 * least)) * least)
    return lambda: pool.lattices_per_second(n)


def peer_sampler(peer: Peer, steps: dict[str, Steps | None], seconds: float) -> Sampler:
    """A peer's row; pyising's Markov chain is the textbook's, and so are its steps."""
    own = steps[peer.name]
    if own is None:
        own = steps[TextbookWolff.name]
    assert own is not None

    def steps_per_second(number: int) -> float:
        start = time.process_time()
        peer.advance(number)
        return number / (time.process_time() - start)

    number = max(1000, round(seconds * steps_per_second(2000)))
    return Sampler(
        peer.name, f"{own.fewer:.0f}", lambda: steps_per_second(number) / own.fewer, kind="peer"
    )


def relaxations(peers: list[Peer], steps: dict[str, Steps | None]) -> str:
    """Steps of each peer, and whether its energy is the exact one."""
    rows = []
    for peer in peers:
        own = steps[peer.name]
        if own is None:
            same = "the textbook's: the same chain" if isinstance(peer, Pyising) else "–"
            rows.append([peer.name, same, same, "–"])
        else:
            start, long_chain = f"{own.from_start:.1f}", f"{own.long_chain:.1f}"
            rows.append(
                [peer.name, f"{start} ({peer.start})", long_chain, f"{own.energy_pull:+.1f}"]
            )
    header = ["peer", "from its start", "in one long chain", "(E − Kaufman)/error"]
    return table(header, rows)


def parts_of_ours(repetitions: int, sweeps: int) -> str:
    """The kernels alone, at equilibrium."""
    kernels = Kernels(BETA, L)
    turns = range(repetitions)
    flips, wolff = zip(
        *((kernels.flips_per_nanosecond(sweeps), kernels.wolff_nanoseconds(sweeps)) for _ in turns),
        strict=True,
    )
    rows = [
        ["heat-bath sweep", f"{spread(flips)} spin updates/ns"],
        ["heat-bath sweep", f"{spread([L * L / f for f in flips])} ns per lattice"],
        ["Wolff step", f"{spread(wolff)} ns per lattice"],
    ]
    return table(["part", "time"], rows)


def paper(share: float) -> str:
    """The paper's lattices, from nothing to files."""
    note("sampling the paper's lattices, twice")
    rows = []
    for kernels, run in zip(("compiled", "from the cache"), runs_for_all(L, share), strict=True):
        rows.append([kernels, f"{run.seconds:.1f} s", f"{run.processor_seconds:.1f} s"])
    part = "" if share == 1 else f" (here {share:g} of them)"
    numbers = " + ".join(f"{number:,}" for number, _ in PAPER_SETS.values())
    return (
        f"The paper's {numbers} lattices{part} on two cores, one process per set as in the "
        "pipeline, imports and writing of files included:\n\n"
    ) + table(["kernels", "from start to end", "processor time of all processes"], rows)


def gpu(n: int, repetitions: int) -> str:
    """Lattices per second on a CUDA device, if there is one."""
    try:
        import cupy

        name = cupy.cuda.runtime.getDeviceProperties(0)["name"].decode()
    except Exception:  # no CuPy, no driver, no device: each raises its own
        return "GPU: not measured (no CUDA device)."

    def seconds(method: str, number: int) -> float:
        start = time.perf_counter()
        sample_lattices(np.full(number, BETA), L, seed=1, method=method, device="cuda")
        return time.perf_counter() - start

    rows = []
    for method in METHODS:
        first = seconds(method, n)
        rates = [n / seconds(method, n) for _ in range(repetitions)]
        rows.append([method, f"{rounded(first)} s", spread(rates)])
    header = ["method", f"first call ({n:,} lattices, compilation included)", "lattices/s, later"]
    return f"GPU: {name}, copies to the host included.\n\n" + table(header, rows)


if __name__ == "__main__":
    main()
