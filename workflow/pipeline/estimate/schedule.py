"""How long jobs take by the clock, when several run at once."""

import heapq
from collections.abc import Mapping, Sequence

from pipeline.job_list import Job


def dependencies(jobs: Sequence[Job]) -> list[set[int]]:
    """For every job, the numbers of those that make its inputs."""
    maker = {path: k for k, job in enumerate(jobs) for path in job.outputs}
    return [{maker[path] for path in job.inputs if path in maker} for job in jobs]


def critical_path(seconds: Sequence[float], needs: Sequence[set[int]]) -> float:
    """The longest chain of jobs that wait for each other: no number of cores beats it, seconds."""
    return max(_path_lengths(seconds, _followers(needs)), default=0.0)


def makespan(
    seconds: Sequence[float], needs: Sequence[set[int]], threads: Sequence[int], cores: int
) -> float:
    """Time by the clock of list scheduling.

    Whenever cores get free, of the jobs whose inputs are there the one with the longest way to the
    end starts, and others that fit beside it. At most 2 - 1/cores times the shortest possible
    (R. L. Graham, Bell Syst. Tech. J. 45, 1563, 1966), for jobs of one thread.

    Args:
        seconds: that each job takes.
        needs: the jobs that each waits for, by number.
        threads: that each occupies, at most ``cores`` count.
        cores: at least 1.
    Returns:
        Seconds from the first start to the last end.
    """
    followers = _followers(needs)
    way = _path_lengths(seconds, followers)
    waits_for = [len(each) for each in needs]
    ready = [(-way[k], k) for k, number in enumerate(waits_for) if not number]
    heapq.heapify(ready)
    running: list[tuple[float, int]] = []
    free, now = cores, 0.0
    while ready or running:
        passed = []
        while ready and free:
            entry = heapq.heappop(ready)
            k = entry[1]
            if min(threads[k], cores) > free:
                passed.append(entry)
                continue
            free -= min(threads[k], cores)
            heapq.heappush(running, (now + seconds[k], k))
        for entry in passed:
            heapq.heappush(ready, entry)
        now, k = heapq.heappop(running)
        free += min(threads[k], cores)
        for follower in followers[k]:
            waits_for[follower] -= 1
            if not waits_for[follower]:
                heapq.heappush(ready, (-way[follower], follower))
    return now


def _followers(needs: Sequence[set[int]]) -> Mapping[int, list[int]]:
    followers: dict[int, list[int]] = {k: [] for k in range(len(needs))}
    for k, each in enumerate(needs):
        for before in each:
            followers[before].append(k)
    return followers


def _path_lengths(seconds: Sequence[float], followers: Mapping[int, list[int]]) -> list[float]:
    """Seconds from the start of each job to the end of the last that waits for it."""
    lengths: dict[int, float] = {}
    for first in range(len(seconds)):
        stack = [first]
        while stack:
            k = stack[-1]
            missing = [each for each in followers[k] if each not in lengths]
            if k in lengths or not missing:
                longest = max((lengths[each] for each in followers[k]), default=0.0)
                lengths[k] = seconds[k] + longest
                stack.pop()
            else:
                stack += missing
    return [lengths[k] for k in range(len(seconds))]
