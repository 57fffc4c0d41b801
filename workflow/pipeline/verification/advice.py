"""What to do about damaged, missing, stale and foreign files, in commands that do it."""

import os
from collections.abc import Sequence
from pathlib import Path

from pipeline.staleness.judgement import State
from pipeline.verification.leftovers import Leftover
from pipeline.verification.outputs import Verdict, by_state
from pipeline.verification.text import SHOWN_PATHS


def advice(
    verdicts: Sequence[Verdict],
    left: Sequence[Leftover],
    preset: str = "",
    results: Path = Path("results"),
) -> str:
    """What to do, in the order in which to do it.

    Args:
        verdicts: on all outputs.
        left: what else is there.
        preset: the preset's name, if it is not the default one.
        results: the results folder.
    """
    states = by_state(verdicts)
    options = f" PRESET={preset}" if preset else ""
    said = []
    remade = {
        state.value: sum(each.remade for each in states[state])
        for state in (State.DAMAGED, State.STALE, State.MISSING)
    }
    if any(remade.values()):
        files = ", ".join(f"{number} {name}" for name, number in remade.items() if number)
        variants = any(
            each.remade and each.state.value in remade and _is_of_a_variant(each.path, results)
            for each in verdicts
        )
        target = "all" if variants else "run"  # `make run` makes no variants
        said.append(
            f"A run makes these again ({files}), and what is made from them.\n"
            f"    make {target}{options}"
        )
    left_out = [each for each in states[State.MISSING] if not each.remade]
    if left_out:
        said.append(
            "Ask for missing files by name: where all that is made from them is there, a plain "
            f'`make run` does not need them.\n    make run{options} ARGS="-- '
            f'{_named(left_out, "missing", options)}"'
        )
    if any(each.kind == "foreign" for each in left):
        said.append("No job reads the foreign files: keep, move or delete them.")
    return "\n".join(f"- {each}" for each in said) or "Nothing is to be done."


def _is_of_a_variant(path: str, results: Path) -> bool:
    """Whether a file lies in ``variants/`` or in ``tables/variants/``."""
    return "variants" in os.path.relpath(path, results).split(os.sep)[:2]


def _named(verdicts: Sequence[Verdict], name: str, options: str) -> str:
    """The paths, as words for a shell; for many of them a command that lists them."""
    paths = sorted(each.path for each in verdicts)
    if len(paths) > SHOWN_PATHS:
        return f"$(echo $(make -s verify{options} ARGS='--paths {name}'))"
    return " ".join(paths)
