"""Rule collect_machine_convergence: which machines' trainings have come to rest."""

import pandas as pd

from coarsegrain.rbm.training.history import convergence
from coarsegrain.storage.tables import read_table, write_table
from pipeline.stage import Inputs, Output, Spec, run


def main(*, histories: Inputs, table: Output, spec: Spec) -> None:
    """Judge every training by the last eighth of its history.

    ``gap_nats`` is ⟨vWh⟩ of data less that of chains and the penalty, ``gain_nats`` the rise of the
    pseudo-likelihood per unit. ``told`` says what claims say of a training that is not at rest.
    Spec: models, for each file what the other tables call the machine.
    """
    rows = []
    for path, model in zip(histories, spec["models"], strict=True):
        history = read_table(path)
        found, last = convergence(history), history.iloc[-1]
        row = {"model": model, "member": last["member"], "updates": last["update"]}
        if found is None:
            row |= dict.fromkeys(("gap_nats", "gap_error", "gain_nats", "gain_error"), float("nan"))
            row |= {"converged": False, "told": "too few records"}
        else:
            row |= {"gap_nats": found.gap, "gap_error": found.gap_error}
            row |= {"gain_nats": found.gain, "gain_error": found.gain_error}
            told = f"gap {found.gap:.2g} ± {found.gap_error:.1g} nats"
            row |= {"converged": found.shown, "told": told}
        rows.append(row)
    write_table(table, pd.DataFrame(rows))


if __name__ == "__main__":
    run(main)
