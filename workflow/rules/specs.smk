# What decides each rule's result: the parts of its spec, from config and wildcards only.


def seed_of(purpose, **keys):
    """A seed of its own for one purpose."""
    return derived_seed(config["seed"], purpose, **keys)


SPLITS = {
    key: config["lattices"][key] for key in ("test_fraction", "validation_fraction")
}


def training_spec(net, member, sizes, settings, **more):
    """What decides the training of one member of a net."""
    return canonical_json(
        {
            "net": net,
            "member": int(member),
            "sizes": list(sizes),
            "settings": settings,
            "splits": SPLITS,
            "start_seed": seed_of("start", net=net, member=int(member)),
            "shuffling_seed": seed_of("shuffling", net=net, member=int(member)),
            **{key: config[key] for key in ("device", "threads", "precision")},
            **more,
        }
    )


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
    finished = shards_of_finished(Path(f"{name}.nc"), sampling_spec(lattice_set))
    if finished is not None:
        return finished
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


def shards_of_finished(path, spec):
    """What a finished set of lattices was joined from; None if it must be made (again)."""
    if not path.is_file():
        return None
    try:
        record = json.loads(sidecar_path(path).read_text())
        current = (spec, code_digest("stages.sample_lattices"))
        return (
            list(record["inputs"])
            if (record["spec"], record["code"]) == current
            else None
        )
    except (OSError, ValueError, KeyError, TypeError):  # no sidecar, or not one of ours
        return None


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
