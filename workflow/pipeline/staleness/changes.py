"""In what two specs differ, in a few words."""

from collections.abc import Iterator, Mapping
from typing import Any

from coarsegrain.storage.refusal import one_line
from pipeline.spec import canonical_json

SHOWN_KEYS = 4
SHOWN_CHARACTERS = 40
_ABSENT = object()


def changed_keys(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """Each difference as ``"settings.l1: 1e-05 -> 0.0001"``, by key."""
    return [
        f"{one_line(key)}: {_shown(before)} -> {_shown(after)}"
        for key, before, after in _leaves(old, new)
    ]


def described(old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    """The first differences, and how many more there are."""
    changes = changed_keys(old, new)
    more = len(changes) - SHOWN_KEYS
    tail = [f"and {more} more"] if more > 0 else []
    return "; ".join([*changes[:SHOWN_KEYS], *tail])


def _leaves(old: Any, new: Any, name: str = "") -> Iterator[tuple[str, Any, Any]]:
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted({*old, *new}):
            whole = f"{name}.{key}" if name else key
            yield from _leaves(old.get(key, _ABSENT), new.get(key, _ABSENT), whole)
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for k, (before, after) in enumerate(zip(old, new)):
            yield from _leaves(before, after, f"{name}[{k}]")
    # As Snakemake compares them: 1 and 1.0 are equal to Python, and two specs.
    elif _text(old) != _text(new):
        yield name, old, new


def _text(value: Any) -> str:
    return "(none)" if value is _ABSENT else canonical_json(value)


def _shown(value: Any) -> str:
    text = _text(value)
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[: SHOWN_CHARACTERS - 1]}…"
