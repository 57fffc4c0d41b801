"""Jobs that stop where a test wants them, so that it need not be quicker than they are."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from checkouts import PROJECT
from waiting import wait_until

# Python imports it in every job, from workflow/ of a copy.
HOLD = PROJECT / "tests" / "hold" / "sitecustomize.py"


@dataclass(frozen=True)
class HeldJobs:
    """The jobs that make one result: each waits once, until it is let go on.

    A training waits when it has written checkpoints and is about to write another; every job waits
    before it puts its outputs in place.

    Attributes:
        folder: in it every job that waits has a file, named after its process.
    """

    folder: Path

    @classmethod
    def of(cls, checkout, result):
        """From now on.

        Args:
            checkout: where the jobs run.
            result: its path there, without any ending.
        """
        shutil.copy(HOLD, checkout.path / "workflow" / HOLD.name)
        return cls.running_in(checkout.path, result)

    @classmethod
    def running_in(cls, folder, result):
        """The same for jobs that have the module HOLD already."""
        held = cls(folder / "held" / result)
        held.folder.mkdir(parents=True)
        return held

    def wait_for_one(self, run, told=lambda: "", but=None):
        """The number of a process that waits, as soon as there is one.

        Args:
            run: the process of Snakemake, which must go on until then.
            told: what to say if there is none.
            but: a process that is not meant.
        """
        return wait_until(lambda: self._one(but), process=run, told=told)

    def let_go(self, process):
        """Let one job go on."""
        (self.folder / str(process)).unlink()

    def end(self):
        """Let all go on, and hold no more."""
        over = self.folder.with_name(f"{self.folder.name}.over")
        self.folder.rename(over)  # none comes in while it is removed
        shutil.rmtree(over)

    def _one(self, but):
        waiting = {*map(int, os.listdir(self.folder))} - {but}
        return next(filter(is_running, waiting), None)


def is_running(process):
    """Whether there is a process of this number that has not ended."""
    try:
        status = Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"
