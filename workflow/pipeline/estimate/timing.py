"""How long work takes: in processor time, which other programs on the machine disturb less.

By the clock instead where the processor waits for a GPU, or where a job has several threads.
"""

import resource
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache


@dataclass(frozen=True)
class Measured:
    """What was timed.

    Attributes:
        seconds: by the clock, for an otherwise idle machine.
        processor: seconds of the processor.
    """

    seconds: float
    processor: float

    def __mul__(self, factor: float) -> "Measured":
        """So many times."""
        return Measured(self.seconds * factor, self.processor * factor)

    def __add__(self, other: "Measured") -> "Measured":
        """One after the other."""
        return Measured(self.seconds + other.seconds, self.processor + other.processor)

    def __sub__(self, other: "Measured") -> "Measured":
        """What one takes longer than the other, if at all."""
        return Measured(
            max(0.0, self.seconds - other.seconds), max(0.0, self.processor - other.processor)
        )


class Watch:
    """Times work of this process."""

    def __init__(self, *, by_the_clock: bool = False) -> None:
        self._by_the_clock = by_the_clock
        self._begin = time.perf_counter(), time.process_time()

    def lap(self) -> Measured:
        """Since the last lap."""
        now = time.perf_counter(), time.process_time()
        clock, processor = (after - before for after, before in zip(now, self._begin))
        self._begin = now
        return Measured(clock if self._by_the_clock else processor, processor)


def timed(work: Callable[[], object], *, by_the_clock: bool = False) -> Measured:
    """How long ``work`` takes."""
    watch = Watch(by_the_clock=by_the_clock)
    work()
    return watch.lap()


@cache
def program(*arguments: str) -> Measured:
    """A program of this interpreter, from its start to its end; equal ones are run once."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Measured(seconds, seconds)
