"""Every trainer against autograd and ``torch.optim.Adam``, over a thousand steps and more.

In float64 the weights must agree to rounding. In float32 they cannot, on any two ways of adding up
the same numbers: where 1 - t y or a weight passes within rounding of 0, the slope of the hinge or
sign(w) differs for a step, and the two trainings part ways by a step of Adam. Torch's own float32
parts from its float64 just so. Therefore the float32 trainers are compared with float64, and
torch's float32 says how far apart is close.
"""

import dataclasses

import numpy as np
import pytest
from nets_reference import trained_by_torch

from coarsegrain.ising import sample_lattices
from coarsegrain.nets.losses import hinge
from coarsegrain.nets.network import Layer, Network
from coarsegrain.nets.training import TrainingSettings, glorot_network, train
from coarsegrain.rg.decimation import decimate, decimation_matrix

SETTINGS = TrainingSettings(
    loss="hinge", l1=1e-4, learning_rate=1e-3, adam_betas=(0.9, 0.999), adam_epsilon=1e-7,
    batch_size=10, epochs=25,
)  # fmt: skip
NUMBER = 404  # 41 steps per epoch, the last of 4 lattices: 1,025 in all
RNG = np.random.default_rng(11)
SPINS = RNG.choice(np.array([-1, 1], dtype=np.int8), size=(NUMBER, 8, 8))
TIED = decimate(SPINS, 1).copy()
TIED[::3, 1, :2] = 0
LINEAR = ["linear"] * 4


def shallow(outputs=32, inputs=64):
    return glorot_network([inputs, outputs], ["linear"], biases=False, seed=1)


def model(activations=LINEAR, *, biases=False):
    return glorot_network([64, 32, 16, 32, 64], activations, biases=biases, seed=2)


def wide():
    """A net whose layers need nothing to fill them up."""
    return glorot_network([64, 128, 64], ["linear"] * 2, biases=False, seed=6)


def encoded():
    """A model whose encoder is decimation."""
    encoder = (Layer(decimation_matrix(8, 1)), Layer(decimation_matrix(8, 2)))
    decoder = glorot_network([16, 32, 64], ["linear", "linear"], biases=False, seed=3)
    return Network(encoder + decoder.layers)


def thermometer():
    return glorot_network([64, 16, 1], ["tanh", "relu"], biases=True, seed=4)


BETAS = RNG.uniform(0.01, 0.6, NUMBER)
CASES = {
    "shallow": (shallow(), TIED, {}, 0),
    "shallow, no penalty": (shallow(), decimate(SPINS, 1), {"l1": 0.0}, 0),
    "shallow, inputs no multiple of a word": (shallow(7, 36), None, {}, 0),
    "shallow, batch of one": (shallow(), TIED, {"batch_size": 1, "epochs": 3}, 0),
    "shallow, batch of 64": (shallow(), TIED, {"batch_size": 64, "epochs": 150}, 0),
    "shallow tanh": (glorot_network([64, 32], ["tanh"], biases=False, seed=1), TIED, {}, 0),
    "Model-1": (model(), SPINS, {}, 0),
    "units that fill vectors": (wide(), SPINS, {}, 0),
    "Model-1, squared hinge": (model(), SPINS, {"loss": "squared_hinge"}, 0),
    "Model-1, tanh, mse": (model(["tanh"] * 4), SPINS, {"loss": "mse"}, 0),
    "Model-2": (encoded(), SPINS, {}, 2),
    "thermometer": (thermometer(), BETAS, {"loss": "mse", "l1": 0.0}, 0),
}


def both(case, precision, **options):
    """All weights and biases by us and by torch."""
    network, targets, changes, frozen = CASES[case]
    settings = dataclasses.replace(SETTINGS, **changes)
    spins = SPINS if network.sizes[0] == 64 else SPINS[:, :6, :6]
    targets = spins.reshape(NUMBER, -1)[:, :7] if targets is None else targets
    data = (spins, targets)
    options = {"seed": 5, "frozen": frozen, "precision": precision, **options}
    trained, _ = train(network, data, (spins[:20], targets[:20]), settings, **options)
    ours = [layer.weight for layer in trained.layers] + [layer.bias for layer in trained.layers]
    theirs = trained_by_torch(network, data, settings, seed=5, frozen=frozen, precision=precision)
    return [(a, b) for a, b in zip(ours, theirs, strict=True) if a is not None]


@pytest.mark.parametrize("case", CASES)
def test_a_thousand_steps_in_float64_equal_torch_to_rounding(case):
    for ours, theirs in both(case, "float64"):
        assert ours.dtype == np.float64
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-9)


@pytest.mark.parametrize("case", CASES)
def test_float32_strays_from_float64_no_more_than_torch_does(case):
    exact = [theirs for _, theirs in both(case, "float64")]
    ours, theirs = zip(*both(case, "float32"), strict=True)
    assert all(each.dtype == np.float32 for each in ours)
    strayed = [
        np.concatenate([abs(a - b).ravel() for a, b in zip(each, exact, strict=True)])
        for each in (ours, theirs)
    ]
    for share in (50, 90):  # percent of the weights
        our, their = (np.percentile(each, share) for each in strayed)
        assert our < 2 * their + 1e-7


@pytest.mark.slow
@pytest.mark.parametrize("inputs_at", [0, 1])  # a coarse-grainer, an up-scaler
def test_the_papers_shallow_nets_equal_torch_over_a_thousand_steps(inputs_at):
    spins = sample_lattices([0.4352] * 2000, 32, seed=3)
    levels = [spins, decimate(spins, 1)]
    data = levels[inputs_at], levels[1 - inputs_at]
    sizes = [each[0].size for each in data]
    start = glorot_network(sizes, ["linear"], biases=False, seed=1)
    settings = dataclasses.replace(SETTINGS, l1=1e-5, epochs=5)
    weights = {}
    for precision in ("float64", "float32"):
        trained, _ = train(start, data, data, settings, seed=2, precision=precision)
        weights["ours", precision] = trained.layers[0].weight
        weights["torch", precision] = trained_by_torch(
            start, data, settings, seed=2, precision=precision
        )[0]
    exact = weights["torch", "float64"]
    np.testing.assert_allclose(weights["ours", "float64"], exact, rtol=0, atol=1e-9)
    # Share of the units that have parted from float64 by more than rounding.
    ours, theirs = (
        (abs(weights[whose, "float32"] - exact).max(axis=0) > 1e-5).mean()
        for whose in ("ours", "torch")
    )
    assert ours < 2 * theirs + 0.01


@pytest.mark.slow
def test_a_full_training_ends_at_torchs_losses_within_the_spread_of_members():
    spins = sample_lattices([0.4352] * 2500, 8, seed=5).reshape(5, 500, 8, 8)
    settings = dataclasses.replace(SETTINGS, l1=1e-5, epochs=60)
    for start, targets in ((shallow(), decimate), (model(), lambda spins, step: spins)):
        losses = []
        for member in range(5):
            data = spins[member], targets(spins[member], 1)
            ours, _ = train(start, data, data, settings, seed=member)
            (*theirs,) = trained_by_torch(start, data, settings, seed=member, precision="float32")
            plain = Network(tuple(Layer(each) for each in theirs[: len(start.layers)]))
            flat = [each.reshape(500, -1) for each in data]
            losses.append([hinge(net(flat[0]), flat[1]) for net in (ours, plain)])
        our, their = np.array(losses).T
        assert abs(our - their).max() < np.std(their, ddof=1)
