"""How long jobs take by the clock, when several run at once."""

import bisect
import heapq
from collections.abc import Sequence
from functools import cache

from pipeline.job_list import Job


def dependencies(jobs: Sequence[Job]) -> list[set[int]]:
    """For every job, the numbers of those that make its inputs."""
    maker = {path: k for k, job in enumerate(jobs) for path in job.outputs}
    return [{maker[path] for path in job.inputs if path in maker} for job in jobs]


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
    followers: list[list[int]] = [[] for _ in needs]
    for k, each in enumerate(needs):
        for before in each:
            followers[before].append(k)

    @cache
    def way(k: int) -> float:
        """Seconds from the start of a job to the end of the last that waits for it."""
        return seconds[k] + max(map(way, followers[k]), default=0.0)

    waits_for = [len(each) for each in needs]
    ready = sorted((-way(k), k) for k, number in enumerate(waits_for) if not number)
    running: list[tuple[float, int]] = []
    free, now = cores, 0.0
    while ready or running:
        for entry in list(ready):
            k = entry[1]
            if min(threads[k], cores) <= free:
                ready.remove(entry)
                free -= min(threads[k], cores)
                heapq.heappush(running, (now + seconds[k], k))
            if not free:
                break
        now, k = heapq.heappop(running)
        free += min(threads[k], cores)
        for follower in followers[k]:
            waits_for[follower] -= 1
            if not waits_for[follower]:
                bisect.insort(ready, (-way(follower), follower))
    return now
