"""What a study is: recipes of all that it makes, as pure functions of a config.

A rule, its stage and the method of its study that gives the recipe have one name: rule
``train_net`` runs ``stages.autoencoder.train_net`` as ``Autoencoder.train_net`` says.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from functools import cached_property, update_wrapper
from typing import Any, ClassVar, Concatenate, ParamSpec, Self, TypeVar

from coarsegrain.errors import ConfigError
from pipeline.spec import derived_seed
from pipeline.studies.settings import WatchedConfig, touches

Config = Mapping[str, Any]
#: Files by the stage's option.
Files = Mapping[str, str | Sequence[str]]


@dataclass(frozen=True)
class Recipe:
    """What decides the result of a job.

    Attributes:
        inputs: the files that the stage reads, by its options.
        spec: what the stage is to compute.
        waits_for: files that must be there and whose content decides nothing: certificates.
        parts: files of which the stage may take the result instead of computing it, by its
            options: the same bytes, so they decide nothing either.
    """

    inputs: Files = field(default_factory=dict)
    spec: Mapping[str, Any] = field(default_factory=dict)
    waits_for: Sequence[str] = ()
    parts: Files = field(default_factory=dict, compare=False)


@dataclass(frozen=True)
class LatticeSet:
    """What a set of lattices holds.

    Attributes:
        L: their linear size, in sites.
        betas: their inverse temperatures, as the spec of ``sample_lattices`` has them.
        method: how they are sampled, if the config does not decide it.
    """

    L: int
    betas: Mapping[str, Any]
    method: str = ""


@dataclass(frozen=True)
class Figure:
    """A figure as the report lists it.

    Attributes:
        name: of its files, its rule (``plot_<name>``) and its caption.
        subject: the heading under which it is listed.
        remakes: the figures of the paper that it remakes, e.g. ``"Figure 13"``.
    """

    name: str
    subject: str
    remakes: str = ""

    @property
    def label(self) -> str:
        """What the report calls it."""
        name = self.name.replace("_", " ")
        return f"{name} ({self.remakes})" if self.remakes else name


S = TypeVar("S", bound="Study")
P = ParamSpec("P")
R = TypeVar("R")


def once(method: Callable[Concatenate[S, P], R]) -> Callable[Concatenate[S, P], R]:
    """Have a study work a recipe out once: others' recipes ask for it again and again."""

    def known(study: S, /, *args: P.args, **kwargs: P.kwargs) -> R:
        key = (method.__name__, *args, *sorted(kwargs.items()))
        watched = study.watched
        if key not in study.known:
            noted: AbstractContextManager[set[str]]
            noted = watched.noted() if watched else nullcontext(set())
            with noted as read:
                value = method(study, *args, **kwargs)
            study.known[key] = value, read
        elif watched:
            watched.note(study.known[key][1])
        found: R = study.known[key][0]
        return found

    return update_wrapper(known, method)


class Study:
    """One study under one config: the experiment's own, or a variant of it.

    What a variant would make from the same recipe as the base is the base's file: a variant makes
    only what differs. ``folder`` decides that, by comparing recipes; since recipes hold the paths
    of inputs, it follows from the first difference on. What reads none of the changed settings need
    not be compared.
    """

    #: Of its rules, stages, figures, captions and claims.
    name: ClassVar[str]
    #: Its heading in the report.
    title: ClassVar[str]
    figures: ClassVar[Sequence[Figure]] = ()
    #: Names of its tables, each with the method that gives its recipe.
    tables: ClassVar[Mapping[str, str]] = {}
    #: The tables that variants make; None: all of them.
    varied: ClassVar[Collection[str] | None] = None
    #: The nets that its tables tell of, where they tell of several; None: all of them. A variant
    #: may ask for a few (``variants.Only``).
    told: Collection[str] | None = None
    #: Figures over all variants, each with the table that it plots, if any variant makes it.
    figures_of_variants: ClassVar[Mapping[str, str]] = {}

    def __init__(
        self,
        config: Config,
        variant: str = "",
        base: Self | None = None,
        changes: Collection[str] = (),
    ) -> None:
        """Make the study.

        Args:
            config: validated; a ``WatchedConfig`` if there are to be variants of the study.
            variant: where a variant's results are, below the results' folder: ``variants/<name>/``;
                nothing for the base.
            base: the same study without the variant's changes.
            changes: the settings that the variant changes, by dotted key.
        """
        self.config = config
        self.variant = variant
        self.base = base
        self.changes = changes
        self.watched = config if isinstance(config, WatchedConfig) else None
        #: What was worked out, by method and arguments, and the settings that it depends on.
        self.known: dict[tuple[object, ...], tuple[Any, set[str]]] = {}

    def seed(self, purpose: str, **keys: str | int) -> int:
        """A seed of its own for one purpose."""
        return derived_seed(self.config["seed"], purpose, **keys)

    @once
    def folder(self, recipe: str, *arguments: Any) -> str:
        """Where a result is: with the base if it has the same recipe, else with the variant.

        Args:
            recipe: the method that gives it.
            arguments: of the method.
        """
        if self.base is None and self.watched:
            getattr(self, recipe)(*arguments)  # so that it is known what it depends on
        if self.base is not None and self._is_the_bases(recipe, arguments):
            return self.base.folder(recipe, *arguments)
        return f"{self.config['results_dir']}/{self.variant}"

    def _is_the_bases(self, recipe: str, arguments: tuple[Any, ...]) -> bool:
        assert self.base is not None
        try:
            if not touches(self.changes, self.base.depends_on(recipe, *arguments)):
                return True
            mine, other = (getattr(each, recipe)(*arguments) for each in (self, self.base))
        except (KeyError, ConfigError):  # the base knows no such net
            return False
        return bool(mine == other)

    def depends_on(self, recipe: str, *arguments: Any) -> set[str]:
        """The settings on which a result depends, by dotted key; of a study that is watched."""
        self.folder(recipe, *arguments)
        return self.known["folder", recipe, *arguments][1] | self.always

    @cached_property
    def always(self) -> frozenset[str]:
        """The settings on which all results depend: those that were read to make the study."""
        return self.watched.read_so_far() if self.watched else frozenset()

    def table(self, name: str) -> str:
        """The path of a table."""
        return f"{self.folder(self.tables[name])}tables/{name}.csv"

    def nets_to_tell_of(self) -> list[str]:
        """The names that ``told`` may have."""
        return []

    def lattice_sets(self) -> list[str]:
        """The sets of lattices that it uses, by name."""
        return []

    def lattice_set_of(self, name: str) -> LatticeSet | None:
        """What a set of lattices holds; None: it is not of this study."""
        return None


def evenly_spaced(low: float, high: float, number: int) -> Sequence[float]:
    """So many numbers from ``low`` to ``high``, both included."""
    return [round(low + k * (high - low) / (number - 1), 12) for k in range(number)]
