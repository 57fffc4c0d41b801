"""The verdicts in words: what is what, and how many there are of each."""

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from pipeline.staleness.judgement import State
from pipeline.verification.leftovers import Leftover
from pipeline.verification.outputs import Verdict

# Longer lists are cut; --paths gives them whole.
SHOWN_PATHS = 20
MEANINGS = {
    "damaged": "not what was once written there",
    "missing": "not there",
    "stale": "made by other code, to another spec or from other files than now",
    "waiting": "as they were made, but something before them must be made again",
    "foreign": "no output of this config",
    "fine": "bytes, spec, code and inputs agree with the sidecar",
}
BROKEN = (State.DAMAGED, State.MISSING, State.STALE, State.WAITING)


def all_fine(verdicts: Sequence[Verdict], left: Sequence[Leftover]) -> bool:
    """Whether nothing is to be done: logs, checkpoints and the like do not count."""
    return not any(each.state in BROKEN for each in verdicts) and not any(
        each.kind == "foreign" for each in left
    )


def paths_by_class(
    verdicts: Sequence[Verdict], left: Sequence[Leftover]
) -> dict[str, list[tuple[str, str]]]:
    """Of each class, the files with the reason for it, sorted."""
    found: dict[str, list[tuple[str, str]]] = {name: [] for name in MEANINGS}
    for verdict in verdicts:
        found[verdict.state.value].append((verdict.path, "; ".join(verdict.reasons)))
    for each in left:
        if each.kind == "foreign":
            found["foreign"].append((each.path, each.origin))
    return {name: sorted(files) for name, files in found.items()}


def report(results: Path, verdicts: Sequence[Verdict], left: Sequence[Leftover]) -> str:
    """All that is to be said of a results folder."""
    classes = paths_by_class(verdicts, left)
    lines: list[str] = []
    for name, files in classes.items():
        if files and name != "fine":
            lines += [f"{name}: {count(len(files))}, {MEANINGS[name]}"]
            lines += [*_by_reason(files), ""]
    if not results.is_dir():
        lines += [f"There is no folder {results}.", ""]
    lines += [f"{results}: " + (", ".join(f"{len(f)} {n}" for n, f in classes.items() if f))]
    accepted = Counter(each.accepted for each in verdicts if each.accepted)
    for (stage, day), number in sorted(accepted.items()):
        lines.append(f"of these, accepted on {day} as made by other code of {stage}: {number}")
    aside = Counter(each.kind for each in left if each.kind != "foreign")
    if aside:
        lines.append("left aside: " + ", ".join(f"{aside[kind]} {kind}" for kind in sorted(aside)))
    return "\n".join(lines)


def count(files: int) -> str:
    """``"1 file"``, ``"2 files"``."""
    return "1 file" if files == 1 else f"{files} files"


def _by_reason(files: Iterable[tuple[str, str]]) -> list[str]:
    groups: dict[str, list[str]] = {}
    for path, reason in files:
        groups.setdefault(reason, []).append(path)
    lines = []
    for reason, paths in groups.items():
        if reason:
            lines.append(f"  {reason}" + (f" ({len(paths)})" if len(groups) > 1 else ""))
        lines += [f"    {path}" for path in paths[:SHOWN_PATHS]]
        if len(paths) > SHOWN_PATHS:
            lines.append(f"    and {len(paths) - SHOWN_PATHS} more")
    return lines
