"""Run the workflow, then print what it found: what ``make run`` calls.

    python -m pipeline.run --cores 2 --configfile workflow/presets/smoke.yaml

All arguments go to snakemake.
"""

import argparse
import subprocess
import sys
from pathlib import Path

import yaml

from pipeline.summary import summary


def main(arguments: list[str]) -> int:
    """Run snakemake with ``arguments``; print the summary if it succeeded. Return its status."""
    status = subprocess.run([sys.executable, "-m", "snakemake", *arguments], check=False).returncode
    if status == 0 and "--dry-run" not in arguments:
        results = results_dir(arguments)
        if (results / "report.html").is_file():
            print(f"\n{summary(results)}")
    return status


def results_dir(arguments: list[str]) -> Path:
    """Where snakemake, called with ``arguments`` in this folder, puts its results."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--configfile", "--configfiles", nargs="+", default=[])
    parser.add_argument("--config", "-C", nargs="*", default=[])
    known = parser.parse_known_args(arguments)[0]
    found = "results"
    for path in ["config.yaml", *known.configfile]:
        found = (yaml.safe_load(Path(path).read_text()) or {}).get("results_dir", found)
    for assignment in known.config:
        key, _, value = assignment.partition("=")
        found = value if key == "results_dir" else found
    return Path(found)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
