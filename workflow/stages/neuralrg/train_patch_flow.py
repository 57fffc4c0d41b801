"""Rule train_patch_flow: train one flow by patches, as its authors do."""

from coarsegrain.flows.dual_energy import dual_energy
from coarsegrain.flows.patch_architecture import PatchArchitecture, starting_weights
from coarsegrain.flows.patch_flow import PatchFlow
from coarsegrain.flows.patch_storage import write_patch_flow
from coarsegrain.flows.training.loop import train
from coarsegrain.flows.training.patches import PatchTrainer
from coarsegrain.flows.training.settings import TrainingSettings
from coarsegrain.ising.dual import DualIsing
from coarsegrain.storage.tables import write_table
from pipeline.checkpoints import all_checkpoints, checkpoint_file
from pipeline.progress import reporter
from pipeline.spec import canonical_json
from pipeline.stage import Code, Option, Outcome, Output, Spec, run
from pipeline.stopping import asked_to_stop


def main(
    *, flow: Output, history: Output, checkpoint_minutes: Option, spec: Spec, code: Code
) -> Outcome:
    """Train a flow to be the dual of the Ising model, by its energy alone.

    Spec: flow, member (the first columns of the history); architecture (L, couplings, hidden,
    depth); beta; settings (see TrainingSettings); weight_decay; records (of the history);
    start_seed, sample_seed.
    """
    shape = dict(spec["architecture"])
    architecture = PatchArchitecture(**{**shape, "hidden": tuple(shape["hidden"])})
    dual = DualIsing(architecture.L, spec["beta"])
    weights = starting_weights(architecture, seed=spec["start_seed"])
    trained = PatchFlow(architecture, weights)
    trainer = PatchTrainer(
        trained,
        dual_energy(dual.spectrum),
        seed=spec["sample_seed"],
        weight_decay=spec["weight_decay"],
    )
    settings = TrainingSettings(**spec["settings"])
    name = f"{spec['flow']}, member {spec['member']}"
    file, folder = f"{spec['flow']}-{spec['member']}", flow.parent
    with asked_to_stop("record") as stop:
        table = train(
            trainer,
            settings,
            dual.log_integral(),
            records=spec["records"],
            name=name,
            checkpoint=checkpoint_file(
                folder, file, canonical_json([spec]), code, checkpoint_minutes
            ),
            progress=reporter(name, settings.steps, "steps"),
            asked_to_stop=stop,
        )
    write_patch_flow(flow, trained, {"beta": repr(dual.beta)})
    table.insert(0, "flow", spec["flow"])
    table.insert(1, "member", spec["member"])
    write_table(history, table)
    return Outcome({}, no_longer_needed=all_checkpoints(folder, file))


if __name__ == "__main__":
    run(main)
