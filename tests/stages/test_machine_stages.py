"""The stages that train Boltzmann machines and plot their trainings."""

import copy
import json

import numpy as np
import pytest

from coarsegrain.errors import TrainingStopped
from coarsegrain.rbm.machine import FreeMachine, TiedMachine, read_machine
from coarsegrain.storage.lattices import write_lattices
from coarsegrain.storage.tables import read_table
from stages.rbm import plot_training, train_machine

SPEC = {
    "machine": "tied 4x4", "member": 1, "kind": "tied", "kernel": 4, "channels": 1, "hidden": None,
    "settings": {"updates": 16, "batch": 10, "chains": 10, "gibbs_steps": 1, "l1": 1e-3},
    "held_out": 0.1, "records": 8, "start_seed": 1, "shuffling_seed": 2, "chain_seed": 3,
    "below_seed": 4, "device": "cpu",
}  # fmt: skip


@pytest.fixture
def lattices(tmp_path):
    spins = np.random.default_rng(1).choice(np.array([-1, 1], np.int8), (40, 8, 8))
    write_lattices(tmp_path / "lattices.nc", spins, np.full(40, 0.44), {})
    return tmp_path / "lattices.nc"


def train(folder, lattices, name, below=(), minutes="10", **changes):
    spec = {**copy.deepcopy(SPEC), "machine": name, **changes}
    outcome = train_machine.main(
        lattices=lattices, below=list(below), machine=folder / f"{name}.safetensors",
        history=folder / f"{name}.csv", checkpoint_minutes=minutes,
        spec=json.loads(json.dumps(spec)), code="abc",
    )  # fmt: skip
    return read_machine(folder / f"{name}.safetensors"), outcome


def test_a_stack_is_trained_layer_by_layer_and_plotted(tmp_path, lattices):
    (first, _), outcome = train(tmp_path, lattices, "layer 1")
    below = [tmp_path / "layer 1.safetensors"]
    (second, metadata), _ = train(tmp_path, lattices, "layer 2", below)
    (top, _), _ = train(
        tmp_path, lattices, "top", [*below, tmp_path / "layer 2.safetensors"], kind="free", hidden=3
    )
    assert isinstance(first, TiedMachine)
    assert isinstance(second, TiedMachine)
    assert isinstance(top, FreeMachine)
    assert (first.L, second.L, top.weights.shape) == (8, 4, (4, 3))
    assert metadata["layer"] == "2"
    assert metadata["convergence"].startswith("not judged: ")
    assert outcome.facts["device"] == "cpu"
    history = read_table(tmp_path / "layer 1.csv")
    assert list(history.columns[:3]) == ["machine", "member", "update"]
    assert history["update"].tolist() == list(range(2, 17, 2))
    plot_training.main(
        histories=[tmp_path / f"{name}.csv" for name in ("layer 1", "layer 2", "top")],
        pdf=tmp_path / "figure.pdf",
        png=tmp_path / "figure.png",
        spec={"words": ["one", "two", "three"]},
    )
    assert (tmp_path / "figure.png").stat().st_size > 10_000


def test_a_machine_is_a_function_of_lattices_and_spec(tmp_path, lattices):
    train(tmp_path, lattices, "one")
    content = (tmp_path / "one.safetensors").read_bytes()
    train(tmp_path, lattices, "one")
    assert (tmp_path / "one.safetensors").read_bytes() == content
    (other, _), _ = train(tmp_path, lattices, "one", chain_seed=5)
    assert (tmp_path / "one.safetensors").read_bytes() != content
    assert np.isfinite(other.kernels).all()


def test_a_tied_machine_on_several_channels_is_refused(tmp_path, lattices):
    train(tmp_path, lattices, "wide", channels=2)
    with pytest.raises(ValueError, match="must have one channel"):
        train(tmp_path, lattices, "above", [tmp_path / "wide.safetensors"])


def test_a_stopped_stage_goes_on_from_its_checkpoint(tmp_path, lattices, monkeypatch, capsys):
    (whole, _), _ = train(tmp_path, lattices, "one")
    (tmp_path / "one.safetensors").unlink()

    class Stopped:
        def __enter__(self):
            asked = iter([False, True])
            return lambda: next(asked)

        def __exit__(self, *error):
            return None

    with monkeypatch.context() as patched:
        patched.setattr(train_machine, "asked_to_stop", lambda what: Stopped())
        with pytest.raises(TrainingStopped, match="one, member 1: stopped after update 4 of 16"):
            train(tmp_path, lattices, "one")
    (again, _), outcome = train(tmp_path, lattices, "one")
    assert "one, member 1: going on after update 4" in capsys.readouterr().out
    np.testing.assert_array_equal(again.kernels, whole.kernels)
    (checkpoint,) = outcome.no_longer_needed
    assert checkpoint.is_file()
