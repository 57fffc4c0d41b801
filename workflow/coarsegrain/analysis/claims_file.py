"""The file of a study's claims: read, and refused by name where a claim cannot be judged.

    paper: who claims it
    study: the letter that ids begin with
    sweeps: the command that makes the variants which claims are about, if any are
    readings:                  sets of readings, by name: what a number in the paper may mean
      losses:
        hinge: {column: hinge}
    claims:
      - id: A1
        where, claim, published, figure
        paper                  if it is another one's claim than the file's
        not_tested: why        nothing else then, or
        statistic: {…}         see claim_statistics
        readings: [losses, {another: {…}}]
        for_each: a setting    all readings, once for each value that variants give it
        criterion: {…}         see criterion
        parts:                 instead of a criterion, where all of several things must hold
          training: {published: 0.347, criterion: {…}, rows: {split: train}}
        control: {what: words, criterion: {…}, …} or, if the number is exact, words
        rests_on: [nets]       whose trainings must have converged; a control has its own, too

Readings, parts and the control say only in what their statistic differs from the claim's;
a null removes what they would take over. A reading is laid over the claim's, a part or the control
over the reading. ``rows`` are merged column by column, where a null removes a column, too.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from coarsegrain.analysis.claim_statistics import Statistic, statistic
from coarsegrain.analysis.claims import Claim, Part
from coarsegrain.analysis.criterion import ClaimError, Criterion, criterion

# What "loss" may mean in a paper that does not say: a claim about one is judged in all of them.
LOSS_READINGS = {"hinge", "objective", "objective_all_layers"}
TEXTS = ("id", "where", "claim")
KEYS = {
    *TEXTS, "paper", "published", "figure", "not_tested", "statistic", "readings", "criterion",
    "parts", "control", "rests_on", "for_each",
}  # fmt: skip
Given = Mapping[str, Any]


def read_claims(path: Path) -> list[Claim]:
    """Read a file of claims, in its order.

    Raises:
        ClaimError: it is no such file, or a claim in it cannot be judged; a sentence names both.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ClaimError(f"{path} cannot be read as a file of claims: {error}.") from None
    if not isinstance(content, dict) or not {"paper", "study", "claims"} <= set(content):
        raise ClaimError(f"{path} is no file of claims: it needs paper, study and claims.")
    if not isinstance(content["claims"], list) or not content["claims"]:
        raise ClaimError(f"{path} is no file of claims: its claims are no list, or an empty one.")
    claims = []
    for number, given in enumerate(content["claims"], start=1):
        name = (
            given.get("id", f"number {number}") if isinstance(given, dict) else f"number {number}"
        )
        try:
            claims.append(_claim(given, content))
        except ClaimError as error:
            raise ClaimError(f"{path}, claim {name}: {error}") from None
        except (TypeError, ValueError, AttributeError) as error:
            raise ClaimError(
                f"{path}, claim {name} is not written as it should: {error}."
            ) from None
    ids = [claim.id for claim in claims]
    twice = sorted({each for each in ids if ids.count(each) > 1})
    if twice:
        raise ClaimError(f"{path} lists claim {', '.join(twice)} more than once.")
    return claims


def _claim(given: object, content: Given) -> Claim:
    if not isinstance(given, dict):
        raise ClaimError("it is not a claim but a bare value.")
    unknown = sorted(set(given) - KEYS)
    if unknown:
        raise ClaimError(
            f"it has {', '.join(unknown)}, which is none of {', '.join(sorted(KEYS))}."
        )
    for name in TEXTS:
        if not isinstance(given.get(name), str):
            raise ClaimError(f"it has no {name}.")
    if not given["id"].startswith(content["study"]):
        raise ClaimError(f"its id does not begin with the study's letter {content['study']}.")
    not_tested = given.get("not_tested", "")
    for name in ("statistic", "criterion", "parts"):
        if not_tested and name in given:
            raise ClaimError(f"it has {name} and says in not_tested why it has none; remove one.")
    readings = _readings(given, content)
    parts = () if not_tested else _parts(given, readings)
    control = given.get("control", "") if not_tested else _control(given, readings, parts)
    rests_on = _rests_on(given)
    of_control = _rests_on(given["control"]) if isinstance(control, Part) else ()
    numbers = [*parts, *([control] if isinstance(control, Part) else [])]
    trained = any(each.unit for part in numbers for each in part.statistic.values())
    if trained and "rests_on" not in given and not of_control:
        raise ClaimError("it counts members of nets; name the nets in rests_on (or the control's).")
    return Claim(
        id=given["id"],
        paper=str(given.get("paper", content["paper"])),
        where=given["where"],
        claim=given["claim"],
        published=given.get("published", ""),
        parts=parts,
        control=control,
        rests_on=rests_on,
        control_rests_on=of_control,
        figure=given.get("figure", ""),
        not_tested=not_tested,
        for_each=given.get("for_each", ""),
        sweeps=content.get("sweeps", ""),
    )


