"""What the library states as a fact, the user reads with what to do about it."""

import pytest

from coarsegrain.errors import CoarsegrainError, TrainingError
from coarsegrain.storage.json_files import read_json
from pipeline.remedies import with_remedy


def refused(path):
    with pytest.raises(CoarsegrainError) as error:
        read_json(path)
    return with_remedy(error.value)


def test_a_missing_file_is_to_be_made_and_a_damaged_one_to_be_deleted_first(tmp_path):
    again = "run snakemake again: only this file and what depends on it are remade."
    assert refused(tmp_path / "absent") == f"{tmp_path}/absent does not exist; {again}"
    (tmp_path / "damaged").write_text("{")
    told = refused(tmp_path / "damaged")
    assert told.startswith(f"{tmp_path}/damaged cannot be read as ")
    assert told.endswith(f"; delete it and {again}")


def test_a_file_that_may_not_be_read_is_not_to_be_deleted(tmp_path, monkeypatch):
    path = tmp_path / "a.json"
    path.write_text("{}")

    def forbidden(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(type(path), "open", forbidden)
    monkeypatch.setattr(type(path), "read_bytes", forbidden)
    assert refused(path) == f"{path} may not be read; check its permissions (ls -l)."


def test_a_training_that_diverged_names_the_keys_of_the_config():
    error = TrainingError("CG, member 3: the training objective is nan in epoch 5.")
    assert with_remedy(error).endswith("(learning_rate or l1 in the config).")


def test_other_sentences_stay_as_they_are():
    assert with_remedy(CoarsegrainError("The lattices fail.")) == "The lattices fail."
