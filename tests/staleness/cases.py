"""The cases of the matrix, and how what was selected is compared with what should be."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from edits import significant
from recording import Recording

from planning import PlannedJob

# The rules that train: of the shallow nets, of the models, and all of them.
TRAIN_NET = "train_net"
TRAINING = {TRAIN_NET}


@dataclass(frozen=True)
class FileEdit:
    """Files that are edited before a dry run."""

    names: tuple[str, ...]
    edit: Callable[[str], str] | None = None
    arguments: tuple[str, ...] = ()

    def changes(self) -> dict[str, Any]:
        """For ``Planner.plan``."""
        return {"edits": {name: self.edit or significant(name) for name in self.names}}

    def __str__(self) -> str:
        return self.names[0].removeprefix("workflow/") if len(self.names) == 1 else "all"


@dataclass(frozen=True)
class NewSetting:
    """A key of the config that gets another value before a dry run.

    Attributes:
        key: with dots.
        values: JSON of all settings that change with it, by key.
        arguments: of Snakemake.
    """

    key: str
    values: str
    arguments: tuple[str, ...] = ()

    def changes(self) -> dict[str, Any]:
        """For ``Planner.plan``."""
        settings: dict[str, Any] = {}
        for key, value in json.loads(self.values).items():
            *sections, name = key.split(".")
            section = settings
            for each in sections:
                section = section.setdefault(each, {})
            section[name] = value
        return {"settings": settings}

    def __str__(self) -> str:
        return self.key


@dataclass(frozen=True)
class VariantOf:
    """A variant that changes a setting, with all that variants make as the target."""

    setting: NewSetting
    arguments: tuple[str, ...] = ("variants",)

    @property
    def key(self) -> str:
        """Of the setting."""
        return self.setting.key

    def changes(self) -> dict[str, Any]:
        """For ``Planner.plan``."""
        return {"settings": {"variants": {"a": self.setting.changes()["settings"]}}}

    def __str__(self) -> str:
        return f"variant of {self.key}"


def assert_exactly(selected: list[PlannedJob], expected: set[str], recording: Recording) -> None:
    """Neither a job too few nor one too many; both are told by name, with Snakemake's reason."""
    names = {recording.name_of(job.outputs): job for job in selected}
    missed = sorted(expected - names.keys())
    spurious = [f"{name} ({names[name].reason})" for name in sorted(names.keys() - expected)]
    assert not missed, f"{len(missed)} stale jobs were not selected:\n" + "\n".join(missed)
    assert not spurious, f"{len(spurious)} jobs are not stale:\n" + "\n".join(spurious)
