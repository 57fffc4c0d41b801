"""What every reader of files from elsewhere has to keep to."""

import contextlib
import resource
import time
from pathlib import Path

from coarsegrain.errors import CoarsegrainError

GIGABYTE = 2**30


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
