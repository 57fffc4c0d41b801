# What jobs ask a cluster for, where that is more than a number. None of it decides a result.
from snakemake.logging import logger

# Rules that can use a GPU ask for one only where the config says cuda: with "auto" a job cannot know
# beforehand what it will find.
GPUS = 1 if config["device"] == "cuda" else 0
# A training that is not done by then goes on from its checkpoint when it is tried again.
TRAINING_MINUTES = 24 * 60

if CLUSTER and config["device"] == "auto":
    logger.warning(
        "device is auto: on a cluster that asks for no GPU. Set device to cuda for GPUs, or to cpu"
        " (docs/cluster.md)."
    )


def memory(megabytes):
    """So much in the first attempt, and as much more in every further one."""
    return lambda wildcards, attempt: attempt * megabytes


def untracked(value):
    """A parameter that Snakemake does not compare, as it compares no function of the input.

    Not a resource: a workflow that imports a rule with resources of its own replaces all of them.
    """
    return lambda wildcards, input: value


def device_of_resources(wildcards, resources):
    """Where lattices are sampled; the config's device if the resources were replaced."""
    return resources.get("device", config["device"])


def memory_to_train(wildcards, input, attempt):
    """Less for a member that is taken from where it was trained with others."""
    return attempt * (1000 if input.get("together") else 3000)


def time_to_train(wildcards, input):
    """Minutes; see memory_to_train."""
    return 10 if input.get("together") else TRAINING_MINUTES


def gpus_to_train(wildcards, input):
    """See memory_to_train."""
    return 0 if input.get("together") else GPUS
