"""Variants: named changes of the config, by hand or on a grid.

A variant is the whole experiment with a few settings changed. It makes only what differs from the
base (see ``Study.folder``), so lattices and nets that the change does not touch are shared; and if
it says so, only some tables, of some nets (``Only``).
"""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, fields
from itertools import product
from typing import Any

from coarsegrain.errors import ConfigError
from pipeline.config import validated
from pipeline.studies.study import Config

#: Settings that belong to the experiment as a whole: its rules take them from its own config.
FIXED = (
    "results_dir", "studies", "variants", "sweeps",
    "device", "threads", "jobs_per_gpu", "checkpoint_minutes",
)  # fmt: skip
#: What the collected tables call the experiment itself.
BASE = "base"
#: What stands beside settings in a variant or a sweep, and is none: see ``Only``.
ONLY = "only"
#: What a point's name may be made of.
NAME = re.compile(r"[A-Za-z0-9._=+-]{1,150}")


@dataclass(frozen=True)
class Only:
    """What a variant makes, if not all: one that asks a single question needs no more.

    Attributes:
        tables: by name; None: all.
        nets: that its tables tell of, where they tell of several; None: all.
    """

    tables: Collection[str] | None = None
    nets: Collection[str] | None = None


@dataclass(frozen=True)
class Variant:
    """One variant.

    Attributes:
        name: of its folder.
        config: the whole config with its changes, validated.
        changes: the settings that it changes, by dotted key.
        only: what it makes.
    """

    name: str
    config: Config
    changes: Mapping[str, Any] = field(default_factory=dict)
    only: Only = field(default_factory=Only)

    def setting(self, key: str) -> Any:
        """The value of a dotted key in this variant; of a net in ``members_of`` as it counts."""
        section, _, net = key.partition(".")
        if section == "members_of" and net:
            return self.config["members_of"].get(net, self.config["members"])
        value: Any = self.config
        for name in key.split("."):
            value = value[name]
        return value

    @property
    def folder(self) -> str:
        """Where its results are, below the results' folder."""
        return f"variants/{self.name}/"


def variants_of(config: Config) -> list[Variant]:
    """All variants of a config: those of ``variants``, then the points of ``sweeps``.

    Raises:
        ConfigError: a name is none, a change names no key, or no value that is allowed; the
            sentence says of which variant.
    """
    for section in ("variants", "sweeps"):
        _refuse_what_is_no_text(section, config[section])
    for sweep, axes in config["sweeps"].items():
        _refuse_what_is_no_text(f"sweeps.{sweep}", axes)
    if BASE in config["variants"]:
        raise ConfigError(
            f"variants.{BASE} has the name of the experiment itself in tables/variants; rename it."
        )
    found = []
    for name, given in config["variants"].items():
        where = f"variants.{name}"
        only, changes = _only(where, given)
        found.append(_variant(config, where, name, dict(_leaves(changes)), only))
    for sweep, given in config["sweeps"].items():
        where = f"sweeps.{sweep}"
        only, axes = _only(where, given)
        for name, changes in _points(sweep, axes):
            found.append(_variant(config, where, name, changes, only))
    names = [each.name for each in found]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ConfigError(f"there are two variants of the name {twice[0]}; rename one.")
    return found


def _refuse_what_is_no_text(where: str, names: Mapping[Any, Any]) -> None:
    for name in names:
        if not isinstance(name, str):
            raise ConfigError(f"{where} has the name {name!r}, which is no text; put it in quotes.")


def _only(where: str, given: Mapping[str, Any]) -> tuple[Only, Mapping[str, Any]]:
    """What a variant or a sweep makes, and the settings that stand beside it."""
    settings = {key: value for key, value in given.items() if key != ONLY}
    only = given.get(ONLY, {})
    known = [each.name for each in fields(Only)]
    allowed = f"it must be lists of names, by {' or '.join(known)}."
    if not isinstance(only, Mapping) or not only.keys() <= set(known):
        raise ConfigError(f"{where}.{ONLY} is {only!r}; {allowed}")
    for key, names in only.items():
        if not isinstance(names, list) or not all(isinstance(each, str) for each in names):
            raise ConfigError(f"{where}.{ONLY}.{key} is {names!r}; {allowed}")
    if not settings:
        raise ConfigError(f"{where} changes no setting; add one beside {ONLY}.")
    return Only(**only), settings


def _points(sweep: str, axes: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The names and changes of a grid's points, the last axis fastest."""
    import pandas as pd
    from snakemake.utils import Paramspace

    points = list(product(*axes.values()))
    short = [key.rpartition(".")[2] for key in axes]
    unique = len(set(short)) == len(short)
    columns = short if unique else [key.replace(".", "_") for key in axes]
    texts = [[_as_text(value) for value in values] for values in points]
    grid = pd.DataFrame(texts, columns=columns, dtype=object)
    space = Paramspace(grid, filename_params="*", param_sep="=")
    for name, values in zip(space.instance_patterns, points):
        if not NAME.fullmatch(name):
            raise ConfigError(f"sweeps.{sweep} cannot name a folder after {name!r}.")
        yield f"{sweep}_{name}", dict(zip(axes, values))


def _as_text(value: Any) -> str:
    return "-".join(map(str, value)) if isinstance(value, list) else str(value)


def _variant(
    config: Config, where: str, name: str, changes: Mapping[str, Any], only: Only
) -> Variant:
    changed: Mapping[str, Any] = config
    for key, value in changes.items():
        if key.partition(".")[0] in FIXED:
            raise ConfigError(
                f"{where} changes {key}, which all variants have in common; change it for the "
                "whole experiment, or give this one a config and results_dir of its own."
            )
        changed = _laid_over(changed, key.split("."), value)
    whole = {**changed, "variants": {}, "sweeps": {}}
    known = whole.keys() - {key.partition(".")[0] for key in changes}
    try:
        return Variant(name, validated(whole, check_cuda=False, known=known), changes, only)
    except ConfigError as error:
        lines = [f"{where}: {line}" for line in str(error).splitlines()]
        raise ConfigError("\n".join(lines)) from None


def _laid_over(section: Any, path: list[str], value: Any) -> Any:
    """A copy of nested sections with one value changed."""
    first, *rest = path
    inner = section.get(first) if isinstance(section, Mapping) else None
    return {
        **(section if isinstance(section, Mapping) else {}),
        first: _laid_over(inner, rest, value) if rest else value,
    }


def _leaves(changes: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """The settings of nested sections, by dotted key."""
    for key, value in changes.items():
        if isinstance(value, Mapping) and value:
            yield from _leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value