def _rests_on(given: Given) -> tuple[str, ...]:
    nets = given.get("rests_on", [])
    if not isinstance(nets, list) or not all(isinstance(each, str) for each in nets):
        raise ClaimError(f"its rests_on is {nets!r}; write a list of nets, as [Model-1].")
    return tuple(nets)


def _readings(given: Given, content: Given) -> dict[str, Given]:
    """What each reading changes, by its name."""
    found: dict[str, Given] = {}
    for each in given.get("readings", ()):
        if isinstance(each, str):
            if each not in content.get("readings", {}):
                raise ClaimError(f"there is no set of readings {each} at the top of the file.")
            each = content["readings"][each]
        found |= each
    return found or {"": {}}


def _parts(given: Given, readings: Mapping[str, Given]) -> tuple[Part, ...]:
    if not isinstance(given.get("statistic"), dict):
        raise ClaimError("it has no statistic; give one, or say in not_tested why there is none.")
    if ("parts" in given) == ("criterion" in given):
        raise ClaimError("it has no criterion (nor parts that have one each), or it has both.")
    if not given.get("parts", True):
        raise ClaimError("it has no parts; give some, or a criterion in their place.")
    made = []
    for name, part in given.get("parts", {"": {"criterion": given.get("criterion")}}).items():
        changes = {key: part[key] for key in part if key not in ("published", "criterion")}
        published = part.get("published", given.get("published", ""))
        asked = _criterion(part, f"part {name}" if name else "statistic")
        made.append(Part(name, published, _statistics(given, readings, changes), asked))
    columns = {each.column for part in made for each in part.statistic.values()}
    if columns & LOSS_READINGS and not columns >= LOSS_READINGS:
        raise ClaimError(
            "it is about a loss, which may mean three things; give it readings with the columns "
            f"{', '.join(sorted(LOSS_READINGS))}."
        )
    return tuple(made)


def _control(given: Given, readings: Mapping[str, Given], parts: tuple[Part, ...]) -> Part | str:
    control = given.get("control")
    if isinstance(control, str) and control:
        if all(each.exact for part in parts for each in part.statistic.values()):
            return control
        raise ClaimError("its control is only words, which is enough for exact numbers alone.")
    if not isinstance(control, dict) or not isinstance(control.get("what"), str):
        raise ClaimError("it has no control; give one, with what it is, a criterion and rows.")
    changes = {key: control[key] for key in control if key not in ("what", "criterion", "rests_on")}
    asked = _criterion(control, "control")
    return Part(control["what"], "", _statistics(given, readings, changes), asked)


def _statistics(
    given: Given, readings: Mapping[str, Given], changes: Given
) -> dict[str, Statistic]:
    """What a part or the control changes, in every reading."""
    return {
        reading: statistic(_over(_over(given["statistic"], change), changes))
        for reading, change in readings.items()
    }


def _criterion(given: Given, whose: str) -> Criterion:
    if not isinstance(given.get("criterion"), dict):
        raise ClaimError(f"its {whose} has no criterion.")
    return criterion(given["criterion"])


def _over(below: Given, above: Given) -> dict[str, Any]:
    """``above`` laid over ``below``; rows are merged, and a null takes one away."""
    merged = {**below, **above}
    if above.get("rows"):
        rows = {**(below.get("rows") or {}), **above["rows"]}
        merged["rows"] = {column: wanted for column, wanted in rows.items() if wanted is not None}
    return merged
