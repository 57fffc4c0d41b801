"""Dry runs of Snakemake in this folder, one per line of input, without the start of one each.

``python dry_run_server.py`` reads lists of arguments as JSON, a line each, and answers each with a
line: the jobs that would run. Snakemake is imported once; every dry run is a fork of this process,
so none sees what another has left in memory.
"""

import gc
import importlib
import json
import logging
import os
import sys
import tempfile
import traceback
from pathlib import Path

from snakemake.cli import get_argument_parser
from snakemake.cli import main as snakemake


class Listener(logging.Handler):
    """Keeps the jobs that Snakemake tells of; rules without a command do nothing."""

    def __init__(self):
        super().__init__()
        self.jobs = []

    def emit(self, record):
        told = record.__dict__
        if getattr(told.get("event"), "name", "") == "JOB_INFO" and told["shellcmd"]:
            self.jobs.append(
                {
                    "rule": told["rule_name"],
                    "inputs": plain_paths(told["input"]),
                    "outputs": plain_paths(told["output"]),
                    "command": told["shellcmd"],
                    "reason": str(told["reason"]),
                }
            )


def plain_paths(told):
    """Without Snakemake's marks, as in ``file (ancient)``; relative to this folder if within it."""
    return [os.path.relpath(str(each).partition(" (")[0]) for each in told]


def dry_run(arguments):
    """The answer to one line."""
    with tempfile.TemporaryFile() as said, tempfile.TemporaryFile() as jobs:
        child = os.fork()
        if child == 0:
            status = 1
            try:
                for stream in (1, 2):
                    os.dup2(said.fileno(), stream)
                status = in_child(arguments, jobs)
            except BaseException:
                traceback.print_exc()
            finally:
                sys.stdout.flush()
                sys.stderr.flush()
                os._exit(status)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        said.seek(0)
        jobs.seek(0)
        text = jobs.read()
        return {
            "status": status,
            "jobs": json.loads(text) if text else [],
            "said": said.read().decode(errors="replace"),
        }


def in_child(arguments, answer):
    listener = Listener()
    # Snakemake clears the handlers of its own logger's children, so listen above them.
    logging.getLogger("snakemake").addHandler(listener)
    try:
        snakemake(["--dry-run", "--nolock", "--quiet=host", *arguments])
    except SystemExit as ended:
        if ended.code:
            return 1
    answer.write(json.dumps(listener.jobs).encode())
    answer.flush()
    return 0


def warm_up():
    """What every dry run would do again: import libraries, read the plugins, parse the modules.

    Of the project only what parses modules is imported, and it remembers them by their content.
    """
    get_argument_parser()
    for library in ("jsonschema.validators", "numpy"):
        importlib.import_module(library)
    sys.path.insert(0, str(Path("workflow").resolve()))
    code_digest = importlib.import_module("pipeline.digest").code_digest
    for path in Path("workflow", "stages").rglob("[a-z]*.py"):
        code_digest(".".join(path.relative_to("workflow").with_suffix("").parts))
    gc.collect()
    gc.freeze()


if __name__ == "__main__":
    warm_up()
    for line in sys.stdin:
        print(json.dumps(dry_run(json.loads(line))), flush=True)
