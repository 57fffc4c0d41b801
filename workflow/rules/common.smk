# What all rules have in common. What each makes, and from what, the studies say (pipeline/studies).
import gc
import inspect
import re
import shlex
import sys
from functools import cache

from snakemake.exceptions import WorkflowError
from snakemake.logging import logger
from snakemake.settings.types import DeploymentMethod

from coarsegrain.errors import CoarsegrainError
from pipeline.config import validated
from pipeline.defaults import laid_over_defaults
from pipeline.digest import code_digest
from pipeline.environment import missing_conda, shell_prefix, stage_shell
from pipeline.gpus import gpu_slots, settled_device
from pipeline.spec import canonical_json
from pipeline.staleness.persistence import judge_by_sidecars
from pipeline.studies.experiment import STUDIES, Experiment

# With an executor other than this machine, `--jobs` is the number of jobs submitted at a time.
CLUSTER = workflow.is_main_process and workflow.resource_settings.nodes is not None
# The libraries that jobs compute with are then not this Python's.
CONDA = DeploymentMethod.CONDA in workflow.deployment_settings.deployment_method
# A GPU must be here only if jobs run here: a cluster's login node has none, a report needs none.
RUNS_JOBS_HERE = (
    workflow.is_main_process
    and not CLUSTER
    and workflow.resource_settings.cores is not None
)

if CONDA and (missing := missing_conda()):
    raise WorkflowError(missing)
if DeploymentMethod.APPTAINER in workflow.deployment_settings.deployment_method:
    raise WorkflowError(
        "--sdm apptainer needs a container for each rule, and these rules have none. Take --sdm"
        " conda, or start snakemake inside a container made from envs/Containerfile."
    )
try:
    config = validated(
        laid_over_defaults(config), check_cuda=RUNS_JOBS_HERE and not CONDA
    )
    # What specs say is one of the two: "auto" would not be the same bytes on every machine.
    ASKED_FOR = config["device"]
    config["device"], NO_GPU = settled_device(
        ASKED_FOR, plans=workflow.is_main_process, cluster=CLUSTER
    )
    # Jobs that may compute on the GPUs of this machine at a time, if jobs run here. More would
    # start and wait for one (pipeline.gpus) while cores idle behind them. No limit on a cluster:
    # there it would be one for all nodes together.
    GPU_SLOTS = (
        gpu_slots(config["device"], config["jobs_per_gpu"]) if RUNS_JOBS_HERE else 0
    )
except CoarsegrainError as error:
    raise WorkflowError(str(error)) from None

RESULTS = config["results_dir"]
if workflow.modifier.path_modifier.replace_prefix(RESULTS) != RESULTS:
    raise WorkflowError(
        "coarsegrain cannot be imported with `prefix:` or `replace_prefix:`; set results_dir in its"
        " config instead."
    )
if GPU_SLOTS and "gpu" not in workflow.global_resources:
    workflow.register_resource("gpu", GPU_SLOTS)
if ASKED_FOR == "auto" and CLUSTER:
    logger.warning(
        "device is auto: on a cluster that is cpu, whatever the nodes have. Set device to cuda for"
        " GPUs, or to cpu (docs/cluster.md)."
    )
elif ASKED_FOR == "auto" and RUNS_JOBS_HERE:
    WHY = f" ({NO_GPU})" if NO_GPU else ""
    logger.info(f"device: {config['device']}{WHY}; asked for: auto")

# A graph of thousands of jobs is millions of objects that stay. Python would go through all of them
# for garbage again and again, a fifth of the time that planning takes.
gc.set_threshold(1_000_000)
# Once per module: one run is planned with one state of the code, and in half the time.
code_digest = cache(code_digest)
judge_by_sidecars(RESULTS, plans=workflow.is_main_process)
# What the rules of these files find under this name. Snakemake's own stays as it is: its prefix
# would reach the rules of a workflow that imports this one, and those of a second import.
shell = stage_shell(shell_prefix(config["threads"], config["jobs_per_gpu"]))

