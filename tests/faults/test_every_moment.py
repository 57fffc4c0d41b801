"""Whatever happens to a stage, at whatever moment: no half a file, and the next run mends it."""

import json
import os
import shutil
import signal
from pathlib import Path

import pytest
import sweep

from pipeline.sidecars import sha256, sidecar_path

pytestmark = pytest.mark.slow

NAMES = ("net.bin", "net.history.csv")


def whole(word):
    """Both outputs of a run that nothing happened to."""
    return {name: f"{word} 7 {Path(name).suffix}\n" * 3 for name in NAMES}


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "source").write_text("7")
    return tmp_path


def begin_with(folder, before):
    """A folder as it is before a run: empty, or with the outputs of another spec."""
    shutil.rmtree(folder / "out", ignore_errors=True)
    (folder / "out/kept").mkdir(parents=True)
    (folder / "out/kept/until_now").touch()
    if before == "other outputs":
        assert ends(sweep.start(folder, "old")) == 0


def ends(child):
    """The exit status of a process; minus the signal that ended it."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def there(folder):
    """The outputs under their final names."""
    return {name: (folder / "out" / name).read_text() for name in NAMES
            if (folder / "out" / name).exists()}  # fmt: skip


def assert_nothing_is_half(folder, *words):
    for name, content in there(folder).items():
        assert content in [whole(word)[name] for word in words], name
    for name in NAMES:
        sidecar = sidecar_path(folder / "out" / name)
        if sidecar.exists():
            assert json.loads(sidecar.read_text())["file"] == name


def assert_all_is_right(folder, word):
    assert there(folder) == whole(word)
    for name in NAMES:
        record = json.loads(sidecar_path(folder / "out" / name).read_text())
        assert record["sha256"] == sha256(folder / "out" / name)
        assert record["spec"] == {"word": word}
    assert sorted(path.name for path in (folder / "out").iterdir()) == sorted(
        [*NAMES, *(f"{name}.prov.json" for name in NAMES)]
    )


@pytest.mark.parametrize("before", ["nothing", "other outputs"])
@pytest.mark.parametrize("what", ["kill", "full", "interrupt"])
def test_whatever_happens_at_any_moment_nothing_is_half_and_the_next_run_mends_it(
    folder, what, before
):
    status, moment = None, 0
    while status != sweep.UNDISTURBED:
        assert moment < 100
        begin_with(folder, before)
        status = ends(sweep.start(folder, "new", moment, what))
        said = (folder / "log").read_text()
        assert_nothing_is_half(folder, "old", "new")
        assert status in (0, -signal.SIGKILL if what == "kill" else 1, sweep.UNDISTURBED), said
        if status in (0, sweep.UNDISTURBED):
            assert there(folder) == whole("new")
        elif what != "kill":
            sentence = "error: the disk is full; free" if what == "full" else "interrupted"
            assert said.startswith(sentence)
        assert ends(sweep.start(folder, "new")) == 0
        assert_all_is_right(folder, "new")
        moment += 1
    assert moment > 25


def stopped(folder, word, moment):
    """A process that waits at a moment, or has ended before it."""
    child = sweep.start(folder, word, moment, "stop")
    _, status = os.waitpid(child, os.WUNTRACED)
    return child, None if os.WIFSTOPPED(status) else os.waitstatus_to_exitcode(status)


def goes_on(child, status):
    if status is not None:
        return status
    os.kill(child, signal.SIGCONT)
    return ends(child)


@pytest.mark.parametrize("later", [1, 3, 4, 6, 10, 20, 23])
def test_of_two_runs_of_one_job_at_a_time_the_outputs_are_all_of_one_that_succeeded(folder, later):
    """The first waits at a moment, the second at another; then the first goes on."""
    for moment in range(0, 26, 2):
        begin_with(folder, "nothing")
        first = stopped(folder, "old", moment)
        second = stopped(folder, "new", later)
        ended = {"old": goes_on(*first), "new": goes_on(*second)}
        good = [word for word, status in ended.items() if status in (0, sweep.UNDISTURBED)]
        assert good, ended
        assert_all_is_right(folder, next(word for word in good if there(folder) == whole(word)))


def test_a_job_left_behind_puts_nothing_in_place_once_it_was_begun_again(folder):
    """From its first touch of the outputs' folder on, an older process has lost."""
    for moment in range(6, 26):
        begin_with(folder, "nothing")
        left_behind = stopped(folder, "old", moment)
        assert ends(sweep.start(folder, "new")) == 0
        assert goes_on(*left_behind) in (0, 1)
        assert_all_is_right(folder, "new")
        assert "Traceback" not in (folder / "log").read_text()
