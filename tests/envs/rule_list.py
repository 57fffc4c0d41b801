"""Print what a config makes of every rule: command, environment file, GPUs, as JSON.

python tests/envs/rule_list.py FOLDER [key=value ...]

Snakemake parses its rules into the running process, so this is a program of its own.
"""

import json
import sys
from pathlib import Path

import yaml
from snakemake.api import SnakemakeApi
from snakemake.settings.types import ConfigSettings, OutputSettings, Quietness, ResourceSettings


def rules_of(folder: Path, config: dict[str, object]) -> list[dict]:
    """The rules that run a command, in a checkout at ``folder``."""
    with SnakemakeApi(OutputSettings(quiet={Quietness.ALL})) as snakemake:
        workflow = snakemake.workflow(
            resource_settings=ResourceSettings(),
            config_settings=ConfigSettings(config=config),
            snakefile=folder / "Snakefile",
            workdir=folder,
        )._workflow
        return [
            {
                "name": rule.name,
                "command": rule.shellcmd,
                "stage": f"stages.{dict(rule.params.items())['stage']}",
                "environment": rule.conda_env and str(Path(rule.basedir.path, rule.conda_env)),
                "asks_for_gpu": "gpu" in rule.resources,
            }
            for rule in workflow.rules
            if dict(rule.params.items()).get("stage")
        ]


if __name__ == "__main__":
    settings = {
        key: yaml.safe_load(value)
        for key, _, value in (argument.partition("=") for argument in sys.argv[2:])
    }
    print(json.dumps(rules_of(Path(sys.argv[1]), settings)))
