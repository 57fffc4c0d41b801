"""A plugin of Snakemake, ``--logger coarsegrain``: few lines where Snakemake prints thousands.

Snakemake finds it by its name. What is shown says ``pipeline.run_progress``; what Snakemake would
have shown stands in its log file, below ``.snakemake/log/``. Dry runs, and runs that are asked to
say more or less, are shown as Snakemake does.
"""

import logging
import os
import shutil
import sys
from pathlib import Path
from typing import Any

from snakemake_interface_logger_plugins.base import LogHandlerBase
from snakemake_interface_logger_plugins.common import LogEvent

from pipeline import run_progress
from pipeline.run_progress import Progress

#: How messages begin that say nothing of this run.
SAID_EVERY_TIME = (
    "Using workflow specific profile",
    "Assuming unrestricted shared filesystem usage",
    "Building DAG of jobs",
    "Using shell:",
    "Job stats:",
    "Select jobs to execute",
    "Conda environments: ignored",
    "Singularity containers: ignored",
    "Group jobs: inactive",
    "Workflow finished",
    "host:",
)
#: The same of a job that failed, of which the end of its log is shown.
SAID_OF_FAILURES = (
    "RuleException:\nCalledProcessError",
    "WorkflowError:\nAt least one job did not complete successfully",
)
#: Seconds between two lines that tell the rest, where lines cannot be overwritten.
EVERY = 30
#: Lines that are shown of the log of a job that failed.
LINES_OF_LOG = 6


class LogHandler(LogHandlerBase):
    """Shows a run's progress."""

    def __post_init__(self) -> None:  # noqa: D105
        settings: Any = self.common_settings
        more_or_less = ("dryrun", "verbose", "printshellcmds", "debug_dag", "quiet")
        self._as_snakemake_does = any(getattr(settings, name, None) for name in more_or_less)
        self._stream = sys.stdout if settings.stdout else sys.stderr
        self._overwrites = self._stream.isatty()
        self._overwritten = False
        self._cores = 1
        self._told = 0.0
        self._progress: Progress | None = None
        run_progress.WANTED = not self._as_snakemake_does

    writes_to_stream = True
    writes_to_file = False
    has_filter = False
    has_formatter = False
    needs_rulegraph = False

    def emit(self, record: logging.LogRecord) -> None:
        """Show what a message of Snakemake's means for the run."""
        try:
            self._show(record, getattr(record, "event", None))
        except Exception:
            self.handleError(record)

    def close(self) -> None:
        """Leave the terminal as it was."""
        self._clear()
        super().close()

    def _show(self, record: Any, event: LogEvent | None) -> None:
        if self._as_snakemake_does:
            self._print(self.format(record))
        elif event is LogEvent.JOB_ERROR:
            self._print(_failure(record))
        elif event is None or record.levelno >= logging.WARNING:
            said = self.format(record)
            hidden = SAID_OF_FAILURES if event is LogEvent.ERROR else SAID_EVERY_TIME
            if said.strip() and not said.lstrip().startswith(hidden):
                self._print(said)
        elif event is LogEvent.RESOURCES_INFO:
            self._cores = getattr(record, "cores", self._cores)
        elif event is LogEvent.RUN_INFO:
            targets = ("total", "all", "default")
            numbers = {rule: n for rule, n in record.stats.items() if rule not in targets}
            self._progress = Progress(run_progress.PLAN, numbers, self._cores, record.created)
            self._told = record.created
            if numbers:
                self._print(self._progress.first_line())
        elif self._progress is not None:
            self._follow(record, event, self._progress)

    def _follow(self, record: Any, event: LogEvent, run: Progress) -> None:
        now = record.created
        if event is LogEvent.JOB_INFO and record.log:  # else a target, which runs nothing
            name = run_progress.shown(record.wildcards or {})
            run.start(record.jobid, record.rule_name, name, now)
        elif event is LogEvent.JOB_FINISHED:
            if rule := run.finish(record.job_id, now):
                self._print(run.stage_line(rule, now))
        else:
            return
        if self._overwrites:
            width = shutil.get_terminal_size().columns
            self._stream.write(f"\r\x1b[K{run.rest_line(now)[: width - 1]}")
            self._stream.flush()
            self._overwritten = True
        elif now - self._told >= EVERY and event is LogEvent.JOB_FINISHED:
            self._print(run.rest_line(now))
            self._told = now

    def _print(self, line: str) -> None:
        self._clear()
        print(line, file=self._stream, flush=True)

    def _clear(self) -> None:
        if self._overwritten:
            self._stream.write("\r\x1b[K")
            self._stream.flush()
            self._overwritten = False


def _failure(record: Any) -> str:
    """What failed, where it says why, and how that ends."""
    outputs = [each.removesuffix(" (update)") for each in record.output or ()]
    lines = [f"{record.rule_name} failed: {', '.join(outputs)}"]
    for log in map(Path, record.log or ()):
        lines.append(f"The end of {os.path.relpath(log)}:")
        text = log.read_text(errors="replace") if log.is_file() else ""
        last = [line for line in text.splitlines() if line.strip()][-LINES_OF_LOG:]
        lines += [f"    {line}" for line in last] or ["    (nothing)"]
    return "\n".join(lines)
