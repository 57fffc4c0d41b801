"""A machine with GPUs that are not there, and jobs on it: processes that claim one and hold it.

The fixture ``machine`` makes such machines: ``pytest_plugins = ["stand_in_driver"]``.
"""

import os
import select
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from waiting import LIMIT

SOURCE = Path(__file__).parent / "driver" / "stand_in.c"
WORKFLOW = Path(__file__).resolve().parents[2] / "workflow"
JOB = """
import os, sys
from pipeline.gpus import claim
claim.SECONDS_BETWEEN_TRIES, claim.SECONDS_BETWEEN_LINES = 0.02, 0.2
held = claim.claim_gpu()
print("holds", held.gpu.uuid[-1] if held else None, os.environ.get("CUDA_VISIBLE_DEVICES"))
sys.stdout.flush()
sys.stdin.read()
"""


def compiled(folder: Path) -> Path:
    """The folder, with the stand-in for the driver in it."""
    library = folder / "libcuda.so.1"
    subprocess.run(
        ["cc", "-Wall", "-Werror", "-shared", "-fPIC", "-o", library, SOURCE], check=True
    )
    return folder


class Job:
    """A running process; ``line()`` is the next that it prints, ``end()`` lets it end."""

    def __init__(self, command, environment):
        self._process = subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            bufsize=0,
        )

    def line(self, seconds=LIMIT):
        ready, _, _ = select.select([self._process.stdout], [], [], seconds)
        assert ready, "the job says nothing"
        return self._process.stdout.readline().decode().strip()

    def lines(self) -> Iterator[str]:
        """All that it still prints."""
        return iter(self.line, "")

    def send(self, signal):
        """Send it a signal; return its exit status."""
        self._process.send_signal(signal)
        return self._process.wait(timeout=LIMIT)

    def tell(self, line):
        self._process.stdin.write(f"{line}\n".encode())

    def end(self):
        self._process.stdin.close()
        return self._process.wait(timeout=LIMIT)

    def discard(self):
        self._process.kill()
        self._process.wait()
        self._process.stdin.close()
        self._process.stdout.close()


class Machine:
    """So many GPUs, with UUIDs of their own: tests side by side are on different machines."""

    def __init__(self, driver: Path, gpus: int, **settings):
        self.box = uuid4().hex[:8]
        self.variables = {
            "LD_LIBRARY_PATH": str(driver),
            "STAND_IN_GPUS": str(gpus),
            "STAND_IN_BOX": self.box,
            **settings,
        }
        self._jobs: list[Job] = []

    def uuid(self, gpu: int) -> str:
        return f"{self.box}-0000-4000-8000-00000000000{gpu}"

    def environment(self, **variables):
        inherited = {key: value for key, value in os.environ.items() if not key.startswith("CUDA_")}
        inherited["PYTHONPATH"] = os.pathsep.join([str(WORKFLOW), *sys.path])
        return {**inherited, **self.variables, **variables}

    def job(self, *command, **variables) -> Job:
        """Start a job: a process that claims a GPU and holds it, or that runs a command."""
        command = command or (sys.executable, "-c", JOB)
        self._jobs.append(Job(command, self.environment(**variables)))
        return self._jobs[-1]

    def says(self, program: str, **variables) -> str:
        """What a Python program prints here."""
        run = subprocess.run(
            [sys.executable, "-c", program],
            env=self.environment(**variables),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=LIMIT,
            check=False,
        )
        return run.stdout.strip()

    def clear(self):
        for job in self._jobs:
            job.discard()


@pytest.fixture(scope="session")
def stand_in_driver(tmp_path_factory):
    return compiled(tmp_path_factory.mktemp("driver"))


@pytest.fixture
def machine(stand_in_driver):
    """Make a machine with so many GPUs; its jobs end with the test."""
    machines = []

    def made(gpus, **settings):
        machines.append(Machine(stand_in_driver, gpus, **settings))
        return machines[-1]

    yield made
    for each in machines:
        each.clear()
