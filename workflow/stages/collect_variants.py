"""Rule collect_variants: one table of the experiment and its variants."""

import pandas as pd

from coarsegrain.storage.tables import read_table, write_table
from pipeline.stage import Inputs, Output, Spec, run


def main(*, tables: Inputs, table: Output, spec: Spec) -> None:
    """Join a table of several variants, in the order given, the changed settings in front.

    Spec: settings, of each table: variant (its name), and the settings that any of them changes, by
    dotted key.
    """
    parts = []
    for path, settings in zip(tables, spec["settings"], strict=True):
        part = read_table(path)
        for k, key in enumerate(["variant", *sorted(settings.keys() - {"variant"})]):
            part.insert(k, key, [settings[key]] * len(part))
        parts.append(part)
    write_table(table, pd.concat(parts, ignore_index=True))


if __name__ == "__main__":
    run(main)
