"""What every reader of files from elsewhere has to keep to."""

import contextlib
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

from coarsegrain.errors import CoarsegrainError
from waiting import LIMIT

GIGABYTE = 2**30
WORKFLOW = Path(__file__).resolve().parents[2] / "workflow"


@contextlib.contextmanager
def one_gigabyte():
    """Within this, the process gets no more than a gigabyte of memory over what it has."""
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    has = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (has + GIGABYTE, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def judged(read, path, *, seconds=5.0, lines=1, ends=(".", "?")):
    """What ``read(path)`` returns, or the sentence that it is refused with.

    Any other exception, more than a gigabyte, more processor time (the bombs took minutes, and an
    honest file takes a tenth of a second), or text that is not a sentence fails.
    """
    before = sorted(path.parent.iterdir())
    start = time.process_time()
    with one_gigabyte():
        try:
            answer = read(path)
        except CoarsegrainError as error:
            answer = str(error)
            told = answer.split("\n")
            assert len(told) <= lines, answer
            assert all(line.isprintable() and len(line) < 1500 for line in told), answer
            assert all(line.endswith(ends) for line in told), answer
    assert time.process_time() - start < seconds
    assert sorted(path.parent.iterdir()) == before
    return answer


def refused(read, path, **options):
    """The sentence, which must name the file."""
    sentence = judged(read, path, **options)
    assert isinstance(sentence, str), "it was read"
    assert str(path) in sentence
    return sentence


def refused_by_stage(stage, *words):
    """The sentence with which a stage ends, called as a program; it must write nothing to ``out``.

    Args:
        stage: its name.
        words: of its command line; its outputs lie in a folder ``out``.
    """
    run = subprocess.run(
        [sys.executable, "-m", f"stages.{stage}", *words],
        env={**os.environ, "PYTHONPATH": str(WORKFLOW)},
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
    )
    assert (run.returncode, run.stdout) == (1, "")
    assert run.stderr.count("\n") == 1
    outputs = [Path(word) for word in words if Path(word).parent.name == "out"]
    assert outputs
    assert all(list(each.parent.iterdir()) == [] for each in outputs)
    return run.stderr
