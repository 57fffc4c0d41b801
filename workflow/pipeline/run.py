"""Run the workflow, then print what it found: what ``make run`` calls.

    python -m pipeline.run --cores 2 --configfile workflow/presets/smoke.yaml

All arguments go to snakemake.
"""

import argparse
import subprocess
import sys
from pathlib import Path
from typing import Any

from coarsegrain.errors import ConfigError, StorageError
from pipeline.config_file import read_config_file
from pipeline.summary import CLAIMS, CLAIMS_OF_ALL, summary


def main(arguments: list[str]) -> int:
    """Run snakemake with ``arguments``; print the summary if it succeeded. Return its status."""
    try:
        results, has_variants = results_dir(arguments), bool(variants_in(arguments))
    except ConfigError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    # in one word: Snakemake would take targets that follow for other loggers
    said = any(each.startswith("--logger") for each in arguments)
    shows = [] if said else ["--logger=coarsegrain"]
    snakemake = subprocess.Popen([sys.executable, "-m", "snakemake", *shows, *arguments])
    while True:
        try:
            status = snakemake.wait()
            break
        except KeyboardInterrupt:  # Snakemake gets it too, and ends its jobs
            print("\nStopping. `make run` goes on from here.", file=sys.stderr)
    if status == 0 and (results / "report.html").is_file():
        parsed = _parsed(arguments)
        if parsed.dryrun:
            return status
        claims = CLAIMS_OF_ALL if has_variants and "variants" in parsed.targets else CLAIMS
        try:
            print(f"\n{summary(results, claims)}")
        except StorageError as error:
            print(
                f"error: {str(error).removesuffix('.')}; make it again, with the same PRESET:\n"
                f'    make run ARGS="-- {results / claims}"',
                file=sys.stderr,
            )
            return 1
    return status


def _parsed(arguments: list[str]) -> argparse.Namespace:
    from snakemake.cli import get_argument_parser  # takes a second

    parsed: argparse.Namespace = get_argument_parser().parse_args(arguments)
    return parsed


def results_dir(arguments: list[str]) -> Path:
    """Where snakemake, called with ``arguments`` in this folder, puts its results.

    Raises:
        ConfigError: a config file is missing or not plain YAML; names the file and the line.
    """
    found = str(_setting("results_dir", arguments, "results"))
    for assignment in _known(arguments).config:
        key, _, value = assignment.partition("=")
        found = value if key == "results_dir" else found
    return Path(found)


def variants_in(arguments: list[str]) -> list[str]:
    """The names of variants and sweeps in the config files; raises as ``results_dir``."""
    sections = [_setting(key, arguments, {}) for key in ("variants", "sweeps")]
    return [name for section in sections if isinstance(section, dict) for name in section]


def _known(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--configfile", "--configfiles", nargs="+", default=[])
    parser.add_argument("--config", "-C", nargs="*", default=[])
    return parser.parse_known_args(arguments)[0]


def _setting(key: str, arguments: list[str], default: Any) -> Any:
    """The value at the top of the last config file that has it."""
    found = default
    for path in ["config.yaml", *_known(arguments).configfile]:
        settings = read_config_file(Path(path))
        if isinstance(settings, dict):  # what else it may be, the validation tells
            found = settings.get(key, found)
    return found


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
