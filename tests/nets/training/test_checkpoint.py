"""A training that was interrupted ends with the bits of one that was not."""

import dataclasses
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from checkouts import PROJECT
from coarsegrain.nets.training import (
    Member,
    TrainingError,
    TrainingSettings,
    TrainingStopped,
    glorot_network,
    train_members,
)
from coarsegrain.rg.decimation import decimate
from coarsegrain.storage.lattices import write_lattices
from coarsegrain.storage.weights import read_weights
from coarsegrain.training.checkpoint import CheckpointFile

SETTINGS = TrainingSettings(
    loss="hinge", l1=1e-4, learning_rate=1e-3, adam_betas=(0.9, 0.999), adam_epsilon=1e-7,
    batch_size=8, epochs=12,
)  # fmt: skip
RNG = np.random.default_rng(0)
SPINS = RNG.choice(np.array([-1, 1], dtype=np.int8), size=(60, 4, 4))
NETS = {
    "shallow": (glorot_network([16, 8], ["linear"], biases=False, seed=1), decimate(SPINS, 1)),
    "deep": (glorot_network([16, 8, 16], ["linear"] * 2, biases=False, seed=1), SPINS),
    "biases": (glorot_network([16, 8, 1], ["tanh", "relu"], biases=True, seed=1), SPINS[:, 0, 0]),
}


def member(net, path=None, seconds=0.0):
    network, targets = NETS[net]
    checkpoint = None if path is None else CheckpointFile(path, seconds)
    data, validation = (SPINS[:50], targets[:50]), (SPINS[50:], targets[50:])
    return Member(network, data, validation, 7, "CG, member 3", checkpoint)


def stopping_after(epochs):
    """Asked after every epoch: yes at the given one."""
    asked = iter([False] * (epochs - 1) + [True])
    return lambda: next(asked)


def epochs_in(path):
    return len(read_weights(path)[0]["history"])


def equal(first, second):
    for layer, other_layer in zip(first.network.layers, second.network.layers, strict=True):
        np.testing.assert_array_equal(layer.weight, other_layer.weight)
        np.testing.assert_array_equal(layer.bias, other_layer.bias)
    return first.table(SETTINGS).equals(second.table(SETTINGS))


@pytest.mark.parametrize("net", NETS)
@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_a_training_stopped_twice_ends_with_the_bits_of_one_that_was_not(net, precision, tmp_path):
    path = tmp_path / "checkpoints" / "c.safetensors"
    options = {"precision": precision}
    (undisturbed,) = train_members([member(net)], SETTINGS, **options)
    for stop in (3, 5):  # the second goes on from the first
        with pytest.raises(TrainingStopped, match=r"member 3: stopped after epoch \d of 12; run"):
            train_members(
                [member(net, path)], SETTINGS, asked_to_stop=stopping_after(stop), **options
            )
    assert epochs_in(path) == 8
    epochs = []
    (resumed,) = train_members(
        [member(net, path)], SETTINGS, progress=lambda epoch, _: epochs.append(epoch), **options
    )
    assert epochs == [9, 10, 11, 12]
    assert equal(undisturbed, resumed)


def test_a_training_that_had_ended_is_not_trained_further(tmp_path):
    path = tmp_path / "c.safetensors"
    (first,) = train_members([member("shallow", path)], SETTINGS)
    (second,) = train_members(
        [member("shallow", path)], SETTINGS, progress=lambda *_: pytest.fail("an epoch more")
    )
    assert equal(first, second)


def test_members_go_on_from_their_own_epochs(tmp_path):
    paths = [tmp_path / "0", tmp_path / "1"]
    for stop, path in ((2, paths[0]), (7, paths[1])):
        with pytest.raises(TrainingStopped):
            train_members([member("deep", path)], SETTINGS, asked_to_stop=stopping_after(stop))
    both = train_members([member("deep", path) for path in paths], SETTINGS)
    (alone,) = train_members([member("deep")], SETTINGS)
    assert all(equal(alone, each) for each in both)


def test_checkpoints_are_written_no_more_often_than_asked(tmp_path):
    path = tmp_path / "c.safetensors"
    train_members([member("shallow", path, seconds=3600)], SETTINGS)
    assert not path.exists()


def damaged(content):
    return content[:200] + bytes([content[200] ^ 1]) + content[201:]


@pytest.mark.parametrize("damage", [damaged, lambda content: content[:-9], lambda content: b""])
def test_a_damaged_checkpoint_is_told_and_training_starts_anew(damage, tmp_path, capsys):
    path = tmp_path / "c.safetensors"
    (undisturbed,) = train_members([member("shallow", path)], SETTINGS)
    path.write_bytes(damage(path.read_bytes()))
    (anew,) = train_members([member("shallow", path)], SETTINGS)
    assert "the checkpoint is not used, training starts anew" in capsys.readouterr().out
    assert equal(undisturbed, anew)


def test_a_checkpoint_of_another_net_is_told_and_training_starts_anew(tmp_path, capsys):
    path = tmp_path / "c.safetensors"
    train_members([member("deep", path)], SETTINGS)
    (undisturbed,) = train_members([member("shallow")], SETTINGS)
    (anew,) = train_members([member("shallow", path)], SETTINGS)
    assert "training starts anew" in capsys.readouterr().out
    assert equal(undisturbed, anew)


def test_a_disk_that_takes_no_checkpoint_is_told_and_training_goes_on(tmp_path, capsys):
    blocked = tmp_path / "file"
    blocked.touch()
    train_members([member("shallow", blocked / "c.safetensors")], SETTINGS)
    assert "no checkpoint was kept after epoch 1: " in capsys.readouterr().out


