# What jobs ask a cluster for, where that is more than a number. None of it decides a result.
from snakemake.logging import logger

# Jobs that may compute on the GPUs of this machine at a time, if jobs run here. More would start and
# wait for one (pipeline.gpus) while cores idle behind them. No limit on a cluster: there it would
# be one for all nodes together.
try:
    GPU_SLOTS = (
        gpu_slots(config["device"], config["jobs_per_gpu"]) if RUNS_JOBS_HERE else 0
    )
except CoarsegrainError as error:
    raise WorkflowError(str(error)) from None
if GPU_SLOTS and "gpu" not in workflow.global_resources:
    workflow.register_resource("gpu", GPU_SLOTS)

# Rules that can use a GPU ask for one where they will: with "auto" that is known only here.
GPUS = 1 if config["device"] == "cuda" or GPU_SLOTS else 0
# The same with the environment that `--sdm conda` makes for them.
DEVICE_ENVIRONMENT = f"../../envs/{'gpu' if GPUS else 'cpu'}.yaml"
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
