"""What Snakemake would do after an edit or with other settings: dry runs in copies of a run."""

import json
import os
import queue
import subprocess
import sys
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SERVER = Path(__file__).with_name("dry_run_server.py")
PRESET = Path("workflow", "presets", "smoke.yaml")
# From a file's text to its edited text.
Edit = Callable[[str], str]


@dataclass(frozen=True)
class PlannedJob:
    """A job that would run."""

    rule: str
    inputs: list[str]
    outputs: list[str]
    command: str
    reason: str


class PlanError(Exception):
    """Snakemake would not run; the text is what it says."""


@contextmanager
def edited(folder: Path, edits: Mapping[str, Edit]):
    """Files of a folder, edited; then as they were, to the nanosecond."""
    before = {}
    try:
        for name, edit in edits.items():
            path = folder / name
            before[path] = path.read_bytes(), path.stat()
            path.write_text(edit(before[path][0].decode()))
        yield
    finally:
        for path, (content, state) in before.items():
            path.write_bytes(content)
            os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))


class Planner:
    """Dry runs in one folder, one after another."""

    def __init__(self, folder: Path, scratch: Path, **variables: str) -> None:
        """Start the server in ``folder``; ``scratch`` takes what is written for it."""
        self.folder = folder
        self._changes = scratch / "changes.json"
        self._server = subprocess.Popen(
            [sys.executable, str(SERVER)],
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "COLUMNS": "200", "NO_COLOR": "1", **variables},
        )

    def plan(
        self,
        *arguments: str,
        edits: Mapping[str, Edit] | None = None,
        settings: Mapping[str, Any] | None = None,
    ) -> list[PlannedJob]:
        """The jobs that Snakemake would run.

        Args:
            arguments: targets and options of Snakemake.
            edits: of files in the folder, by path; undone afterwards.
            settings: laid over the smoke preset.
        Raises:
            PlanError: Snakemake refuses to run.
        """
        self._changes.write_text(json.dumps(settings or {}))
        files = [str(PRESET), str(self._changes)]
        with edited(self.folder, edits or {}):
            question = ["--cores=2", *arguments, "--configfile", *files]
            print(json.dumps(question), file=self._server.stdin, flush=True)
            answer = json.loads(self._server.stdout.readline())
        if answer["status"]:
            raise PlanError(answer["said"])
        return [PlannedJob(**each) for each in answer["jobs"]]

    def close(self) -> None:
        """End the server."""
        self._server.stdin.close()
        self._server.wait()


class Planners:
    """Several planners, in as many copies of one run, side by side."""

    def __init__(self, planners: list[Planner]) -> None:
        """Use these."""
        self._all = planners
        self._free: queue.SimpleQueue[Planner] = queue.SimpleQueue()
        for planner in planners:
            self._free.put(planner)
        self._threads = ThreadPoolExecutor(len(planners))

    def submit(self, *arguments: str, **changes: Any) -> "Future[list[PlannedJob]]":
        """``Planner.plan``, as soon as a planner is free."""
        return self._threads.submit(self._plan, *arguments, **changes)

    def _plan(self, *arguments: str, **changes: Any) -> list[PlannedJob]:
        planner = self._free.get()
        try:
            return planner.plan(*arguments, **changes)
        finally:
            self._free.put(planner)

    def close(self) -> None:
        """End all of them."""
        self._threads.shutdown(cancel_futures=True)
        for planner in self._all:
            planner.close()
