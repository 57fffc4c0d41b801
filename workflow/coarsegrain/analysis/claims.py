"""Verdicts on published claims: each claim's file against a run's tables.

A claim holds only if all its parts do, in all its readings. What each verdict means:

    reproduced        it holds, and the control does not show the same
    not reproduced    it fails in every reading
    depends           its readings disagree, or the control shows the same effect
    undecided         an interval contains a criterion's edge or a number is missing (the claim's
                      or, where it holds, the control's), or a training that these rest on has not
                      converged
    not tested        there is nothing to test it with; the reason says what is missing
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple, get_args

import pandas as pd

from coarsegrain.analysis.claim_convergence import told_of, waiting_for
from coarsegrain.analysis.claim_rows import NoNumber, Tables
from coarsegrain.analysis.claim_statistics import Statistic, measure
from coarsegrain.analysis.claim_variants import VARIANTS, Selection, values_of
from coarsegrain.analysis.criterion import Answer, ClaimError, Criterion
from coarsegrain.analysis.intervals import Interval

Verdict = Literal["reproduced", "not reproduced", "depends", "undecided", "not tested"]
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)
COLUMNS = (
    "id", "paper", "where", "claim", "published", "measured", "low", "high", "interval",
    "criterion", "control", "control_value", "verdict", "reason", "figure",
)  # fmt: skip
# In the reason, before the verdict that a claim would have if its trainings had converged.
AS_IT_STANDS = "as it stands: "
#: Below the results folder, the verdicts that are told from variants, too.
OF_VARIANTS = "tables/variants/claims.csv"
NOTHING = Interval(float("nan"), float("nan"), float("nan"))


class Part(NamedTuple):
    """One number that a claim asks something of.

    Attributes:
        name: what it is; empty if the claim has one part.
        published: the paper's value or words.
        statistic: by reading.
        criterion: what is asked.
    """

    name: str
    published: float | str
    statistic: Mapping[str, Statistic]
    criterion: Criterion

    @property
    def asked(self) -> str:
        """Criterion in words, after the name if there is one."""
        return ": ".join(filter(None, (self.name, self.criterion.words)))


@dataclass(frozen=True)
class Claim:
    """A published claim and how it is judged.

    Attributes:
        id: such as A1.
        paper: who claims it.
        where: section and figure.
        claim: what, in a few words.
        published: the paper's value or words.
        parts: what must hold, all of it; none if it is not tested.
        control: a part that must not hold, or words why there is none.
        rests_on: nets whose trainings must have converged; "CG-*" means all whose name begins so.
        control_rests_on: the same of the control, which is asked only where the claim holds.
        for_each: a column that multiplies the readings: one for each value that it has; or "".
        figure: the figure that shows it, or "".
        not_tested: why not; empty if it is.
        sweeps: the command that makes the variants which claims of its file are about, or "".
    """

    id: str
    paper: str
    where: str
    claim: str
    published: float | str
    parts: tuple[Part, ...]
    control: Part | str
    rests_on: tuple[str, ...]
    control_rests_on: tuple[str, ...]
    figure: str
    not_tested: str
    for_each: str = ""
    sweeps: str = ""

    @property
    def readings(self) -> tuple[str, ...]:
        """Names of what the claim's number may mean; one without a name if it is clear."""
        return tuple(self.parts[0].statistic)

    @property
    def is_about_variants(self) -> bool:
        """Whether any of its numbers is from tables of variants."""
        statistics = [each for part in self.parts for each in part.statistic.values()]
        return any(each.table.startswith(VARIANTS) for each in statistics)

    def at_each_value(self, tables: Tables) -> "Claim":
        """The claim with its readings multiplied by the values of ``for_each``.

        Raises:
            NoNumber: the tables do not have several values.
        """
        if not self.for_each:
            return self
        first = self.parts[0].statistic[self.readings[0]]
        values = values_of(first.selections[0], self.for_each, tables)
        control = self.control
        return replace(
            self,
            parts=tuple(_multiplied(part, self.for_each, values) for part in self.parts),
            control=(
                _multiplied(control, self.for_each, values)
                if isinstance(control, Part)
                else control
            ),
        )


def _multiplied(part: Part, column: str, values: Sequence[Any]) -> Part:
    """A part in each of its readings at each value of a column."""
    return part._replace(
        statistic={
            ", ".join(filter(None, (reading, f"{column} {value}"))): replace(
                made, rows={**made.rows, column: value}
            )
            for reading, made in part.statistic.items()
            for value in values
        }
    )


class Finding(NamedTuple):
    """What the tables say of one part in one reading."""

    part: Part
    reading: str
    interval: Interval
    answer: Answer | Literal["not tested"]
    problem: str = ""

    def __str__(self) -> str:  # noqa: D105
        names = ", ".join(filter(None, (self.reading, self.part.name)))
        value = self.problem or str(self.interval)
        return f"{names}: {value} ({self.answer})" if names else f"{value} ({self.answer})"


def verdicts(claims: Sequence[Claim], tables: Tables) -> pd.DataFrame:
    """One row per claim, with ``COLUMNS``.

    Args:
        claims: in the order of the rows.
        tables: by the names that the claims use, and ``convergence``.
    Raises:
        ClaimError: a claim asks for what no table has; the sentence names the claim.
    """
    return pd.DataFrame([_row(claim, tables) for claim in claims], columns=list(COLUMNS))


