"""A config that notes which settings are read, so that a variant knows what it leaves alone."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

_MISSING = object()


class WatchedConfig(Mapping[str, Any]):
    """A config, or a section of one, that notes the dotted key of every setting that is read."""

    def __init__(
        self, section: Mapping[str, Any], prefix: str = "", notes: list[set[str]] | None = None
    ) -> None:
        self._section = section
        self._prefix = prefix
        self._notes: list[set[str]] = [set()] if notes is None else notes

    def __getitem__(self, key: str) -> Any:
        """A setting, which counts as read also if there is none; or a section."""
        value = self._section.get(key, _MISSING)
        if isinstance(value, Mapping) and value:
            return WatchedConfig(value, f"{self._prefix}{key}.", self._notes)
        self._notes[-1].add(self._prefix + key)
        if value is _MISSING:
            raise KeyError(key)
        return value

    def __iter__(self) -> Iterator[str]:
        """The keys."""
        return iter(self._section)

    def __len__(self) -> int:
        """How many there are."""
        return len(self._section)

    @contextmanager
    def noted(self) -> Iterator[set[str]]:
        """The settings that are read until the end of the block, which its caller reads, too."""
        found: set[str] = set()
        self._notes.append(found)
        try:
            yield found
        finally:
            self._notes.pop()
            self._notes[-1].update(found)

    def note(self, keys: Collection[str]) -> None:
        """Count settings as read."""
        self._notes[-1].update(keys)

    def read_so_far(self) -> frozenset[str]:
        """The settings that were read outside of all blocks."""
        return frozenset(self._notes[0])


def touches(changes: Collection[str], read: Collection[str]) -> bool:
    """Whether changed settings, by dotted key, are among those that were read, or contain them."""
    return any(
        f"{each}.".startswith(f"{key}.") or f"{key}.".startswith(f"{each}.")
        for key in changes
        for each in read
    )
