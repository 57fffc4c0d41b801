"""Run the workflow, then print what it found: what ``make run`` calls.

    python -m pipeline.run --cores 2 --configfile workflow/presets/smoke.yaml

All arguments go to snakemake.
"""

import argparse
import subprocess
import sys
from pathlib import Path

from coarsegrain.errors import ConfigError, StorageError
from pipeline.config_file import read_config_file
from pipeline.summary import CLAIMS, summary


def main(arguments: list[str]) -> int:
    """Run snakemake with ``arguments``; print the summary if it succeeded. Return its status."""
    try:
        results = results_dir(arguments)
    except ConfigError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    shows = [] if "--logger" in arguments else ["--logger", "coarsegrain"]
    snakemake = subprocess.Popen([sys.executable, "-m", "snakemake", *shows, *arguments])
    while True:
        try:
            status = snakemake.wait()
            break
        except KeyboardInterrupt:  # Snakemake gets it too, and ends its jobs
            print("\nStopping. `make run` goes on from here.", file=sys.stderr)
    if status == 0 and (results / "report.html").is_file() and not _is_dry_run(arguments):
        try:
            print(f"\n{summary(results)}")
        except StorageError as error:
            print(
                f"error: {str(error).removesuffix('.')}; make it again, with the same PRESET:\n"
                f'    make run ARGS="-- {results / CLAIMS}"',
                file=sys.stderr,
            )
            return 1
    return status


def _is_dry_run(arguments: list[str]) -> bool:
    from snakemake.cli import get_argument_parser  # takes a second

    return bool(get_argument_parser().parse_args(arguments).dryrun)


def results_dir(arguments: list[str]) -> Path:
    """Where snakemake, called with ``arguments`` in this folder, puts its results.

    Raises:
        ConfigError: a config file is missing or not plain YAML; names the file and the line.
    """
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--configfile", "--configfiles", nargs="+", default=[])
    parser.add_argument("--config", "-C", nargs="*", default=[])
    known = parser.parse_known_args(arguments)[0]
    found = "results"
    for path in ["config.yaml", *known.configfile]:
        settings = read_config_file(Path(path))
        if isinstance(settings, dict):  # what else it may be, the validation tells
            found = str(settings.get("results_dir", found))
    for assignment in known.config:
        key, _, value = assignment.partition("=")
        found = value if key == "results_dir" else found
    return Path(found)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
