"""Memory of trainings, and runs that this machine cannot hold."""

import pytest
import yaml

from coarsegrain.errors import CoarsegrainError
from pipeline.config import validated
from pipeline.defaults import laid_over_defaults
from pipeline.memory import (
    DECLARED_MB,
    PROGRAM_MB,
    PROGRAM_ON_GPU_MB,
    check_fits,
    in_words,
    memory_mb,
)
from pipeline.studies.experiment import Experiment


def nets(**changes):
    config = validated(laid_over_defaults(changes), check_cuda=False)
    config["device"] = "cpu"
    return Experiment(config).studies["autoencoder"]


def test_memory_of_a_training_follows_from_its_size():
    """Weights, moments, start and copies of 1024-512-256-512-1024; 10,000 lattices; 4,096 rows."""
    weights = 6 * 4 * (1024 * 512 + 512 * 256 + 256 * 512 + 512 * 1024)
    lattices, rows = 2 * 10_000 * 1024 + 4 * 10_000 * 1024 / 2, 4 * 4096 * 1024
    expected = PROGRAM_MB + (weights + lattices + rows) / 1e6
    assert nets().memory_mb("Model-1", "0") == pytest.approx(expected, abs=1)


def test_it_grows_with_the_fourth_power_of_the_side_and_with_members_and_precision():
    one, two = (nets(L=L).memory_mb("Model-1", "0") - PROGRAM_MB for L in (128, 256))
    assert 14 < two / one < 16
    small = nets().memory_mb("CG-1024-512", "0") - PROGRAM_MB
    assert nets().memory_mb("CG-1024-512", "0-1-2") - PROGRAM_MB == pytest.approx(3 * small, abs=2)
    double = nets(precision="float64").memory_mb("CG-1024-512", "0") - PROGRAM_MB
    assert small < double < 2 * small


def test_a_gpu_takes_its_libraries_too():
    study = nets()
    study.config = {**study.config, "device": "cuda"}
    on_gpu = study.memory_mb("thermometer", "0")
    assert on_gpu - nets().memory_mb("thermometer", "0") == PROGRAM_ON_GPU_MB - PROGRAM_MB


def test_what_takes_too_much_is_named_with_what_there_is():
    needs = [("train_net A 0", 30_000), ("train_net B 1", 2_090_000), ("plot", 10)]
    with pytest.raises(CoarsegrainError) as error:
        check_fits(needs, 20_000)
    told = str(error.value)
    assert told.startswith("train_net B 1 takes about 2.09 TB of memory (1 other job takes")
    assert "this machine has 20 GB" in told


def test_what_fits_is_passed():
    check_fits([("train_net A 0", 30_000), ("plot", 10)], 30_000)
    check_fits([], 1)
    check_fits([("sample", DECLARED_MB)], 500)  # said to be on the safe side


@pytest.mark.parametrize(
    ("megabytes", "words"), [(10, "10 MB"), (1500, "1.5 GB"), (27e6, "27 TB"), (3e12, "3 EB")]
)
def test_sizes_in_words(megabytes, words):
    assert in_words(megabytes) == words


def test_this_machine_has_memory():
    assert 500 < memory_mb() < 1e8


@pytest.mark.slow
def test_a_run_that_cannot_fit_is_refused_before_its_first_job(checkout, tmp_path):
    changes = tmp_path / "changes.yaml"
    changes.write_text(yaml.safe_dump({"L": 1024}))
    run = checkout.smoke("results/smoke/nets/Model-1/member-0.safetensors", changes=[changes])
    assert run.returncode != 0
    assert "takes about" in run.stdout
    assert "Choose smaller lattices or nets" in run.stdout
    assert 'File "' not in run.stdout
    assert "Execute" not in run.stdout


@pytest.mark.slow
def test_containers_that_no_rule_has_are_refused(checkout):
    run = checkout.smoke("--sdm", "apptainer")
    assert run.returncode != 0
    assert "--sdm apptainer needs a container for each rule" in run.stdout
