"""The work of the stages of study B; see ``pipeline.work``. Measured ones take few updates."""

from collections.abc import Mapping
from typing import Any

from pipeline.studies.lattices import number_of_lattices
from pipeline.work import Task, Work

# In a measurement.
UPDATES, STEPS, ANNEALING, EACH, LATTICES = 200, 500, 200, 20, 1000


def sites(task: Task) -> int:
    """Lattices x sites that a task reads, each set once."""
    sets = [each.spec for each in task.sources if each.stage == "lattices.sample_lattices"]
    return sum(number_of_lattices(each["betas"]) * each["L"] ** 2 for each in sets)


def side(task: Task) -> int:
    """Of the lattices that a task reads first; of independent blocks their own."""
    return max((int(each.spec["L"]) for each in task.sources if "L" in each.spec), default=1)


def weights(task: Task) -> float:
    """Products of a spin and a weight in a pass through a machine that is to be trained."""
    spec, N = task.spec, side(task) ** 2
    if spec["kind"] == "free":
        return N * float(spec["hidden"])
    return float(N / 4 * spec["channels"] * spec["kernel"] ** 2)


def training(task: Task) -> Work:
    """Updates x products of an update."""
    settings = task.spec["settings"]
    passes = settings["batch"] + 2 * settings["gibbs_steps"] * settings["chains"]
    return Work(settings["updates"] * passes * weights(task), group=str(task.spec["kind"]))


def likelihood(task: Task) -> Work:
    """Chains x steps x products of a step, of the machine that is read."""
    effort, machine = task.spec["effort"], trained(task)
    steps = effort["ais_chains"] * effort["ais_steps"] + 500 * effort["bar_chains"]
    return Work(steps * (weights(machine) if machine else 1.0))


def trained(task: Task) -> Task | None:
    """The machine that a task reads."""
    return next((each for each in task.sources if each.stage == "rbm.train_machine"), None)


def reading(task: Task) -> Work:
    """Lattices x sites."""
    return Work(float(sites(task)) or 1.0)


def reconstruction(task: Task) -> Work:
    """Machines x lattices x sites x reconstructions."""
    return Work(float(sites(task) * len(task.spec["machines"]) * max(task.spec["steps"])) or 1.0)


def flow(task: Task) -> Work:
    """Trainings x steps; rings are drawn quickly beside them."""
    return Work(float(task.spec["learn"]["steps"] * sum(task.spec["members"].values())))


def ring(task: Task) -> Work:
    """Trainings x steps."""
    return Work(float(sum(task.spec["steps"].values()) * task.spec["members"]))


AMOUNTS = {
    "rbm.train_machine": training,
    "rbm.measure_likelihood": likelihood,
    "rbm.measure_couplings": reading,
    "rbm.measure_exponents": reading,
    "rbm.reconstruction_flow": reconstruction,
    "rbm.learn_ring_flow": flow,
    "rbm.fit_ring_machine": ring,
}


def small() -> Mapping[str, Any]:
    """Settings with which every job takes seconds."""
    return {
        "lattices": LATTICES,
        "test_lattices": LATTICES,
        "updates": {"tied": UPDATES, "free": UPDATES},
        "ring": {"steps": STEPS},
        "likelihood": {"ais_steps": ANNEALING},
        "exponents": {"lattices": LATTICES},
        "flow": {"lattices_per_beta": EACH},
    }
