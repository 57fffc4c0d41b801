"""Short measurements on this machine: what a lattice, a step of training, a forward pass costs.

Everything is measured by the code that the stages call, on lattices sampled for the purpose.
"""

import contextlib
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from coarsegrain.analysis.certificate import certify
from coarsegrain.analysis.entropy import local_entropy
from coarsegrain.analysis.flow import fixed_point, line_crossing
from coarsegrain.ising.sampler import equilibration_steps, sample_lattices
from coarsegrain.nets.losses import hinge, spin_accuracy
from coarsegrain.nets.network import Activation
from coarsegrain.nets.training import (
    Member,
    TrainingSettings,
    TrainingStopped,
    glorot_network,
    train_members,
)
from coarsegrain.storage.lattices import read_lattices, write_lattices
from pipeline.estimate.timing import Measured, Watch, timed

Lattices = npt.NDArray[np.int8]
Array = npt.NDArray[np.generic]

#: Seconds that one measurement takes, about.
BUDGET = 0.5
#: Lattices of one set that are sampled and worked on, at most; at least one group of the sampler.
MOST_LATTICES, FEWEST_LATTICES = 2048, 64


@dataclass(frozen=True)
class SampledSet:
    """Some lattices of a set, and what they cost.

    Attributes:
        spins: (n, L, L).
        betas: (n,).
        sampling: of one lattice.
        writing: of one, to a file.
        reading: of one.
        certifying: of a set, apart from what grows with it.
        certifying_one: of one lattice more.
        bytes: of one lattice on disk.
    """

    spins: Lattices
    betas: npt.NDArray[np.float64]
    sampling: Measured
    writing: Measured
    reading: Measured
    certifying: Measured
    certifying_one: Measured
    bytes: float


def sampled_set(
    betas: npt.NDArray[np.float64], L: int, method: str, steps: int | Literal["auto"], device: str
) -> SampledSet:
    """Sample evenly spaced members of a set (n,) of inverse temperatures, and handle them."""
    options: dict[str, Any] = {"method": method, "device": device}
    if method == "hybrid":
        options["steps"] = equilibration_steps(L) if steps == "auto" else steps
    on_gpu = device == "cuda"
    # Lattices sampled exactly share a block: few of them wait for the slowest.
    enough = BUDGET if method == "exact" else BUDGET / 4
    number = min(FEWEST_LATTICES, len(betas))
    while True:
        chosen = betas[np.linspace(0, len(betas) - 1, number).astype(int)]
        watch = Watch(by_the_clock=on_gpu)
        spins = sample_lattices(chosen, L, seed=1, **options)
        sampling = watch.lap()
        most = len(betas) if on_gpu else min(MOST_LATTICES, len(betas))
        if number >= most or sampling.seconds > enough:
            break
        number = min(4 * number, most)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "lattices.nc")
        writing = timed(lambda: write_lattices(path, spins, chosen, {}))
        reading = timed(lambda: read_lattices(path))
        size = path.stat().st_size
    half = slice(0, None, 2)
    needed = equilibration_steps(L)
    of_half = timed(lambda: certify(spins[half], chosen[half], steps=None, steps_needed=needed))
    of_all = timed(lambda: certify(spins, chosen, steps=None, steps_needed=needed))
    slope = (of_all - of_half) * (2 / number)
    constant = of_all - slope * number
    return SampledSet(
        spins,
        chosen,
        sampling=sampling * (1 / number),
        writing=writing * (1 / number),
        reading=reading * (1 / number),
        certifying=constant,
        certifying_one=slope,
        bytes=size / number,
    )


def training_step(
    inputs: Array,
    targets: Array,
    sizes: Sequence[int],
    activations: Sequence[Activation],
    settings: TrainingSettings,
    *,
    biases: bool,
    validation: float,
    precision: str,
    threads: int,
    device: str,
) -> Measured:
    """A step of training, with its share of validation and bookkeeping after each epoch.

    Args:
        inputs: (n, …); used again and again if there are too few.
        targets: (n, …).
        sizes: of the layers that are trained.
        activations: one per layer.
        settings: epochs and conditions for stopping are not used.
        biases: whether the layers have them.
        validation: lattices to validate with per lattice to train on.
        precision: of the net.
        threads: of the job.
        device: cpu or cuda.
    """
    network = glorot_network(sizes, activations, biases=biases, seed=1)
    endless = replace(settings, epochs=10**6, stop_at_loss=None, plateau_epochs=None)
    by_the_clock = threads > 1 or device == "cuda"

    def epochs(steps: int, budget: float) -> Measured:
        """The median epoch of ``steps`` steps; the first, which settles in, does not count."""
        number = steps * settings.batch_size
        parts = [
            (inputs[rows], targets[rows])
            for rows in (
                np.arange(number) % len(inputs),
                np.arange(max(1, round(number * validation))) % len(inputs),
            )
        ]
        laps: list[Measured] = []
        watch = Watch(by_the_clock=by_the_clock)
        until = time.process_time() + budget

        def enough() -> bool:
            return len(laps) > 2 and time.process_time() > until

        with contextlib.suppress(TrainingStopped):
            train_members(
                [Member(network, parts[0], parts[1], seed=1)],
                endless,
                device=device,
                precision=precision,
                threads=threads,
                progress=lambda epoch, objective: laps.append(watch.lap()),
                asked_to_stop=enough,
            )
        return sorted(laps[1:], key=lambda lap: lap.seconds)[(len(laps) - 1) // 2]

    step = epochs(4, 0.0).seconds / 4
    steps = max(4, min(200, int(BUDGET / 5 / step)))
    return epochs(steps, BUDGET) * (1 / steps)


@cache
def evaluation(sizes: tuple[int, ...], precision: str) -> Measured:
    """The outputs of a net for one lattice, their loss and their accuracy."""
    network = glorot_network(sizes, ["linear"] * (len(sizes) - 1), biases=False, seed=1)
    number = 512
    layers = tuple(replace(each, weight=each.weight.astype(precision)) for each in network.layers)
    network = replace(network, layers=layers)
    spins = np.random.default_rng(1).choice(np.array([-1, 1], np.int8), size=(number, sizes[0]))
    targets = np.ones((number, sizes[-1]), np.int8)

    def work() -> None:
        y = network(spins)
        hinge(y, targets)
        hinge(y, targets)
        spin_accuracy(y, targets)

    work()
    return timed(work) * (1 / number)


@cache
def entropy_of_image(L: int) -> Measured:
    """The local entropy of one lattice."""
    images = np.random.default_rng(1).choice(np.array([0, 255], np.uint8), size=(40, L, L))
    local_entropy(images[:2])
    return timed(lambda: local_entropy(images)) * (1 / len(images))


@cache
def bootstrap_sample(members: int, betas: int, lattices: int) -> Measured:
    """One resampling of the fixed point of a flow."""
    rng = np.random.default_rng(1)
    grid = np.linspace(0.01, 0.6, betas)
    predictions = 0.2 + 0.5 * grid[:, None] + 0.01 * rng.normal(size=(members, betas, lattices))
    number = 20
    return timed(
        lambda: fixed_point(grid, predictions, line_crossing, bootstrap_samples=number, rng=rng)
    ) * (1 / number)