# By the wildcard `variant`, which is empty for the experiment itself.
try:
    EXPERIMENT = Experiment(config)
except CoarsegrainError as error:
    raise WorkflowError(str(error)) from None
EXPERIMENTS = {"": EXPERIMENT} | {
    variant.folder: experiment for variant, experiment in EXPERIMENT.variants
}
# A training that is not done by then goes on from its checkpoint when it is tried again.
TRAINING_MINUTES = 24 * 60
# Rules that can use a GPU ask for one where they will.
GPUS = 1 if config["device"] == "cuda" else 0


def recipe(name, wildcards):
    """The recipe that a study has for a job, by the name of the rule's stage."""
    keys = dict(wildcards.items())
    experiment = EXPERIMENTS.get(keys.pop("variant", ""))
    if experiment is None:
        raise WorkflowError(
            f"{wildcards.variant} is of no variant in the config; see `variants:` there."
        )
    try:
        return experiment.recipe(
            name,
            {
                key: int(value) if value.isdecimal() else value
                for key, value in keys.items()
            },
        )
    except CoarsegrainError as error:
        raise WorkflowError(str(error)) from None


def inspected(function):
    """Keep a function's signature: Snakemake asks for it twice at every call, in thousands of jobs."""
    function.__signature__ = inspect.signature(function)
    return function


def made_from(name):
    """The inputs of a rule, by option of its stage."""

    @inspected
    def inputs(wildcards):
        made = recipe(name, wildcards)
        # must be there, but what it says does not matter
        waits_for = [ancient(path) for path in made.waits_for]
        return {**made.inputs, **made.parts, "waits_for": waits_for}

    return inputs


def stage(name, **words):
    """The params of a rule: its stage, what decides the result, and the stage's command line.

    Named inputs and outputs are the stage's options; so are `words`, which decide no result.
    """

    @inspected
    def spec(wildcards):
        return canonical_json(recipe(name, wildcards).spec)

    @inspected
    def options(wildcards, input, output):
        named = [*input.items(), *output.items(), *words.items()]
        found = []
        for option, value in named:
            if option not in ("waits_for", "sidecar"):
                found.append(f"--{option.replace('_', '-')}")
                values = [value] if isinstance(value, (str, int)) else value
                found += [shlex.quote(str(each)) for each in values]
        return " ".join(found)

    @inspected
    def job(wildcards):
        return " ".join(filter(None, wildcards))

    return {
        "stage": name,
        "spec": spec,
        "code": code_digest(f"stages.{name}"),
        "options": options,
        "job": job,
    }


def figure(name, of_variants=True):
    """The files of a figure; its PNG is marked for the report."""
    folder = f"<results>/{'{variant}' if of_variants else ''}figures"
    caption, heading, listed = EXPERIMENT.figure(name)
    png = report(
        f"{folder}/{name}.png",
        caption=f"../report/{caption}.rst",
        category=heading,
        subcategory=listed.subject,
        # One label only: Snakemake's report offers every combination of two labels that take two
        # values each, and ends in a blank page where a combination has no figure.
        labels={"figure": listed.label},
    )
    return {"pdf": update(f"{folder}/{name}.pdf"), "png": update(png)}


def any_of(names):
    """Regular expression for a wildcard that is one of `names`."""
    return "|".join(re.escape(name) for name in names)


def memory(megabytes):
    """So much in the first attempt, and as much more in every further one."""
    return lambda wildcards, attempt: attempt * megabytes


def training_mb(study, wildcards):
    """Megabytes that the training of one or several members of a net takes, as its study says."""
    members = getattr(wildcards, "members", None) or wildcards.member
    nets = EXPERIMENTS[wildcards.variant].studies[study]
    return nets.memory_mb(wildcards.net, members)


wildcard_constraints:
    variant=r"|variants/[^/]+/",
    set=r"[^.]+",
    member=r"0|[1-9]\d*",


pathvars:
    results=RESULTS,
    logs="<results>/logs",
    benchmarks="<results>/benchmarks",
