"""`make run` finds the results folder as Snakemake does, and names a config file it cannot read."""

from types import SimpleNamespace

import pytest
from snakemake.cli import get_argument_parser

from coarsegrain.errors import ConfigError
from pipeline.run import main, results_dir


@pytest.fixture
def project(tmp_path, monkeypatch):
    (tmp_path / "config.yaml").write_text("results_dir: results/default\nL: 8\n")
    (tmp_path / "mine.yaml").write_text("results_dir: results/mine\n")
    (tmp_path / "none.yaml").write_text("L: 16\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "folder"),
    [
        ([], "results/default"),
        (["--configfile", "none.yaml"], "results/default"),
        (["--cores", "2", "--configfile", "mine.yaml", "none.yaml", "--dry-run"], "results/mine"),
        (["--configfile", "mine.yaml", "--config", "L=8", "results_dir=other"], "other"),
    ],
)
def test_results_folder_is_the_last_one_named(project, arguments, folder):
    assert results_dir(arguments).as_posix() == folder


def test_broken_yaml_is_told_with_file_and_line(project, capsys):
    (project / "mine.yaml").write_text("L: 8\nmembers: [3\nseed: 1\n")
    assert main(["--configfile", "mine.yaml"]) == 1
    assert "mine.yaml, line 3 is not valid YAML" in capsys.readouterr().err


@pytest.fixture
def finished(project, monkeypatch):
    """A report without its table of claims, and a Snakemake that has nothing to do."""
    (project / "results/default").mkdir(parents=True)
    (project / "results/default/report.html").touch()
    done = SimpleNamespace(Popen=lambda command: SimpleNamespace(wait=lambda: 0))
    monkeypatch.setattr("pipeline.run.subprocess", done)


def test_a_missing_table_of_claims_is_told_with_how_to_make_it(finished, capsys):
    assert main(["--cores", "1"]) == 1
    told = capsys.readouterr().err
    assert "results/default/tables/claims.csv does not exist; make it again" in told
    assert 'make run ARGS="-- results/default/tables/claims.csv"' in told


@pytest.mark.parametrize("option", ["-n", "-np", "--dryrun", "--dry-run"])
def test_a_dry_run_prints_no_summary(finished, capsys, option):
    assert main([option, "--cores", "1"]) == 0
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("arguments", "table"),
    [
        (["all"], "tables/claims.csv"),
        (["all", "variants"], "tables/variants/claims.csv"),
        # a config without variants makes none
        (["all", "variants", "--configfile", "none.yaml"], "tables/claims.csv"),
    ],
)
def test_verdicts_on_variants_are_printed_where_they_were_asked_for(
    finished, project, capsys, arguments, table
):
    (project / "config.yaml").write_text("results_dir: results/default\nsweeps: {a: {L: [8]}}\n")
    (project / "none.yaml").write_text("sweeps: {}\n")
    assert main([*arguments, "--cores", "1"]) == 1
    assert f"{table} does not exist" in capsys.readouterr().err


def test_missing_config_file_is_named(project):
    with pytest.raises(ConfigError, match=r"no config file absent\.yaml"):
        results_dir(["--configfile", "absent.yaml"])


@pytest.mark.parametrize(
    ("arguments", "targets", "logger"),
    [
        (["all", "variants", "--cores", "1"], ["all", "variants"], ["coarsegrain"]),
        (["--cores", "1", "--", "a.csv"], ["a.csv"], ["coarsegrain"]),
        (["--cores", "1"], [], ["coarsegrain"]),
    ],
)
def test_what_snakemake_is_told_to_show_takes_no_targets(
    project, monkeypatch, arguments, targets, logger
):
    told = []
    run = SimpleNamespace(Popen=lambda command: told.append(command) or SimpleNamespace(wait=int))
    monkeypatch.setattr("pipeline.run.subprocess", run)
    assert main(arguments) == 0
    parsed = get_argument_parser().parse_args(told[0][3:])
    assert list(parsed.targets) == targets
    assert list(parsed.logger) == logger


def test_who_names_a_logger_gets_that_one(project, monkeypatch):
    told = []
    run = SimpleNamespace(Popen=lambda command: told.append(command) or SimpleNamespace(wait=int))
    monkeypatch.setattr("pipeline.run.subprocess", run)
    assert main(["--logger=other", "--cores", "1"]) == 0
    assert told[0][3:] == ["--logger=other", "--cores", "1"]
