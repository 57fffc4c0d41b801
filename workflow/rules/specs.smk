# What decides each rule's result: the parts of its spec, from config and wildcards only.
from functools import cache


def seed_of(purpose, **keys):
    """A seed of its own for one purpose."""
    return derived_seed(config["seed"], purpose, **keys)


SPLITS = {
    key: config["lattices"][key] for key in ("test_fraction", "validation_fraction")
}


def training_spec(net, member):
    """What decides the training of one member of a net."""
    if net == architecture.THERMOMETER:
        sizes, activation = [L * L, config["thermometer"]["hidden"], 1], {}
        settings = thermometer_settings()
    else:
        activation = {"activation": config["nets"]["activation"]}
        if net in SHALLOW_NETS:
            sizes = [int(size) for size in net.split("-")[1:]]
            settings = spin_net_settings("shallow")
        else:
            whole = architecture.model_sizes(
                MODELS[net], L, config["nets"]["autoencoder_layers"]
            )
            sizes = list(whole[len(MODELS[net].transferred) :])
            settings = spin_net_settings("deep")
    return {
        "net": net,
        "member": int(member),
        "sizes": sizes,
        "settings": settings,
        "splits": SPLITS,
        "start_seed": seed_of("start", net=net, member=int(member)),
        "shuffling_seed": seed_of("shuffling", net=net, member=int(member)),
        **{key: config[key] for key in ("device", "threads", "precision")},
        **activation,
    }


def adam_settings():
    """What all nets have in common of their training settings (coarsegrain.nets.training)."""
    keys = ("learning_rate", "adam_betas", "adam_epsilon")
    return {key: config["nets"][key] for key in keys}


def spin_net_settings(depth):
    """Training settings of the nets between lattices."""
    nets = config["nets"]
    settings = {**adam_settings(), "epochs": nets["epochs"][depth]}
    settings |= {key: nets[key] for key in ("loss", "l1", "batch_size")}
    if nets["stopping"] == "plateau":
        settings |= {f"plateau_{key}": value for key, value in nets["plateau"].items()}
    return settings


def thermometer_settings():
    """Training settings of the thermometer."""
    thermometer = config["thermometer"]
    return {
        **adam_settings(),
        "loss": "mse",
        "l1": 0.0,
        "batch_size": thermometer["batch_size"],
        "epochs": thermometer["max_epochs"],
        "stop_at_loss": thermometer["stop_mse"],
    }


def trained_with(net, member):
    """The file of members that a member is trained together with; empty if it is trained alone.

    Like shards (below), the grouping is no part of the spec. A finished member stays with whom it
    was trained, and so does one whose joint training is there; the others are grouped anew.
    """
    return [
        joint_training(net, group)
        for group in groups_of(net)
        if int(member) in group and len(group) > 1
    ]


def joint_training(net, members):
    """The file that members trained in one job are in."""
    return f"{RESULTS}/nets/{net}/together/members-{'-'.join(map(str, members))}.safetensors"


@cache
def groups_of(net):
    """The members of a net, by the job that trains them."""
    groups = {group_of_finished(net, member) for member in MEMBERS} - {None}
    folder = Path(joint_training(net, [])).parent
    for path in sorted(folder.glob("members-*.safetensors")):
        group = members_in(path)
        if group and not any(set(group) & set(other) for other in groups):
            groups.add(group)
    left = [k for k in MEMBERS if not any(k in group for group in groups)]
    size = config["members_per_job"]
    return [
        *sorted(groups),
        *(tuple(left[k : k + size]) for k in range(0, len(left), size)),
    ]


def group_of_finished(net, member):
    """The members that a finished one was trained with, itself too; None if it is to be made."""
    stage = (
        "train_shallow_net"
        if net in SHALLOW_NETS
        else "train_thermometer" if net == architecture.THERMOMETER else "train_model"
    )
    together = inputs_of_finished(
        Path(network_of(net, member)),
        training_spec(net, member),
        f"stages.{stage}",
        "together",
    )
    if together is None:
        return None
    groups = [members_in(Path(path)) for path in together]
    return next((group for group in groups if member in group), (member,))


