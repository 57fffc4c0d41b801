"""The work of the stages of lattices and of study A, and of all studies; see ``pipeline.work``."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

from coarsegrain.ising.equilibration import equilibration_steps
from coarsegrain.nets.splits import split
from pipeline.studies import work_of_flows, work_of_machines
from pipeline.studies.lattices import number_of_lattices
from pipeline.work import StudyWork, Task, Work

LATTICES = ("lattices.sample_lattices", "lattices.sample_shard", "lattices.decimate_lattices")
TRAINING, JOINT_TRAINING = "autoencoder.train_net", "autoencoder.train_members"
HARD_CODING = "autoencoder.hard_code_weights"
NETS = (HARD_CODING, "autoencoder.transfer_weights", TRAINING)
# Times of Adam's step for a weight, of an image's entropy for a site, of one resampling, of
# resampling one prediction and of a site's transforms and sorts by a code, in that of a
# multiply-add of a forward pass: orders of magnitude.
ADAM, ENTROPY, RESAMPLING, PREDICTION, CODES = 80, 2e4, 5e6, 1e3, 5e4
# In a measurement: lattices of a set, and work of a training, some seconds on one core.
MOST_LATTICES, ENOUGH = 10_000, 1.5e11


def lattices(task: Task) -> tuple[int, int]:
    """The lattices that a task makes or reads: their number, and sites before coarse-graining."""
    if task.stage in LATTICES[:2]:
        spec = task.spec.get("set", task.spec)
        number = number_of_lattices(spec["betas"])
        return -(-number // int(task.spec.get("shards", 1))), spec["L"] ** 2
    return lattices(next(each for each in task.sources if each.stage in LATTICES))


def multiply_adds(task: Task) -> int:
    """Those of a forward pass through the net that a task makes, or the nets that it reads."""
    if task.stage == HARD_CODING:
        sites: int = task.spec["L"] ** 2 >> (task.spec["step"] - 1)
        return sites * (sites // 2)
    own: int = sum(a * b for a, b in pairwise(task.spec.get("sizes", ())))
    return own + sum(multiply_adds(each) for each in task.sources if each.stage in NETS)


def sampling(task: Task) -> Work:
    """Lattices x sites x steps; the kind is how the inverse temperatures are chosen."""
    spec = task.spec.get("set", task.spec)
    number, sites = lattices(task)
    steps = spec.get("steps", 1)  # an exact sample has no number of steps
    steps = equilibration_steps(spec["L"]) if steps == "auto" else steps
    chosen = " ".join(key for key in spec["betas"] if key not in ("number", "each"))
    kind = chosen if spec["method"] == "hybrid" else f"{chosen}, {spec['method']}"
    return Work(number * sites * steps, kind, bytes=number * sites / 8)


def handling(task: Task) -> Work:
    """Lattices x sites."""
    number, sites = lattices(task)
    coarse = 0.75 if task.stage == LATTICES[2] else 0  # a half and a quarter of the sites
    return Work(number * sites, bytes=coarse * number * sites / 8)


def training(task: Task) -> Work:
    """Epochs x multiply-adds of an epoch; frozen layers are applied once."""
    if any(each.stage == JOINT_TRAINING for each in task.sources):
        return Work(kind="from a joint training")
    if "members" in task.spec:
        parts = [
            training(Task(TRAINING, spec, task.facts, task.sources))
            for spec in task.spec["members"]
        ]
        amount, size = (sum(getattr(each, name) for each in parts) for name in ("amount", "bytes"))
        return replace(parts[0], amount=amount, bytes=size)
    spec, settings = task.spec, task.spec["settings"]
    parts_of = split(lattices(task)[0], validation_fraction=spec["validation_fraction"])
    train, validation = (each.stop - each.start for each in (parts_of.train, parts_of.validation))
    weights = sum(a * b for a, b in pairwise(spec["sizes"]))
    steps = -(-train // settings["batch_size"])
    ended = re.search(r"after epoch (\d+)", str(task.facts.get("training_ended")))
    epochs = int(ended[1]) if ended else settings["epochs"]
    return Work(
        epochs * weights * (3 * train + validation + ADAM * steps),
        spec["net"],
        group_of_net(spec),
        bool({"stop_at_loss", "plateau_epochs"} & settings.keys()),
        4 * multiply_adds(task),
    )


def group_of_net(spec: Mapping[str, Any]) -> str:
    """Nets of one layer, deep ones and those that read β are trained in other ways."""
    if spec["targets"] == "betas":
        return "that reads β"
    return "of one layer" if len(spec["sizes"]) == 2 else "of several layers"


def evaluation(task: Task) -> Work:
    """Lattices x multiply-adds of all nets."""
    return Work(lattices(task)[0] * multiply_adds(task))


def products_of_weights(task: Task) -> Work:
    """Sites x multiply-adds of all nets."""
    return Work(int(task.spec["L"]) ** 2 * multiply_adds(task))


def flow(task: Task) -> Work:
    """What every thermometer reads of every autoencoder; four kinds of fixed point, resampled."""
    number = lattices(task)[0]
    nets = [each for each in task.sources if each.stage in NETS]
    thermometers = [each for each in nets if each.spec.get("targets") == "betas"]
    # of outputs with and without sign(), of the lattices themselves, and of decimated ones
    more = 2 * (len(nets) - len(thermometers)) + 1
    reading = multiply_adds(task) + more * sum(map(multiply_adds, thermometers))
    samples = 4 * task.spec["bootstrap_samples"]
    return Work(number * reading + samples * (RESAMPLING + PREDICTION * number))


def entropy(task: Task) -> Work:
    """Images of lattices, decimated ones and outputs, at two boundaries."""
    number, sites = lattices(task)
    members = sum(each.stage in NETS for each in task.sources)
    return Work(number * (multiply_adds(task) + 2 * (1.25 + members) * sites * ENTROPY))


def floors(task: Task) -> Work:
    """Sites of all sets x what codes without nets take: transforms, and products with a quarter."""
    sets = [lattices(each) for each in task.sources if each.stage in LATTICES]
    return Work(sum(number * sites * (CODES + sites) for number, sites in sets))


def small(tasks: Sequence[Task]) -> Mapping[str, Any]:
    """Of each set as many lattices as are sampled in seconds, and epochs that take seconds."""

    def number(kind: str) -> int:
        numbers = [lattices(task)[0] for task in tasks if kind in task.spec.get("betas", ())]
        return min(MOST_LATTICES, max(numbers, default=MOST_LATTICES))  # sets for tests are smaller

    def epochs(group: str) -> int:
        """Of the largest net of a group."""
        enough: list[int] = []
        for task in (each for each in tasks if each.stage in (TRAINING, JOINT_TRAINING)):
            spec = task.spec.get("members", [task.spec])[0]
            if group_of_net(spec) == group:
                settings = spec["settings"]
                of_epoch = training(task).amount / settings["epochs"]
                share = min(1.0, MOST_LATTICES / lattices(task)[0])
                enough.append(min(settings["epochs"], round(ENOUGH / (of_epoch * share))))
        return max(1, min(enough, default=1))

    return {
        "members": 2,
        "lattices": {
            "critical": {"number": number("constant")},
            "wide_range": {"number": number("uniform")},
        },
        "nets": {
            "epochs": {"shallow": epochs("of one layer"), "deep": epochs("of several layers")},
            "stopping": "epochs",
        },
        "thermometer": {"max_epochs": epochs("that reads β"), "stop_mse": 1e-12},
        "rbm": work_of_machines.small(),
        "neuralrg": work_of_flows.small(),
    }


WORK = StudyWork(
    {
        "lattices.sample_lattices": sampling,
        "lattices.sample_shard": sampling,
        "lattices.certify_lattices": handling,
        "lattices.decimate_lattices": handling,
        **dict.fromkeys((TRAINING, JOINT_TRAINING), training),
        "autoencoder.evaluate_model": evaluation,
        "autoencoder.measure_local_order": evaluation,
        "autoencoder.measure_floors": floors,
        "autoencoder.measure_thermometer": evaluation,
        "autoencoder.measure_exact_thermometers": evaluation,
        "autoencoder.measure_weights": products_of_weights,
        "autoencoder.beta_flow": flow,
        "autoencoder.local_entropy": entropy,
        **work_of_machines.AMOUNTS,
        **work_of_flows.AMOUNTS,
    },
    small,
)


def work_of(task: Task) -> Work:
    """The work of a task, as its study tells it."""
    return WORK.amounts[task.stage](task) if task.stage in WORK.amounts else Work()
