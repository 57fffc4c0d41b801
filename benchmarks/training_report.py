"""The tables of ``training.py``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

from tables import rounded, spread, table

if TYPE_CHECKING:
    from training import Measured


@dataclass(frozen=True)
class Target:
    """What the project set itself.

    Attributes:
        training: net and batch size.
        over: "eager", "the fastest of torch", or "" for steps per second.
        least: ratio or rate.
    """

    training: str
    over: str
    least: float

    def __str__(self) -> str:
        """For the table."""
        if self.over:
            return f"at least {self.least:g} × {self.over}"
        return f"at least {self.least:,.0f} steps/s"


FASTEST = "the fastest of torch"
EAGER = "torch, eager Adam"
TARGETS = (
    Target("CG, batch 10", "", 1500),
    Target("CG, batch 10", "", 2500),
    Target("CG, batch 10", FASTEST, 3),
    Target("Model-1, batch 10", EAGER, 2),
    Target("Model-2, batch 10", EAGER, 2),
    Target("AE-WR, batch 10", EAGER, 2),
    Target("Model-2, batch 100", EAGER, 2),
    Target("AE-WR, batch 100", EAGER, 1.3),
)


def speeds(measured: Sequence[Measured], names: Mapping[str, str]) -> str:
    """Steps per second."""
    rows = [
        [of.problem.name, f"**{spread(of.ours)}**", *(_cell(of, name, of.peers) for name in names)]
        for of in measured
    ]
    return table(["net", "coarsegrain", *names.values()], rows)


def ratios(measured: Sequence[Measured], names: Mapping[str, str]) -> str:
    """Ours over each peer."""
    rows = []
    for of in measured:
        over = {name: _over(of, rates) for name, rates in of.peers.items()}
        rows.append([of.problem.name, *(_cell(of, name, over) for name in names)])
    return table(["net", *names.values()], rows)


def targets(measured: Sequence[Measured]) -> str:
    """The project's targets, and what came out."""
    rows = []
    by_name = {of.problem.name: of for of in measured}
    for target in TARGETS:
        of = by_name.get(target.training)
        values = [] if of is None else _values(of, target)
        if not values:
            rows.append([target.training, str(target), "not measured", "–"])
            continue
        met = "met" if median(values) >= target.least else "**missed**"
        rows.append([target.training, str(target), spread(values), met])
    return table(["net", "target", "measured", ""], rows)


def _values(of: Measured, target: Target) -> list[float]:
    if not target.over:
        return of.ours
    if target.over == EAGER:
        return _over(of, of.peers["eager"]) if "eager" in of.peers else []
    torch = [rates for name, rates in of.peers.items() if name != "keras"]
    return _over(of, max(torch, key=median)) if torch else []


def bounds(measured: Sequence[Measured]) -> str:
    """Times of a step and of the parts that it cannot do without, in µs."""
    rows = [
        [
            of.problem.name,
            spread([1e6 / rate for rate in of.ours]),
            spread([1e6 * seconds for seconds in of.products]),
            spread([1e6 * seconds for seconds in of.adam]),
        ]
        for of in measured
    ]
    return table(["net", "a step, µs", "its matrix products, µs", "Adam's pass, µs"], rows)


def validation(measured: Sequence[Measured]) -> str:
    """What validation adds to an epoch."""
    rows = []
    for of in measured:
        shares = [100 * a / b for a, b in zip(of.evaluation, of.epoch, strict=True)]
        number = f"{len(of.problem.member.validation[0]):,}"
        milliseconds = spread([1e3 * seconds for seconds in of.evaluation])
        rows.append([of.problem.name, number, milliseconds, f"{rounded(median(shares), 2)} %"])
    return table(["net", "lattices", "ms", "of the epoch's steps"], rows)


def agreements(measured: Sequence[Measured], names: Mapping[str, str]) -> str:
    """How far weights are off."""
    rows = [
        [of.problem.name, *(str(of.agreements.get(name, "–")) for name in names)] for of in measured
    ]
    return table(["net", *names.values()], rows)


def _over(of: Measured, rates: Sequence[float]) -> list[float]:
    return [a / b for a, b in zip(of.ours, rates, strict=True)]


def _cell(of: Measured, name: str, values: Mapping[str, list[float]]) -> str:
    return spread(values[name]) if name in values else of.refused[name]
