"""Memory of jobs: what trainings take, and whether this machine has it."""

import os
from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Any

from coarsegrain.errors import CoarsegrainError

#: An interpreter with its libraries and kernels, and one that computes on a GPU.
PROGRAM_MB, PROGRAM_ON_GPU_MB = 1000, 5000
#: What rules declare that do not compute it is on the safe side, and at most so much: no reason to
#: refuse a run.
DECLARED_MB = 8000
#: Arrays of the size of the weights: themselves, two moments, the start, and what is written.
COPIES = 6
#: Lattices that are evaluated at once: a row of outputs of two layers each.
AT_ONCE = 2 * 2048


def training_mb(specs: Iterable[Mapping[str, Any]], lattices: int, sites: int) -> int:
    """Megabytes that the training of some members of a net in one job takes, from its size.

    Args:
        specs: of the trainings, as ``train_net`` has them.
        lattices: of a member.
        sites: of a lattice.
    """
    total, program = 0.0, PROGRAM_MB
    for spec in specs:
        size = 8 if spec["precision"] == "float64" else 4
        weights = sum(a * b for a, b in pairwise(spec["sizes"]))
        rows = AT_ONCE * max(spec["sizes"]) + lattices * sites / 2  # bits, read as bytes in turn
        total += size * (COPIES * weights + rows)
        total += 2 * lattices * sites
        program = PROGRAM_ON_GPU_MB if spec["device"] == "cuda" else program
    return program + round(total / 1e6)


def memory_mb() -> int:
    """Megabytes of memory that this machine has."""
    return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e6)


def check_fits(needs: Iterable[tuple[str, int]], available: int) -> None:
    """Refuse jobs that cannot run here, before any job starts.

    Args:
        needs: a name for each job, and the megabytes that it takes.
        available: megabytes.
    Raises:
        CoarsegrainError: one takes more; the sentence names the largest.
    """
    enough = max(available, DECLARED_MB)
    too_large = sorted(((mb, name) for name, mb in needs if mb > enough), reverse=True)
    if not too_large:
        return
    (largest, name), others = too_large[0], len(too_large) - 1
    takes = "other job takes" if others == 1 else "other jobs take"
    more = f" ({others} {takes} too much, too)" if others else ""
    raise CoarsegrainError(
        f"{name} takes about {in_words(largest)} of memory{more}, and this machine has "
        f"{in_words(available)}. Choose smaller lattices or nets, or fewer members per job; or run "
        "it on a cluster whose nodes have as much."
    )


def in_words(megabytes: int) -> str:
    """Such as "27 TB"."""
    size, units = float(megabytes), ["MB", "GB", "TB", "PB", "EB"]
    while size >= 1000 and len(units) > 1:
        size, units = size / 1000, units[1:]
    return f"{size:.3g} {units[0]}"
