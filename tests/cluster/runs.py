"""A run through Slurm, while it goes on and after it has ended."""

import os
import re
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from checkouts import PROJECT, Checkout
from waiting import LIMIT, wait_until


@dataclass(frozen=True)
class Run:
    """A Snakemake that was started and may still be at work."""

    process: subprocess.Popen
    output: Path

    @property
    def said(self):
        """What it has printed so far."""
        return self.output.read_text()

    def end(self):
        """Wait until it ends; return its exit status and all it printed."""
        return self.process.wait(LIMIT), self.said

    def wait_for(self, condition):
        """Wait until something holds; return its value. The run must go on until then."""
        return wait_until(condition, process=self.process, told=lambda: self.said)

    def wait_for_held(self, jobs):
        """Wait until one of ``HeldJobs`` waits; return the number of its process."""
        return jobs.wait_for_one(self.process, told=lambda: self.said)

    def signal(self, number):
        """What the shell does to it: Ctrl-C, or kill."""
        with suppress(ProcessLookupError):  # it has ended
            os.killpg(self.process.pid, number)


@dataclass(frozen=True)
class ClusterRun:
    """A checkout in which Snakemake has run through Slurm, what it said, and its jobs."""

    checkout: Checkout
    said: str
    jobs: dict

    def attempts(self, comment):
        """The jobs that were submitted for one thing, in order."""
        return [job for job in self.jobs.values() if job["Comment"] == comment]

    def numbers_of_jobs(self):
        """How many jobs of each rule there are, as Snakemake lists them before it starts."""
        table = re.search(r"^job +count\n-.*\n((?:\w+ +\d+\n)+)", self.said, re.MULTILINE)[1]
        return {rule: int(count) for rule, count in re.findall(r"(\w+) +(\d+)", table)}


def rules_that_run_beside_snakemake():
    texts = [path.read_text() for path in (PROJECT / "workflow/rules").glob("*.smk")]
    rules = [
        rule
        for text in texts
        for rule in re.split(r"^(?:use )?rule ", text, flags=re.MULTILINE)[1:]
    ]
    names = [re.match(r"(?:\w+ as )?(\w+)", rule)[1] for rule in rules]
    local = {name for name, rule in zip(names, rules) if "    localrule: True\n" in rule}
    return {*local, "all", "default", "total"}  # the last is a line of Snakemake's list


def made(checkout, *folders, sidecars=False):
    """The files under some folders of the results, with or without their sidecars, by name."""
    results = checkout.path / "results/smoke"
    return {
        str(path.relative_to(results)): path
        for folder in folders
        for path in (results / folder).rglob("*")
        if path.is_file() and (sidecars or not path.name.endswith(".prov.json"))
    }
