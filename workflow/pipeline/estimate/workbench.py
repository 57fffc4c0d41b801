"""The measurements that the jobs of a run need, each made once and on lattices like the run's."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from importlib import import_module
from pathlib import Path

import numpy as np

from coarsegrain.device import choose_device
from coarsegrain.nets.network import Activation
from coarsegrain.nets.splits import split
from coarsegrain.nets.training import TrainingSettings
from coarsegrain.rg.maps import coarse_grain
from coarsegrain.storage.lattices import write_lattices
from pipeline.estimate import measurement, timing
from pipeline.estimate.first_calls import CALLS, Kind
from pipeline.estimate.lineage import Lineage, Source
from pipeline.estimate.measurement import Array, SampledSet
from pipeline.estimate.timing import Measured
from pipeline.job_list import Job


class Workbench:
    """Measures what jobs ask for.

    Attributes:
        lineage: of the run's files.
        compiling: seconds that kernels took to compile, or, compiled before, to load.
    """

    def __init__(self, jobs: Sequence[Job], folder: Path, tell: Callable[[str], None]) -> None:
        self.lineage = Lineage(jobs)
        self._tell = tell
        self._sets: dict[str, SampledSet] = {}
        self._steps: dict[str, Measured] = {}
        sampled = [job.spec for job in jobs if job.rule == "sample_lattices"]
        trained = [job.spec for job in jobs if job.rule == "train_model"]
        self._kind = Kind(
            sampled[0]["method"] if sampled else "hybrid",
            trained[0]["settings"]["loss"] if trained else "hinge",
            trained[0]["precision"] if trained else "float32",
            folder / "lattices.nc",
        )
        self.compiling = self._warm_up()

    def start(self, stage: str, *calls: str) -> Measured:
        """Starting a stage, with the first of some calls (``first_calls``): until work begins."""
        words = asdict(self._kind).values()
        return timing.program(
            "-m", "pipeline.estimate.first_calls", f"stages.{stage}", *map(str, words), *calls
        )

    def _warm_up(self) -> float:
        """Make all first calls here: where kernels must be compiled, this does it. Seconds."""

        def everything() -> None:
            for call in ("sampling", "training"):
                CALLS[call](self._kind)

        self._tell("the start of jobs")
        write_lattices(self._kind.lattices, np.ones((2, 8, 8), np.int8), np.full(2, 0.1), {})
        return timing.timed(everything).seconds

    def sampled(self, source: Source) -> SampledSet:
        """Lattices like those of a set."""
        spec = source.spec
        betas = {key: each for key, each in spec["betas"].items() if key not in ("number", "each")}
        key = json.dumps([spec["L"], spec["method"], spec.get("steps"), betas])
        if key not in self._sets:
            self._tell(f"lattices, {', '.join(betas)} beta")
            # The stages are scripts without types; this one says which beta each lattice has.
            sampling_stage = import_module("stages.lattices.sample_shard")
            self._sets[key] = measurement.sampled_set(
                sampling_stage.inverse_temperatures(spec["betas"], seed=1),
                spec["L"],
                spec["method"],
                spec.get("steps", "auto"),
                choose_device(source.device),
            )
        return self._sets[key]

    def lattices(self, path: str) -> Array:
        """Some lattices like those in a file."""
        source = self.lineage.source(path)
        spins = self.sampled(source).spins
        return coarse_grain(spins, source.map, seed=1)[source.level - 1] if source.level else spins

    def reading(self, path: str) -> Measured:
        """Reading a file of lattices, by the number of their sites."""
        source = self.lineage.source(path)
        return self.sampled(source).reading * (source.number * 0.5**source.level)

    def evaluation(self, network: str, lattices: int) -> Measured:
        """The net in a file applied to so many lattices."""
        return measurement.evaluation(self.lineage.sizes(network), "float32") * lattices

    def training_step(self, job: Job) -> tuple[int, Measured]:
        """The steps of a training, if nothing ends it early, and one of them."""
        spec, options = job.spec, job.options
        given = options.get("lattices-in", options.get("lattices", []))[0]
        settings = TrainingSettings(**spec["settings"])
        source = self.lineage.source(given)
        train, validation, _ = (
            part.stop - part.start for part in split(source.number, **spec["splits"])
        )
        steps = settings.epochs * -(-train // settings.batch_size)
        share, frozen = validation / train, bool(options.get("transferred"))
        sizes, activation = spec["sizes"], spec.get("activation")
        key = json.dumps([sizes, activation, asdict(settings), spec["precision"], frozen, share])
        if key not in self._steps:
            self._tell(f"training of {spec['net']}")
            reads_beta = job.rule == "train_thermometer"
            inputs = self.lattices(given)
            targets = self.lattices(options.get("lattices-out", [given])[0])
            if frozen:  # what the frozen layers make of lattices: real numbers
                shape = len(inputs), spec["sizes"][0]
                inputs = np.random.default_rng(1).normal(size=shape).astype(spec["precision"])
            activations: list[Activation] = ["tanh", "relu"]
            if not reads_beta:
                activations = [spec["activation"]] * (len(spec["sizes"]) - 1)
            self._steps[key] = measurement.training_step(
                inputs,
                self.sampled(source).betas if reads_beta else targets,
                spec["sizes"],
                activations,
                settings,
                biases=reads_beta,
                validation=share,
                precision=spec["precision"],
                threads=spec["threads"],
                device=choose_device(spec["device"]),
            )
        return steps, self._steps[key]
