"""Runs of training steps as CUDA graphs.

A training step is a dozen short kernels, which a host launches more slowly than a GPU runs them.
A graph is captured once and then launched whole: the same kernels on the same addresses. So what is
captured may depend on nothing but the contents of tensors that stay where they are.
"""

from collections.abc import Callable, Sequence

import torch


def runs_of_steps(lattices: int, batch_size: int, longest: int) -> list[tuple[int, int]]:
    """Cut an epoch into runs of equal steps: at most three different ones, each a graph.

    Many of the longest, what is left of the full batches, and the smaller last batch if there is
    one. The last two are graphs as well, because steps launched one by one cost several times as
    much and a graph next to nothing.

    Args:
        lattices: of an epoch.
        batch_size: lattices of a step.
        longest: steps of a run, at most.
    Returns:
        (steps, batch) of every run, in their order.
    """
    full, last = divmod(lattices, batch_size)
    whole, left = divmod(full, longest)
    runs = [(longest, batch_size)] * whole
    runs += [(left, batch_size)] * (left > 0)
    return runs + [(1, last)] * (last > 0)


def captured(work: Callable[[], None], changed: Sequence[torch.Tensor]) -> Callable[[], None]:
    """Capture the kernels of ``work``.

    Args:
        work: launches kernels on the current stream; may not wait for them, nor copy from the host.
        changed: every tensor that outlives ``work`` and that it changes. It has to run once before
            the capture (cuBLAS sets itself up then); this leaves no trace in them.
    Returns:
        A function that launches those kernels again. It has effect on the same memory as
        ``work`` had, so all tensors that ``work`` uses must be kept as long as it is.
    """
    before = [each.clone() for each in changed]
    # As torch's notes on CUDA graphs say: warm up on another stream than the default one.
    side = torch.cuda.Stream()  # type: ignore[no-untyped-call]
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        work()
    torch.cuda.current_stream().wait_stream(side)
    for each, value in zip(changed, before):
        each.copy_(value)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        work()
    return graph.replay
