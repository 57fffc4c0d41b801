# Where things are: the grammar of paths, stated once. Chapters use these names and no others.
#
#   lattices/<set>.nc                            a set of lattices; <set> is thermometer_test,
#                                                local_entropy, or for training a net
#   lattices/critical/<net>/member-<k>.nc        its member's own, at one beta
#   lattices/wide_range/<net>/member-<k>.nc      the same over a range of beta
#   lattices/critical/<net>/member-<k>.step-1.nc the same, coarse-grained once; step-2: twice
#   certificates/<set>.json                      tests of the lattices of that name
#   nets/<net>/member-<k>.safetensors            trained weights, with .history.csv, .losses.csv
#   nets/<net>/member-<k>.transferred.safetensors  layers taken from shallow nets
#   nets/<net>/together/members-<k>-<l>.safetensors  members that were trained in one job
#   nets/<net>/checkpoints/                      of trainings that have not ended
#   tables/<name>.csv, figures/<name>.pdf and .png, logs/, benchmarks/
import re
import sys
from functools import cache
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.settings.types import DeploymentMethod

from coarsegrain.errors import CoarsegrainError
from coarsegrain.nets import architecture
from pipeline.config import validated
from pipeline.defaults import laid_over_defaults
from pipeline.digest import code_digest
from pipeline.environment import missing_conda, shell_prefix, stage_shell
from pipeline.gpus import gpu_slots
from pipeline.spec import canonical_json, derived_seed
from pipeline.staleness.memory import judge_by_sidecars
from pipeline.staleness.records import UnreadableRecordError, read_record

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
try:
    config = validated(
        laid_over_defaults(config), check_cuda=RUNS_JOBS_HERE and not CONDA
    )
except CoarsegrainError as error:
    raise WorkflowError(str(error)) from None

# Once per module: one run is planned with one state of the code, and in half the time.
code_digest = cache(code_digest)

RESULTS = config["results_dir"]
if workflow.modifier.path_modifier.replace_prefix(RESULTS) != RESULTS:
    raise WorkflowError(
        "coarsegrain cannot be imported with `prefix:` or `replace_prefix:`; set results_dir in its"
        " config instead."
    )
L = config["L"]
MEMBERS = range(config["members"])
SHALLOW_NETS = architecture.shallow_nets(L)
MODELS = architecture.models(L)
WIDE_RANGE_NETS = (architecture.WIDE_RANGE_AUTOENCODER, architecture.THERMOMETER)
LATTICE_SET = r"(critical|wide_range)/[^/]+/member-\d+|thermometer_test|local_entropy"

judge_by_sidecars(RESULTS, plans=workflow.is_main_process)
# What the rules of these files find under this name. Snakemake's own stays as it is: its prefix
# would reach the rules of a workflow that imports this one, and those of a second import.
shell = stage_shell(shell_prefix(config["threads"], config["jobs_per_gpu"]))


wildcard_constraints:
    member=r"0|[1-9]\d*",


def any_of(names):
    """Regular expression for a wildcard that is one of `names`."""
    return "|".join(re.escape(name) for name in names)


def lattices_of(net, member, level=0):
    """The lattices of a net's member, at a level: 0, or 1 and 2 for coarse-grained ones."""
    # Nothing is trained in a hard-coded net: it is evaluated on the lattices of its trained twin.
    owner = net.removeprefix("H")
    kind = "wide_range" if net in WIDE_RANGE_NETS else "critical"
    step = f".step-{level}" if level else ""
    return f"{RESULTS}/lattices/{kind}/{owner}/member-{member}{step}.nc"


def certificate_of(lattices):
    """The certificate of sampled lattices, or of those that coarse-grained ones come from."""
    name = re.sub(
        r"(\.step-\d)?\.nc$", "", lattices.removeprefix(f"{RESULTS}/lattices/")
    )
    return f"{RESULTS}/certificates/{name}.json"


def certified(lattices):
    """Their certificate, as an input that must be there but whose content does not matter."""
    return ancient(certificate_of(lattices))


def network_of(net, member):
    """The weights of a net's member."""
    if net in SHALLOW_NETS and SHALLOW_NETS[net].hard_coded:
        return f"{RESULTS}/nets/{net}/hard_coded.safetensors"
    if net in MODELS and not MODELS[net].is_trained:
        return f"{RESULTS}/nets/{net}/member-{member}.transferred.safetensors"
    return f"{RESULTS}/nets/{net}/member-{member}.safetensors"


def transferred_into(net, member):
    """The layers that a member of a net starts from: one file, or none."""
    if net not in MODELS or not MODELS[net].transferred:
        return []
    return [f"{RESULTS}/nets/{net}/member-{member}.transferred.safetensors"]


LATTICE_SETS = [
    *sorted(
        {
            lattices_of(net, member)
            for net in [*SHALLOW_NETS, *MODELS, architecture.THERMOMETER]
            for member in MEMBERS
        }
    ),
    f"{RESULTS}/lattices/thermometer_test.nc",
    f"{RESULTS}/lattices/local_entropy.nc",
]


def histories_of(*nets):
    """The histories of all members of nets."""
    return [
        f"{RESULTS}/nets/{net}/member-{k}.history.csv" for net in nets for k in MEMBERS
    ]


def shown(
    figure, subcategory, where=None, category="A. Autoencoder against decimation"
):
    """A figure's PNG, marked for the report, beside what it remakes in the paper, if anything."""
    name = figure.replace("_", " ")
    return report(
        f"{RESULTS}/figures/{figure}.png",
        caption=f"../report/{figure}.rst",
        category=category,
        subcategory=subcategory,
        # One label only: Snakemake's report offers every combination of two labels that take two
        # values each, and ends in a blank page where a combination has no figure.
        labels={"figure": f"{name} ({where})" if where else name},
    )
