"""Rule train_flow: train one flow by sublattices."""

import numpy as np

from coarsegrain.flows.architecture import Architecture
from coarsegrain.flows.blocks import parts
from coarsegrain.flows.flow import Fields
from coarsegrain.flows.growing import grown
from coarsegrain.flows.ingredients import Ingredients, start, switch_off
from coarsegrain.flows.sublattice_flow import SublatticeFlow
from coarsegrain.flows.sublattice_storage import read_sublattice_flow, write_sublattice_flow
from coarsegrain.flows.training.loop import train
from coarsegrain.flows.training.mean import fit_mean
from coarsegrain.flows.training.settings import TrainingSettings
from coarsegrain.flows.training.sublattices import SublatticeTrainer
from coarsegrain.ising.dual import DualIsing
from coarsegrain.storage.lattices import read_lattices
from coarsegrain.storage.tables import write_table
from pipeline.checkpoints import all_checkpoints, checkpoint_file
from pipeline.progress import reporter
from pipeline.sidecars import sha256
from pipeline.spec import canonical_json
from pipeline.stage import Code, Inputs, Option, Outcome, Output, Spec, run
from pipeline.stopping import asked_to_stop


def main(
    *,
    lattices: Inputs,
    smaller: Inputs,
    flow: Output,
    history: Output,
    checkpoint_minutes: Option,
    spec: Spec,
    code: Code,
) -> Outcome:
    """Train a flow to be the dual of the Ising model, by its energy and by exact samples.

    Spec: flow, member (the first columns of the history); architecture (see Architecture);
    ingredients (see Ingredients); beta; settings (see TrainingSettings); likelihood (share of
    KL(p‖q) in the loss, which lattices are read for); records (of the history); start_seed,
    sample_seed; mean_seed (of the fields of these lattices that the density of the mean is fitted
    to at the end; null: it is not fitted). A smaller flow, if there is one, gives the weights at
    the start.
    """
    dual = DualIsing(spec["architecture"]["L"], spec["beta"])
    architecture, ingredients = (
        Architecture(**spec["architecture"]),
        Ingredients(**spec["ingredients"]),
    )
    if smaller:
        half, _ = read_sublattice_flow(smaller[0])
        parameters = grown(half.parameters, half.architecture)
        switch_off(architecture, dual.spectrum, ingredients, parameters)
    else:
        parameters = start(
            architecture, dual.spectrum, seed=spec["start_seed"], ingredients=ingredients
        )
    trained = SublatticeFlow(architecture, dual.spectrum, parameters)
    settings = TrainingSettings(**spec["settings"])
    spins = np.concatenate([read_lattices(path).spins for path in lattices]) if lattices else None

    def exact(number: int, rng: np.random.Generator) -> Fields:
        assert spins is not None
        drawn = spins[rng.integers(len(spins), size=number)]
        # the model is the same after a translation and a reflection, the flow is not
        drawn = np.roll(drawn, rng.integers(dual.L, size=2), axis=(1, 2))
        drawn = drawn.transpose(0, 2, 1) if rng.integers(2) else drawn
        return dual.draw_fields(drawn, rng)

    trainer = SublatticeTrainer(
        trained,
        seed=spec["sample_seed"],
        largest_gradient=settings.largest_gradient,
        share=spec["likelihood"],
        exact=exact if lattices else None,
        ingredients=ingredients,
    )
    name = f"{spec['flow']}, member {spec['member']}"
    file, folder = f"{spec['flow']}-{spec['member']}", flow.parent
    key = canonical_json([spec, [sha256(path) for path in (*lattices, *smaller)]])
    with asked_to_stop("record") as stop:
        table = train(
            trainer,
            settings,
            dual.log_integral(),
            records=spec["records"],
            name=name,
            checkpoint=checkpoint_file(folder, file, key, code, checkpoint_minutes),
            progress=reporter(name, settings.steps, "steps"),
            asked_to_stop=stop,
        )
    if spec["mean_seed"] is not None:
        assert spins is not None
        rng = np.random.default_rng(spec["mean_seed"])
        each = (spins[part.start : part.stop] for part in parts(len(spins)))
        fit_mean(trained, (dual.draw_fields(some, rng) for some in each))
    write_sublattice_flow(flow, trained, {"beta": repr(dual.beta)})
    table.insert(0, "flow", spec["flow"])
    table.insert(1, "member", spec["member"])
    write_table(history, table)
    return Outcome({}, no_longer_needed=all_checkpoints(folder, file))


if __name__ == "__main__":
    run(main)
