"""Rule report: Snakemake's own report, of figures and tables that are there."""

import subprocess

from coarsegrain.errors import CoarsegrainError
from pipeline.spec import canonical_json
from pipeline.stage import Inputs, Option, Output, Spec, run

CONTENTS = "results"


def main(
    *,
    results: Inputs,
    captions: Inputs,
    report: Output,
    config: Output,
    snakemake_python: Option,
    snakefile: Option,
    spec: Spec,
) -> None:
    """Write report.html, readable offline, and beside it the config that it is of.

    Snakemake lays it out from the figures' captions. It need not be installed where this stage
    runs: the interpreter that runs the workflow is given.

    Spec: config, the whole of it.
    """
    config.write_text(canonical_json(spec["config"]) + "\n")
    command = [snakemake_python, "-m", "snakemake", CONTENTS, "--snakefile", snakefile]
    command += ["--configfile", str(config), "--nolock", "--report", str(report)]
    if subprocess.run(command, check=False).returncode:
        raise CoarsegrainError("Snakemake could not write the report; the lines above say why.")


if __name__ == "__main__":
    run(main)
