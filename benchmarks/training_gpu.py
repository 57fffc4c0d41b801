"""Training steps per second on a GPU: ours for one member and for three side by side, and torch."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace

import torch

from coarsegrain.nets.training import Member, TrainingSettings, train_members
from coarsegrain.training.batches import epoch_order
from tables import spread, table
from training_peers import Torch
from training_problems import Problem, problems

MEMBERS = (1, 3)
NETS = ("CG", "Model-1", "Model-2", "AE-WR")


def gpu(L: int, lattices: int, repetitions: int) -> str:
    """Steps per second of every member on a CUDA device, by the clock, if there is one."""
    if not torch.cuda.is_available():
        return "GPU: not measured (no CUDA device)."
    rows = []
    for problem in problems(L, lattices, lattices, NETS):
        ours = [_member_steps(problem, number, repetitions) for number in MEMBERS]
        theirs = [_torch_steps(problem, fused, repetitions) for fused in (None, True)]
        rows.append([problem.name, *map(spread, ours), *map(spread, theirs)])
    header = ["net", *(f"coarsegrain, {number} member(s), steps of all" for number in MEMBERS)]
    text = table([*header, "torch, eager Adam", "torch, fused Adam"], rows)
    return f"GPU: {torch.cuda.get_device_name()}, by the clock, validation included.\n\n{text}"


def _member_steps(problem: Problem, number: int, repetitions: int) -> list[float]:
    """Steps per second of all members together, from the difference of two trainings' lengths."""
    members = [replace(problem.member, seed=seed) for seed in range(number)]
    steps = -(-len(problem.member.data[0]) // problem.settings.batch_size)
    short, long = (replace(problem.settings, epochs=epochs) for epochs in (1, 4))
    _train(members, short, problem.frozen)  # compiles

    def rate() -> float:
        seconds = [
            _seconds(lambda s=settings: _train(members, s, problem.frozen))
            for settings in (short, long)
        ]
        return number * steps * (long.epochs - short.epochs) / (seconds[1] - seconds[0])

    return [rate() for _ in range(repetitions)]


def _train(members: Sequence[Member], settings: TrainingSettings, frozen: int) -> None:
    train_members(members, settings, frozen=frozen, device="cuda")


def _torch_steps(problem: Problem, fused: bool | None, repetitions: int) -> list[float]:
    peer = Torch(problem, fused=fused, compiled=False, device="cuda")
    batch_size = problem.settings.batch_size
    order = epoch_order(1, 1, len(problem.member.data[0]))[: 500 * batch_size]
    peer.train(order[: 20 * batch_size])
    steps = -(-len(order) // batch_size)
    return [steps / _seconds(lambda: peer.train(order)) for _ in range(repetitions)]


def _seconds(work: Callable[[], object]) -> float:
    torch.cuda.synchronize()
    start = time.perf_counter()
    work()
    torch.cuda.synchronize()
    return time.perf_counter() - start