@pytest.mark.parametrize("net", NETS)
def test_numbers_that_go_wrong_stop_training_and_name_epoch_member_and_checkpoint(net, tmp_path):
    path = tmp_path / "c.safetensors"
    with pytest.raises(TrainingStopped):
        train_members([member(net, path)], SETTINGS, asked_to_stop=stopping_after(4))
    broken = dataclasses.replace(SETTINGS, learning_rate=1e30, loss="mse")
    with pytest.raises(TrainingError) as error:
        train_members([member(net, path)], broken)
    told = str(error.value)
    assert told.startswith("CG, member 3: the training objective is ")
    assert told.endswith(f" in epoch 5; the last good checkpoint is of epoch 4: {path}.")
    assert epochs_in(path) == 4


def test_an_objective_that_grows_a_thousandfold_stops_training():
    diverging = dataclasses.replace(SETTINGS, learning_rate=1e3)
    with pytest.raises(TrainingError, match=r"objective is [0-9.e+]+, up from [0-9.]+ in epoch 1;"):
        train_members([member("deep")], diverging)


# The stage itself, killed for real.

LONGEST = 600  # seconds: a busy machine compiles kernels for a minute and more

SPEC = (
    '{"net":"CG-64-32","member":0,"sizes":[64,32],"activation":"linear","settings":'
    '{"loss":"hinge","l1":1e-5,"learning_rate":0.001,"adam_betas":[0.9,0.999],'
    '"adam_epsilon":1e-7,"batch_size":10,"epochs":150},'
    '"splits":{"test_fraction":0.2,"validation_fraction":0.2},"start_seed":1,'
    '"shuffling_seed":2,"device":"cpu","threads":1,"precision":"float32"}'
)


@pytest.fixture
def stage(tmp_path):
    """Start the stage in a folder with its inputs; its outputs go to out/."""
    spins = RNG.choice(np.array([-1, 1], dtype=np.int8), size=(2000, 8, 8))
    for name, values in (("in", spins), ("out", decimate(spins, 1))):
        write_lattices(tmp_path / f"{name}.nc", values, np.full(2000, 0.4), {})
    kernels = {"COARSEGRAIN_KERNEL_CACHE": "1", "NUMBA_CACHE_DIR": str(tmp_path / "kernels")}

    def start(folder, spec=SPEC, minutes="0"):
        (tmp_path / folder).mkdir(exist_ok=True)
        return subprocess.Popen(
            [
                sys.executable, "-u", "-m", "stages.train_shallow_net",
                "--lattices-in", "in.nc", "--lattices-out", "out.nc", "--together",
                "--network", f"{folder}/net.safetensors", "--history", f"{folder}/history.csv",
                "--checkpoint-minutes", minutes, "--spec", spec, "--code", "abc",
            ],
            cwd=tmp_path,
            env={**os.environ, **kernels, "PYTHONPATH": str(PROJECT / "workflow")},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )  # fmt: skip

    return start


def wait_for_checkpoint(process, folder, seconds=LONGEST):
    until = time.monotonic() + seconds
    while not list((folder / "checkpoints").glob("member-0.*.safetensors")):
        assert process.poll() is None, process.stdout.read()
        assert time.monotonic() < until
        time.sleep(0.01)


@pytest.mark.slow
def test_a_stage_killed_again_and_again_ends_with_the_bytes_of_one_that_was_not(stage, tmp_path):
    whole = stage("whole")
    assert whole.wait(LONGEST) == 0, whole.stdout.read()
    killed, said = 0, ""
    while True:
        process = stage("killed")
        if killed < 3:
            wait_for_checkpoint(process, tmp_path / "killed")
            time.sleep(0.3 * killed)  # some epochs more
            process.kill()
            process.wait(LONGEST)
            killed += 1
            assert not (tmp_path / "killed/net.safetensors").exists()
            continue
        said, _ = process.communicate(timeout=LONGEST)
        assert process.returncode == 0, said
        break
    assert "CG-64-32, member 0: going on after epoch " in said
    for name in ("net.safetensors", "history.csv"):
        assert (tmp_path / "whole" / name).read_bytes() == (tmp_path / "killed" / name).read_bytes()
    assert not (tmp_path / "killed/checkpoints").exists()


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stage_asked_to_stop_keeps_its_last_epoch(stage, tmp_path, number):
    process = stage("out", minutes="60")
    for line in process.stdout:
        if "epochs" in line or "device" in line:
            break
    time.sleep(1.5)
    process.send_signal(number)
    said, _ = process.communicate(timeout=LONGEST)
    assert process.returncode == 1, said
    assert "asked to stop: after this epoch, with a checkpoint" in said
    assert "of 150; run again to go on from there." in said
    assert list((tmp_path / "out/checkpoints").glob("member-0.*.safetensors"))
    again = stage("out")
    said, _ = again.communicate(timeout=LONGEST)
    assert "going on after epoch" in said


@pytest.mark.slow
def test_a_checkpoint_of_another_spec_is_not_used(stage, tmp_path):
    process = stage("out")
    wait_for_checkpoint(process, tmp_path / "out")
    process.kill()
    process.wait(LONGEST)
    other = stage("out", SPEC.replace('"shuffling_seed":2', '"shuffling_seed":3'))
    said, _ = other.communicate(timeout=LONGEST)
    assert other.returncode == 0, said
    assert "going on" not in said
    assert not (tmp_path / "out/checkpoints").exists()  # the outdated one is gone, too