def members_in(path):
    """The members that a file of a joint training is named after; none if it has another name."""
    name = re.fullmatch(r"members-(\d{1,3}(-\d{1,3})+)\.safetensors", path.name)
    return tuple(map(int, name[1].split("-"))) if name else ()


def evenly_spaced(low, high, number):
    return [round(low + k * (high - low) / (number - 1), 12) for k in range(number)]


def betas_of(lattice_set):
    """Which inverse temperatures a set has, as stages/sample_lattices.py reads it."""
    kind, lattices = Path(lattice_set).parts[0], config["lattices"]
    if kind == "critical":
        critical = lattices["critical"]
        return {"constant": critical["beta"], "number": critical["number"]}
    wide = lattices["wide_range"]
    if kind == "wide_range":
        return {
            "uniform": [wide["beta_min"], wide["beta_max"]],
            "number": wide["number"],
        }
    if kind == "thermometer_test":  # the middles of equal intervals of the wide range
        test = config["thermometer"]["test"]
        half = (wide["beta_max"] - wide["beta_min"]) / (2 * test["number_of_betas"])
        grid = evenly_spaced(
            wide["beta_min"] + half, wide["beta_max"] - half, test["number_of_betas"]
        )
        return {"grid": grid, "each": test["lattices_per_beta"]}
    entropy = config["local_entropy"]
    grid = evenly_spaced(
        entropy["beta_min"], entropy["beta_max"], entropy["number_of_betas"]
    )
    return {"grid": grid, "each": entropy["lattices_per_beta"]}


def sampling_spec(lattice_set):
    """What decides a set of lattices; the number of shards does not."""
    lattices = config["lattices"]
    # an exact sample has no number of steps
    steps = {"steps": lattices["steps"]} if lattices["method"] == "hybrid" else {}
    return {
        "L": L,
        "method": lattices["method"],
        "betas": betas_of(lattice_set),
        "seed": seed_of("lattices", set=lattice_set),
        **steps,
    }


def shards_of(lattice_set):
    """The shards that a set is joined from; none if it is sampled in one job.

    Snakemake would remake finished lattices because their inputs are other ones now. A set that is
    there, from this spec and code, keeps the shards that its sidecar names: so it stays.
    """
    name = f"{RESULTS}/lattices/{lattice_set}"
    finished = inputs_of_finished(
        Path(f"{name}.nc"),
        sampling_spec(lattice_set),
        "stages.sample_lattices",
        "shards",
    )
    kept = [] if finished is None else shards_among(finished, lattice_set)
    if finished == [] or kept:
        return kept
    betas = betas_of(lattice_set)
    lattices = (
        betas["number"] if "number" in betas else len(betas["grid"]) * betas["each"]
    )
    shards = min(config["lattices"]["shards"], lattices)
    return (
        [f"{name}.shard-{k}-of-{shards}.nc" for k in range(shards)]
        if shards > 1
        else []
    )


def shards_among(paths, lattice_set):
    """All shards of a set, if the paths that a sidecar tells of are just these; else none.

    A sidecar is data, and these names go into a command line: so only names that this grammar
    gives are taken from it.
    """
    number = len(paths)
    names = [
        f"{Path(lattice_set).name}.shard-{k}-of-{number}.nc" for k in range(number)
    ]
    if [Path(path).name for path in paths] != names:
        return []
    return [f"{RESULTS}/lattices/{Path(lattice_set).parent / name}" for name in names]


def inputs_of_finished(path, spec, stage, option):
    """What a finished output's stage read by an option; None if it must be made (again)."""
    if not path.is_file():
        return None
    try:
        record = read_record(path)
    except UnreadableRecordError:
        return None
    current = (stage, spec, code_digest(stage))
    if (record.stage, record.spec, record.code) != current:
        return None
    return [each for each, _ in record.inputs.get(option, ())]


def levels_of(net):
    """Levels of a net's inputs and outputs."""
    if net in SHALLOW_NETS:
        return SHALLOW_NETS[net].level_in, SHALLOW_NETS[net].level_out
    return 0, 0


def trained_layers(net):
    """How many layers, counted from the last, are trained in the net itself."""
    if net in SHALLOW_NETS:
        return 0 if SHALLOW_NETS[net].hard_coded else 1
    return 4 - len(MODELS[net].transferred)
