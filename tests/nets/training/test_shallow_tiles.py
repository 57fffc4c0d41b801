"""Both ways to train a shallow net on a CPU, bit for bit, whichever the processor would take."""

import numpy as np
import pytest

from coarsegrain.nets.network import Layer, Network
from coarsegrain.nets.training import Member, TrainingSettings, glorot_network
from coarsegrain.nets.training.cpu import shallow
from coarsegrain.nets.training.cpu.shallow import ShallowTrainer, are_tiles_faster
from coarsegrain.nets.training.cpu.shallow_tiles import LARGEST_BATCH, places
from coarsegrain.training.batches import epoch_order

NUMBER = 104


def member(inputs, units, *, scale=1.0):
    """Lattices with targets -1, 0 and 1, and a start times ``scale``."""
    rng = np.random.default_rng(inputs)
    spins = rng.choice(np.array([-1, 1], dtype=np.int8), size=(NUMBER, inputs))
    targets = spins[:, rng.integers(0, inputs, units)].copy()
    targets[::3, :3] = 0
    (layer,) = glorot_network([inputs, units], ["linear"], biases=False, seed=1).layers
    start = Network((Layer((scale * layer.weight).astype(np.float32)),))
    return Member(start, (spins, targets), (spins[:37], targets[:37]), seed=1)


def trained(of, batch, tiles, monkeypatch, *, threads=1, epsilon=1e-7):
    """What three epochs tell, and the state that they leave, as bytes."""
    monkeypatch.setattr(shallow, "are_tiles_faster", lambda *_: tiles)
    settings = TrainingSettings(
        loss="hinge", l1=1e-4, learning_rate=1e-2, adam_betas=(0.9, 0.999), adam_epsilon=epsilon,
        batch_size=batch, epochs=3,
    )  # fmt: skip
    trainer = ShallowTrainer(of, settings, precision="float32", threads=threads)
    told = []
    for epoch in range(3):
        order = epoch_order(of.seed, epoch + 1, NUMBER)
        told += [*trainer.run_epoch(order, epoch * -(-NUMBER // batch)), *trainer.evaluate()]
        told.append(trainer.penalty())
    state = {name: values.tobytes() for name, values in trainer.state().items()}
    return np.array(told).tobytes(), state


@pytest.mark.parametrize("batch", [1, 7, 10, 20, 50, 100, 300])
@pytest.mark.parametrize(("inputs", "units"), [(64, 32), (36, 18), (33, 7), (1024, 12)])
def test_tiles_train_to_the_same_bits(inputs, units, batch, monkeypatch):
    of = member(inputs, units)
    assert trained(of, batch, True, monkeypatch) == trained(of, batch, False, monkeypatch)


def test_tiles_train_to_the_same_bits_in_two_threads(monkeypatch):
    of = member(64, 32)
    alone = trained(of, 10, True, monkeypatch)
    assert trained(of, 10, True, monkeypatch, threads=2) == alone


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("scale", [1e38, 3e38])
def test_weights_that_overflow_give_the_same_numbers(scale, monkeypatch):
    # Sums and then weights become infinite, and none of the masked-out ones may be in a sum.
    of = member(64, 32, scale=scale)
    first, second = (trained(of, 10, tiles, monkeypatch) for tiles in (True, False))
    for name in first[1]:
        ours, theirs = (np.frombuffer(each[1][name], np.float32) for each in (first, second))
        np.testing.assert_array_equal(ours, theirs)


def test_an_epsilon_that_is_0_in_float32_is_no_matter_for_inputs_that_are_not_there(monkeypatch):
    of = member(33, 7)
    first, second = (trained(of, 10, tiles, monkeypatch, epsilon=1e-60) for tiles in (True, False))
    assert first == second


def test_every_place_has_one_input():
    assert sorted(places(128, 128)) == list(range(128))
    # input 32 k + 8 p + l is number l of block k of part p
    assert places(128, 128)[32 * 3 + 8 * 2 + 5] == 8 * (4 * 2 + 3) + 5


@pytest.mark.parametrize(
    ("bits", "fused", "precision", "batch", "expected"),
    [
        (256, True, "float32", 10, True),
        (128, True, "float32", 10, True),
        (512, True, "float32", 10, False),
        (256, False, "float32", 10, False),
        (256, True, "float64", 10, False),
        (256, True, "float32", LARGEST_BATCH + 1, False),
    ],
)
def test_tiles_are_for_processors_without_avx_512(
    bits, fused, precision, batch, expected, monkeypatch
):
    monkeypatch.setattr(shallow, "vector_bits", lambda: bits)
    monkeypatch.setattr(shallow, "has_fused_multiply_add", lambda: fused)
    assert are_tiles_faster(precision, batch) == expected
