"""All studies under one config, and what is made of all of them together."""

from collections.abc import Collection, Mapping, Sequence
from functools import cached_property
from typing import Any

from coarsegrain.errors import ConfigError
from pipeline.digest import WORKFLOW
from pipeline.studies.autoencoder import Autoencoder
from pipeline.studies.lattices import Lattices
from pipeline.studies.neuralrg import NeuralRG
from pipeline.studies.rbm import BoltzmannMachines
from pipeline.studies.settings import WatchedConfig
from pipeline.studies.study import Config, Figure, Recipe, Study
from pipeline.studies.variants import BASE, ONLY, Variant, variants_of

#: The studies that use lattices, in the order of the report.
STUDIES = (Autoencoder, BoltzmannMachines, NeuralRG)
CAPTIONS = WORKFLOW / "report"
CLAIMS = WORKFLOW / "claims"


class Experiment:
    """All studies under one config: the experiment's own, or a variant of it."""

    def __init__(
        self, config: Config, variant: Variant | None = None, base: "Experiment | None" = None
    ) -> None:
        """Make all studies.

        Args:
            config: validated; of a variant its own.
            variant: if it is one.
            base: what it is a variant of.
        """
        self.config = config
        #: Names of the tables that a variant makes; None: all.
        self._made: Collection[str] | None = None
        self.variant = variant.folder if variant else ""
        seen = config if variant else WatchedConfig(config)
        changes = list(variant.changes) if variant else []

        def made(kind: Any, **more: Any) -> Any:
            of_base = base.studies[kind.name] if base else None
            return kind(seen, self.variant, of_base, changes, **more)

        self.lattices: Lattices = made(Lattices)
        users = [
            made(kind, lattices=self.lattices) for kind in STUDIES if kind.name in config["studies"]
        ]
        self.lattices.users = users
        #: By name.
        self.studies: Mapping[str, Any] = {each.name: each for each in [*users, self.lattices]}
        if variant:
            self._make_only(variant)
        for study in self.studies.values():
            assert study.always is not None  # before any recipe is asked for
        #: Each with all its studies; of a variant none.
        self.variants = [
            (each, Experiment(each.config, each, self)) for each in variants_of(config)
        ]

    def _make_only(self, variant: Variant) -> None:
        """Restrict the studies to what a variant makes, if it says so.

        Raises:
            ConfigError: it names a table or a net that there is not.
        """
        made: Sequence[Study] = list(self.studies.values())
        tables = [name for study in made for name in study.tables]
        nets = [name for study in made for name in study.nets_to_tell_of()]
        for kind, asked, known in (
            ("tables", variant.only.tables, tables),
            ("nets", variant.only.nets, nets),
        ):
            for name in asked or ():
                if name not in known:
                    raise ConfigError(
                        f"variant {variant.name}: {ONLY}.{kind} names {name!r}, which is none of "
                        f"{', '.join(known)}."
                    )
        self._made = variant.only.tables
        for study in made:
            study.told = variant.only.nets

    def recipe(self, name: str, arguments: Mapping[str, str | int]) -> Recipe:
        """The recipe of a job.

        Args:
            name: of the study and its method, ``"autoencoder.train_net"``; of what is made of all
                studies the method alone.
            arguments: of the method.
        """
        study, _, method = name.rpartition(".")
        owner = self.studies[study] if study else self
        found: Recipe = getattr(owner, method)(**arguments)
        return found

    @cached_property
    def tables(self) -> dict[str, str]:
        """The paths of all tables of the studies, by name."""
        studies: Sequence[Study] = list(self.studies.values())
        return {name: study.table(name) for study in studies for name in study.tables}

    @property
    def figures(self) -> list[tuple[str, str, Figure]]:
        """All figures, each with its caption and the heading under which it is listed."""
        of_studies = [
            (f"{study.name}/{figure.name}", study.title, figure)
            for study in self.studies.values()
            for figure in study.figures
        ]
        return [("claims", "Claims", Figure("claims", "Claims")), *of_studies]

    def judge_claims(self) -> Recipe:
        """A verdict on every published claim, from all tables."""
        files = [CLAIMS / f"{name}.yaml" for name in self.studies]
        return Recipe(
            {
                "claims": [str(file) for file in files if file.is_file()],
                "tables": list(self.tables.values()),
            }
        )

    def plot_claims(self) -> Recipe:
        """The figure of the verdicts."""
        return Recipe({"table": f"{self.config['results_dir']}/tables/claims.csv"})

    def figure_files(self) -> list[str]:
        """The files of all figures."""
        return self._files_of([figure for _, _, figure in self.figures])

    def _files_of(self, figures: Sequence[Figure]) -> list[str]:
        folder = f"{self.config['results_dir']}/{self.variant}figures"
        return [f"{folder}/{each.name}.{end}" for each in figures for end in ("pdf", "png")]

    def results_of(self, study: str) -> list[str]:
        """The tables and the files of the figures of one study."""
        made: Study = self.studies[study]
        return [*map(made.table, made.tables), *self._files_of(made.figures)]

    def figure(self, name: str) -> tuple[str, str, Figure]:
        """A figure by its name, as in ``figures``.

        Raises:
            ConfigError: there is none.
        """
        for caption, heading, figure in self.figures:
            if figure.name == name:
                return caption, heading, figure
        raise ConfigError(f"no study lists a figure {name}.")

    @cached_property
    def own_tables(self) -> dict[str, str]:
        """Those tables that are not the base's, by name."""
        folder = f"{self.config['results_dir']}/{self.variant}"
        made: Sequence[Study] = list(self.studies.values())
        left_out = {
            name
            for study in made
            for name in study.tables
            if any(
                chosen is not None and name not in chosen for chosen in (study.varied, self._made)
            )
        }
        return {
            name: path
            for name, path in self.tables.items()
            if path.startswith(folder) and not (self.variant and name in left_out)
        }

    def collect_variants(self, table: str) -> Recipe:
        """A table of the base and of all variants that have one of their own."""
        made = [(Variant(BASE, self.config), self.tables[table])]
        for variant, experiment in self.variants:
            if path := experiment.own_tables.get(table):
                made.append((variant, path))
        keys = sorted({key for variant, _ in made for key in variant.changes})
        settings = [
            {"variant": variant.name, **{key: variant.setting(key) for key in keys}}
            for variant, _ in made
        ]
        return Recipe({"tables": [path for _, path in made]}, {"settings": settings})

    def _collected(self) -> list[str]:
        """The names of the tables that any variant makes."""
        own = [experiment.own_tables for _, experiment in self.variants]
        return list(dict.fromkeys(name for tables in own for name in tables))

    def _joined(self) -> list[str]:
        """The tables in which it is collected what variants make."""
        folder = f"{self.config['results_dir']}/tables/variants"
        return [f"{folder}/{name}.csv" for name in self._collected()]

    def judge_variants(self) -> Recipe:
        """The same verdicts, also on claims about what variants vary."""
        return Recipe({**self.judge_claims().inputs, "variants": self._joined()})

    def results_of_variants(self) -> list[str]:
        """All that variants make, the tables in which it is collected, verdicts and figures."""
        own = [experiment.own_tables for _, experiment in self.variants]
        collected = self._collected()
        figures = [
            f"{self.config['results_dir']}/figures/variants/{figure}.{end}"
            for study in self.studies.values()
            for figure, table in study.figures_of_variants.items()
            if table in collected
            for end in ("pdf", "png")
        ]
        made = [path for tables in own for path in tables.values()]
        judged = [f"{self.config['results_dir']}/tables/variants/claims.csv"] if collected else []
        return [*made, *self._joined(), *judged, *figures]

    def write_report(self) -> Recipe:
        """The report: Snakemake's own, made by Snakemake from figures, captions and tables."""
        captions = ["workflow", *(caption for caption, _, _ in self.figures)]
        claims = f"{self.config['results_dir']}/tables/claims.csv"
        return Recipe(
            {
                "results": [*self.tables.values(), claims, *self.figure_files()],
                "captions": [str(CAPTIONS / f"{each}.rst") for each in captions],
            },
            {"config": self.config},
        )
