"""What to do about damaged, missing and stale files, in commands that do it.

Snakemake (9.27) trusts what is there: a damaged file it computes from, a missing file between
finished ones it leaves missing, and of changed specs it knows from ``.snakemake/`` alone.
``Verdict.remade`` tells what it would do in each case.
"""

from collections.abc import Sequence

from pipeline.verification.leftovers import Leftover
from pipeline.verification.outputs import State, Verdict, by_state
from pipeline.verification.text import BROKEN, SHOWN_PATHS, count


def advice(
    verdicts: Sequence[Verdict], left: Sequence[Leftover], forgotten: int = 0, preset: str = ""
) -> str:
    """What to do, in the order in which to do it.

    Args:
        verdicts: on all outputs.
        left: what else is there.
        forgotten: number of outputs of which ``.snakemake/`` knows nothing.
        preset: the preset's name, if it is not the default one.
    """
    states = by_state(verdicts)
    options = f" PRESET={preset}" if preset else ""
    said = [
        *_about_bytes(states[State.DAMAGED], states[State.MISSING], options),
        *_about_changes(states[State.STALE], states[State.MISSING], options),
    ]
    if said:
        said.append("Verify again then: what was waiting is fine if the same bytes came out.")
    if any(each.kind == "foreign" for each in left):
        said.append("No job reads the foreign files: keep, move or delete them.")
    again = sum(each.remade for each in states[State.FINE])
    if not any(states[each] for each in BROKEN) and (again or forgotten):
        known = f"knows nothing of {count(forgotten)}, and would not notice a change of config"
        times = f"would make {count(again)} again, by their times"
        what = "; it ".join([known] * bool(forgotten) + [times] * bool(again))
        said.append(
            f"The files are fine, but Snakemake {what}. Have it take them as they are, now, before "
            f'config or code change.\n    make run{options} ARGS="--touch --forceall"'
        )
    return "\n".join(f"- {each}" for each in said) or "Nothing is to be done."


def _about_bytes(damaged: Sequence[Verdict], missing: Sequence[Verdict], options: str) -> list[str]:
    said = []
    if damaged:
        said.append(
            "Delete the damaged files: Snakemake takes them for good, and would compute from them."
            f"\n    rm {_named(damaged, 'damaged', options)}"
        )
    unnoticed = [each for each in missing if not each.remade]
    if damaged or unnoticed:
        # By then the damaged files are missing too.
        words = _named([*damaged, *unnoticed], "missing", options)
        said.append(
            "Ask for deleted and missing files by name: where all that is made from them is there, "
            f'a plain `make run` does not.\n    make run{options} ARGS="-- {words}"'
        )
    return said


def _about_changes(stale: Sequence[Verdict], missing: Sequence[Verdict], options: str) -> list[str]:
    said = []
    noticed = {
        name: sum(each.remade for each in some)
        for name, some in (("stale", stale), ("missing", missing))
    }
    if any(noticed.values()):
        files = " and ".join(f"{number} {name}" for name, number in noticed.items() if number)
        said.append(f"Snakemake makes {files} by itself.\n    make run{options}")
    forced = [each for each in stale if not each.remade]
    if forced:
        said.append(
            f"Snakemake does not know of {len(forced)} stale (is .snakemake/ gone, or from "
            "elsewhere?). Force it; what is made from them follows.\n"
            f'    make run{options} ARGS="--forcerun {_named(forced, "stale", options)}"'
        )
    return said


def _named(verdicts: Sequence[Verdict], name: str, options: str) -> str:
    """The paths, as words for a shell; for many of them a command that lists them."""
    paths = sorted(each.path for each in verdicts)
    if len(paths) > SHOWN_PATHS:
        return f"$(echo $(make -s verify{options} ARGS='--paths {name}'))"
    return " ".join(paths)
