"""`make run` finds the results folder as Snakemake does, and names a config file it cannot read."""

import pytest

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


def test_missing_config_file_is_named(project):
    with pytest.raises(ConfigError, match=r"no config file absent\.yaml"):
        results_dir(["--configfile", "absent.yaml"])
