"""Rule train_machine: train one Boltzmann machine, on lattices or on a layer of a stack."""

from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from coarsegrain.device import choose_device
from coarsegrain.rbm.machine import Machine, read_machine, write_machine
from coarsegrain.rbm.stack import through_layers
from coarsegrain.rbm.training.history import convergence
from coarsegrain.rbm.training.loop import Seeds, random_machine, train
from coarsegrain.rbm.training.settings import TrainingSettings
from coarsegrain.storage.lattices import read_lattices
from coarsegrain.storage.tables import write_table
from pipeline.checkpoints import all_checkpoints, checkpoint_file
from pipeline.gpus import take_device
from pipeline.progress import reporter
from pipeline.sidecars import sha256
from pipeline.spec import canonical_json
from pipeline.stage import Code, Input, Inputs, Option, Outcome, Output, Spec, run
from pipeline.stopping import asked_to_stop


def main(
    *,
    lattices: Input,
    below: Inputs,
    machine: Output,
    history: Output,
    checkpoint_minutes: Option,
    spec: Spec,
    code: Code,
) -> Outcome:
    """Train a machine on lattices, or on the hidden states of the machines below, lowest first.

    Spec: machine, member (the first columns of the history); kind (free | tied); hidden (units of
    a free machine); channels, kernel (of a tied one: numbers of kernels and of sites per side);
    settings (see TrainingSettings); held_out (share of the lattices, the last ones, that are not
    trained on); records (of the history); start_seed, shuffling_seed, chain_seed, below_seed;
    device (auto | cpu | cuda).
    """
    device = take_device(spec["device"], partial(choose_device, libraries=("torch",)))
    name = f"{spec['machine']}, member {spec['member']}"
    machines = [read_machine(path)[0] for path in below]
    rng = np.random.default_rng(spec["below_seed"])
    data = through_layers(machines, read_lattices(lattices).spins, rng=rng)
    number = max(1, round(len(data) * spec["held_out"]))
    settings = TrainingSettings(**spec["settings"])
    file, folder = f"{spec['machine']}-{spec['member']}", machine.parent
    key = canonical_json([spec, [sha256(path) for path in (lattices, *below)]])
    with asked_to_stop("record") as stop:
        trained, table = train(
            _start(spec, data.shape, settings.start),
            data[:-number],
            data[-number:],
            settings,
            seeds=Seeds(spec["start_seed"], spec["shuffling_seed"], spec["chain_seed"]),
            records=spec["records"],
            device=device,
            name=name,
            checkpoint=checkpoint_file(folder, file, key, code, checkpoint_minutes),
            progress=reporter(name, settings.updates, "updates"),
            asked_to_stop=stop,
        )
    told = _told(table)
    write_machine(machine, trained, {"layer": str(len(machines) + 1), "convergence": told})
    table.insert(0, "machine", spec["machine"])
    table.insert(1, "member", spec["member"])
    write_table(history, table)
    facts = {"device": device, "convergence": told}
    return Outcome(facts, no_longer_needed=all_checkpoints(folder, file))


def _start(spec: dict[str, Any], shape: tuple[int, ...], spread: float) -> Machine:
    """The machine before its training."""
    if spec["kind"] == "free":
        weights: tuple[int, ...] = (int(np.prod(shape[1:])), spec["hidden"])
    elif len(shape) != 3:
        raise ValueError("a tied machine needs lattices: the layer below must have one channel.")
    else:
        weights = (spec["channels"], spec["kernel"], spec["kernel"])
    return random_machine(weights, shape[-1], spread=spread, seed=spec["start_seed"])


def _told(table: pd.DataFrame) -> str:
    found = convergence(table)
    if found is None:
        return "not judged: the history has fewer than 16 records"
    return (
        f"{'shown' if found.shown else 'not shown'}: in the last eighth, v W h of data less that "
        f"of chains less the penalty is {found.gap:.3f} ± {found.gap_error:.3f} nats, and the "
        f"pseudo-likelihood rose by {found.gain:.5f} ± {found.gain_error:.5f} nats per unit"
    )


if __name__ == "__main__":
    run(main)