def _row(claim: Claim, tables: Tables) -> dict[str, object]:
    try:
        verdict, reason, shown, control = _judged(claim, tables)
    except ClaimError as error:
        raise ClaimError(f"claim {claim.id}: {error}") from None
    interval = NOTHING if shown is None else shown.interval
    words = claim.control if isinstance(claim.control, str) else claim.control.asked
    return {
        "id": claim.id,
        "paper": claim.paper,
        "where": claim.where,
        "claim": claim.claim,
        "published": claim.published if shown is None else shown.part.published,
        "measured": interval.value,
        "low": interval.low,
        "high": interval.high,
        "interval": "" if shown is None else shown.part.statistic[shown.reading].interval,
        "criterion": "" if shown is None else shown.part.asked,
        "control": words,
        "control_value": NOTHING.value if control is None else control.interval.value,
        "verdict": verdict,
        "reason": reason,
        "figure": claim.figure,
    }


def _judged(claim: Claim, tables: Tables) -> tuple[Verdict, str, Finding | None, Finding | None]:
    """The verdict, its reason, the finding that stands for the claim, and the control's."""
    if claim.not_tested:
        return "not tested", claim.not_tested, None, None
    try:
        claim = claim.at_each_value(tables)
    except NoNumber as error:
        return "not tested", _untested(claim, str(error)), None, None
    by_reading = {
        reading: [_found(part, reading, tables) for part in claim.parts]
        for reading in claim.readings
    }
    everything = [finding for each in by_reading.values() for finding in each]
    untested = next((each for each in everything if each.answer == "not tested"), None)
    if untested:
        return "not tested", _untested(claim, untested.problem), None, None
    deciding = {reading: _deciding(findings) for reading, findings in by_reading.items()}
    controls = (
        {reading: _found(claim.control, reading, tables) for reading in claim.readings}
        if isinstance(claim.control, Part)
        else {}
    )
    control = next(iter(controls.values()), None)
    verdict, reason = _by_answers(by_reading, deciding, controls)
    unclear = [each for each in deciding.values() if each.answer == "cannot be told"]
    shown = (unclear if verdict == "undecided" and unclear else list(deciding.values()))[0]
    asks_the_control = {each.answer for each in deciding.values()} == {"holds"}
    resting = [(claim.rests_on, claim.parts)]
    if asks_the_control and isinstance(claim.control, Part):
        resting.append((claim.control_rests_on, (claim.control,)))
    waiting = told_of(
        [waiting_for(nets, _selections(parts), tables) for nets, parts in resting if nets]
    )
    if waiting and verdict != "undecided":
        verdict, reason = "undecided", f"{waiting}; {AS_IT_STANDS}{verdict}, {reason}"
    elif waiting:
        reason = f"{reason}; {waiting}"
    return verdict, reason, shown, control


def _untested(claim: Claim, problem: str) -> str:
    """Why a claim is not tested, and what makes the variants that it is about."""
    if claim.is_about_variants and claim.sweeps:
        return f"{problem}; `{claim.sweeps}` makes them, with verdicts in {OF_VARIANTS}"
    return problem


def _selections(parts: Sequence[Part]) -> list[Selection]:
    """All rows that numbers of a claim are made of."""
    return [each for part in parts for made in part.statistic.values() for each in made.selections]


def _found(part: Part, reading: str, tables: Tables) -> Finding:
    try:
        interval = measure(part.statistic[reading], tables)
    except NoNumber as error:
        return Finding(part, reading, NOTHING, error.means, str(error))
    return Finding(part, reading, interval, part.criterion.answer(interval))


def _deciding(findings: list[Finding]) -> Finding:
    """The finding that decides a reading: the first that fails, else is unclear, else the first."""
    for answer in ("fails", "cannot be told"):
        for finding in findings:
            if finding.answer == answer:
                return finding
    return findings[0]


def _by_answers(
    by_reading: Mapping[str, list[Finding]],
    deciding: Mapping[str, Finding],
    controls: Mapping[str, Finding],
) -> tuple[Verdict, str]:
    answers = {finding.answer for finding in deciding.values()}
    told = "; ".join(
        str(finding)
        for reading, one in deciding.items()
        for finding in (by_reading[reading] if one.answer == "holds" else [one])
    )
    if {"holds", "fails"} <= answers:
        return "depends", f"on the reading: {told}"
    if "cannot be told" in answers:
        on_an_edge = any(
            one.answer == "cannot be told" and not one.problem for one in deciding.values()
        )
        why = "an interval contains the criterion's edge" if on_an_edge else "a number is missing"
        return "undecided", f"{why}: {told}"
    if answers == {"fails"}:
        return "not reproduced", told
    by_control: dict[str, tuple[Verdict, str]] = {
        "holds": ("depends", "the control shows the same"),
        "cannot be told": ("undecided", "whether the control shows the same cannot be told"),
        "not tested": ("undecided", "the control was not measured"),
    }
    for answer, (verdict, words) in by_control.items():
        for finding in controls.values():
            if finding.answer == answer:
                return verdict, f"{words}: {finding}; the claim: {told}"
    return "reproduced", told
