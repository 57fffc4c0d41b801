"""What a run shows: how long the rest takes, a line for each stage, and why a job failed."""

import io
import logging
from types import SimpleNamespace

import pytest
from snakemake_interface_logger_plugins.common import LogEvent

from pipeline import run_progress
from pipeline.run_progress import Planned, Progress, clock, in_minutes
from pipeline.work import Work
from snakemake_logger_plugin_coarsegrain import LINES_OF_LOG, LogHandler

PLAN = {
    1: Planned("train_net", Work(100.0, "shallow")),
    2: Planned("train_net", Work(300.0, "shallow")),
    3: Planned("train_net", Work(1000.0, "deep")),
    4: Planned("plot", Work(1.0)),
}


def test_the_rest_takes_as_long_for_its_work_as_what_is_done():
    run = Progress(PLAN, {"train_net": 3, "plot": 1}, cores=2)
    assert run.left(0.0) == (0.0, False)
    run.start(1, "train_net", "A 0", 0.0)
    assert run.finish(1, 10.0) is None  # 0.1 s for one of work
    # 300 and, where no deep net is known yet, 1000 like the shallow ones; the figure is unknown
    assert run.left(10.0) == (pytest.approx((30 + 100) / 2), False)
    run.start(4, "plot", "", 10.0)
    assert run.finish(4, 13.0) == "plot"
    assert run.left(13.0) == (pytest.approx(130 / 2), True)
    run.start(3, "train_net", "B 0", 13.0)
    assert run.left(33.0)[0] == pytest.approx((30 + 100 - 20) / 2)
    assert run.left(500.0)[0] == pytest.approx(30 / 2)  # late is not less than nothing
    assert run.finish(3, 213.0) is None  # deep nets take 0.2 s
    assert run.left(213.0) == (pytest.approx(30 / 2), True)
    run.start(2, "train_net", "A 1", 213.0)
    assert run.finish(2, 240.0) == "train_net"
    assert run.left(240.0) == (0.0, True)
    assert run.finish(99, 241.0) is None  # a target


@pytest.mark.parametrize(
    ("seconds", "words"), [(2, "5 s"), (52, "50 s"), (240, "4 min"), (9000, "2.5 h")]
)
def test_time_left_in_words(seconds, words):
    assert in_minutes(seconds) == words


def test_clock_shows_hours_where_there_are_any():
    assert [clock(5), clock(725), clock(3725)] == [" 0:05", "12:05", "1:02:05"]


class Terminal(io.StringIO):
    def isatty(self):
        return True


def handler(monkeypatch, stream=None, **settings):
    monkeypatch.setattr(run_progress, "WANTED", False)
    monkeypatch.setattr(run_progress, "PLAN", PLAN)
    stream = stream or io.StringIO()
    monkeypatch.setattr("sys.stderr", stream)
    names = ("dryrun", "verbose", "printshellcmds", "debug_dag", "quiet", "stdout")
    made = LogHandler(SimpleNamespace(**dict.fromkeys(names) | settings), None)
    made.setFormatter(logging.Formatter("%(message)s"))
    return made, stream


def message(text=None, event=None, level=logging.INFO, at=0.0, **more):
    record = logging.LogRecord("snakemake", level, "", 0, text, None, None)
    record.created = at
    record.__dict__.update(event=event, **more)
    return record


def job(number, rule, at, **wildcards):
    return message(
        event=LogEvent.JOB_INFO, at=at, jobid=number, rule_name=rule, wildcards=wildcards,
        log=["a.log"],
    )  # fmt: skip


def begin(handler):
    handler.emit(message("Building DAG of jobs..."))
    handler.emit(message("Provided cores: 2", LogEvent.RESOURCES_INFO, cores=2))
    stats = {"train_net": 3, "plot": 1, "default": 1, "total": 5}
    handler.emit(message("Job stats:", LogEvent.RUN_INFO, at=100.0, stats=stats))


def test_a_run_is_a_line_for_each_stage_and_now_and_then_one_for_the_rest(monkeypatch):
    shown, stream = handler(monkeypatch)
    assert run_progress.WANTED
    begin(shown)
    shown.emit(job(1, "train_net", 100.0, variant="variants/x/", net="A", member="0"))
    shown.emit(job(4, "plot", 100.0))
    shown.emit(message(event=LogEvent.PROGRESS, done=0, total=4))
    shown.emit(message("python -m stages.plot --spec '{…}'", LogEvent.SHELLCMD))
    shown.emit(message(event=LogEvent.JOB_FINISHED, job_id=4, at=110.0))
    shown.emit(message("device: cpu; asked for: auto", at=111.0))
    shown.emit(message(event=LogEvent.JOB_FINISHED, job_id=1, at=140.0))
    shown.emit(message("careful", level=logging.WARNING, at=141.0))
    assert stream.getvalue().splitlines() == [
        "4 jobs to do, on 2 cores",
        " 0:10  plot       1 job done",
        "device: cpu; asked for: auto",
        " 0:40  2 of 4 jobs done, about 4 min left",
        "careful",
    ]


def test_on_a_terminal_the_last_line_is_written_over(monkeypatch):
    shown, stream = handler(monkeypatch, Terminal())
    begin(shown)
    shown.emit(job(1, "train_net", 100.0, variant="", net="A", member="0"))
    assert stream.getvalue().endswith("\r\x1b[K 0:00  0 of 4 jobs done: train_net A 0")
    shown.close()
    assert stream.getvalue().endswith("\r\x1b[K")


def test_a_job_that_failed_shows_the_end_of_its_log_and_not_its_command(monkeypatch, tmp_path):
    log = tmp_path / "a.log"
    log.write_text("".join(f"line {k}\n" for k in range(20)))
    shown, stream = handler(monkeypatch)
    begin(shown)
    failed = message(
        "Error in rule train_net", LogEvent.JOB_ERROR, logging.ERROR, rule_name="train_net",
        output=["nets/A/member-0.safetensors (update)"], log=[str(log), str(tmp_path / "none.log")],
        shellcmd="python -m stages.train_net --spec '{…}'",
    )  # fmt: skip
    told = "RuleException:\nCalledProcessError in file x:\nCommand 'python --spec' returned 1."
    shown.emit(message(told, LogEvent.ERROR, logging.ERROR))
    shown.emit(failed)
    lines = stream.getvalue().splitlines()[1:]
    assert lines[0] == "train_net failed: nets/A/member-0.safetensors"
    assert lines[1].startswith("The end of ")
    assert lines[2 : 2 + LINES_OF_LOG] == [f"    line {k}" for k in range(20 - LINES_OF_LOG, 20)]
    assert lines[-1] == "    (nothing)"
    assert "--spec" not in stream.getvalue()


@pytest.mark.parametrize("setting", ["dryrun", "verbose", "printshellcmds"])
def test_who_asks_for_more_is_shown_what_snakemake_shows(monkeypatch, setting):
    shown, stream = handler(monkeypatch, **{setting: True})
    assert not run_progress.WANTED
    shown.emit(message("Building DAG of jobs..."))
    shown.emit(message("Job stats:", LogEvent.RUN_INFO, stats={}))
    assert stream.getvalue().splitlines() == ["Building DAG of jobs...", "Job stats:"]
