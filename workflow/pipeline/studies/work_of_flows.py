"""The work of the stages of study C; see ``pipeline.work``. Measured ones take few steps."""

from collections.abc import Mapping
from typing import Any

from pipeline.work import Task, Work

# In a measurement.
STEPS, SAMPLES = 64, 2048


def flow_size(task: Task) -> float:
    """Sites x numbers of a pass of one sample through the flow that a task trains."""
    shape = task.spec["architecture"]
    hidden = shape["hidden"]
    if isinstance(hidden, int):
        of_net = hidden * (hidden + 3 * shape["bins"] + 16)
    else:
        of_net = 2 * sum(a * b for a, b in zip((4, *hidden), (*hidden, 4)))
    return float(shape["L"] ** 2 * shape["couplings"] * of_net)


def training(task: Task) -> Work:
    """Steps x samples x the flow's size."""
    settings = task.spec["settings"]
    samples = settings["batch"] * (1 if settings.get("constant") else 1.75)
    return Work(settings["steps"] * samples * flow_size(task))


def measuring(task: Task) -> Work:
    """Samples x the flow's size, for fresh and for exact ones."""
    flows = [each for each in task.sources if "architecture" in each.spec]
    sizes = [flow_size(each) for each in flows] or [1.0]
    return Work(task.spec["samples"] * max(sizes), group=str(dict(task.spec["labels"])["flow"]))


def information(task: Task) -> Work:
    """Samples, at as many pairs on any lattice; what the flow itself takes is little."""
    return Work(task.spec["samples"])


def scales(task: Task) -> Work:
    """Samples x the flow's size, exact and fresh ones, and two for each site of a pattern's."""
    flows = [each for each in task.sources if "architecture" in each.spec]
    size = max([flow_size(each) for each in flows] or [1.0])
    sides = [each.spec["architecture"]["L"] for each in flows] or [1]
    spec = task.spec
    passes = 2 * spec["samples"] + spec["patterns"] * max(sides) ** 2
    return Work(passes * size, group=str(dict(spec["labels"])["flow"]))


def sampling(task: Task) -> Work:
    """Evaluations x the flow's size: of hybrid Monte Carlo in latent space, and of proposals."""
    spec = task.spec
    flows = [each for each in task.sources if "architecture" in each.spec]
    size = max([flow_size(each) for each in flows] or [1.0])
    # an evaluation with its gradient takes three times as long as a sample
    hybrid = 3 * 1.1 * spec["chains"] * spec["trajectories"] * spec["leapfrogs"]
    return Work((hybrid + spec["proposals"]) * size)


AMOUNTS = {
    "neuralrg.train_flow": training,
    "neuralrg.train_patch_flow": training,
    "neuralrg.measure_gap": measuring,
    "neuralrg.measure_information": information,
    "neuralrg.measure_field_information": information,
    "neuralrg.measure_scales": scales,
    "neuralrg.compare_samplers": sampling,
}


def small() -> Mapping[str, Any]:
    """Settings with which every job takes seconds."""
    return {
        "lattices": SAMPLES,
        "test_lattices": SAMPLES,
        "samples": SAMPLES,
        "information": {"samples": SAMPLES},
        "steps": STEPS,
        "patches": {"steps": STEPS},
        "sampling": {"chains": 64, "trajectories": 20, "proposals": SAMPLES},
    }
