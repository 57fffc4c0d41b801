"""The loop over steps: what it learns, its records, and how it is stopped and goes on."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from coarsegrain.errors import TrainingError, TrainingStopped
from coarsegrain.flows.architecture import Architecture
from coarsegrain.flows.dual_energy import dual_energy
from coarsegrain.flows.ingredients import start
from coarsegrain.flows.patch_architecture import PatchArchitecture, starting_weights
from coarsegrain.flows.patch_flow import PatchFlow
from coarsegrain.flows.sublattice_flow import SublatticeFlow
from coarsegrain.flows.training.loop import NUMBERS, train
from coarsegrain.flows.training.patches import PatchTrainer
from coarsegrain.flows.training.settings import TrainingSettings
from coarsegrain.flows.training.sublattices import SublatticeTrainer
from coarsegrain.ising.critical_point import BETA_CRITICAL
from coarsegrain.ising.dual import DualIsing
from coarsegrain.training.checkpoint import CheckpointFile

TARGET = DualIsing(4, BETA_CRITICAL)
SETTINGS = TrainingSettings(steps=12, batch=32, warm_up=4)


def of_patches(seed=2):
    architecture = PatchArchitecture(4, couplings=2, hidden=(4,))
    flow = PatchFlow(architecture, starting_weights(architecture, seed=1))
    return PatchTrainer(flow, dual_energy(TARGET.spectrum), seed=seed, weight_decay=1e-3)


def trainer(seed=2):
    architecture = Architecture(4, couplings=2, hidden=8)
    parameters = start(architecture, TARGET.spectrum, seed=1)
    flow = SublatticeFlow(architecture, TARGET.spectrum, parameters)
    return SublatticeTrainer(flow, seed=seed, largest_gradient=50.0)


def trained(settings=SETTINGS, *, of=trainer, seed=2, records=6, **options):
    """All of its state, and the history."""
    found = of(seed)
    history = train(found, settings, TARGET.log_integral(), records=records, **options)
    return found.state(), history


def assert_equal(found, expected):
    for name, array in expected.items():
        np.testing.assert_array_equal(found[name], array)


class Scripted:
    """A trainer whose losses are given."""

    def __init__(self, losses):
        self._losses, self.asked = losses, []

    def step(self, number, samples, rate):
        self.asked.append((number, samples, rate))
        return np.full(samples, self._losses(number), dtype=np.float64)

    def state(self):
        return {"number": np.array([float(len(self.asked))])}

    def restore(self, tensors):
        pass


@pytest.mark.parametrize("of", [trainer, of_patches])
def test_a_stopped_training_goes_on_with_the_same_bits(tmp_path, capsys, of):
    whole, history = trained(of=of)
    asked = iter([False, False, True])
    file = CheckpointFile(tmp_path / "checkpoint.safetensors", seconds=1e9)
    with pytest.raises(TrainingStopped, match="flow: stopped after step 6 of 12; run again to go"):
        trained(of=of, checkpoint=file, asked_to_stop=lambda: next(asked))
    again, later = trained(of=of, checkpoint=CheckpointFile(file.path, seconds=1e9))
    assert "going on after step 6" in capsys.readouterr().out
    assert_equal(again, whole)
    pd.testing.assert_frame_equal(later, history, check_exact=True)


def test_a_training_that_died_goes_on_from_its_last_checkpoint(tmp_path):
    whole, history = trained()
    file = CheckpointFile(tmp_path / "checkpoint.safetensors", seconds=0)

    def die(done, gap):
        if done == 10:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        trained(checkpoint=file, progress=die)
    assert file.epoch == 4
    again, later = trained(checkpoint=CheckpointFile(file.path, seconds=1e9))
    assert_equal(again, whole)
    pd.testing.assert_frame_equal(later, history, check_exact=True)


def test_a_training_without_a_checkpoint_says_that_it_is_lost():
    with pytest.raises(TrainingStopped, match="what was trained is lost"):
        trained(asked_to_stop=lambda: True)


def test_a_training_asked_to_stop_after_its_last_step_ends():
    _, history = trained(records=1, asked_to_stop=lambda: True)
    assert history.step.tolist() == [12]


def test_a_training_is_a_function_of_its_seed():
    first, history = trained()
    again, same = trained()
    assert_equal(again, first)
    pd.testing.assert_frame_equal(same, history, check_exact=True)
    other, _ = trained(seed=3)
    assert (other["parameters"] != first["parameters"]).any()


@pytest.mark.parametrize("wrong", [math.nan, math.inf, -math.inf])
def test_losses_that_are_not_finite_end_a_training(wrong):
    script = Scripted(lambda k: wrong if k == 4 else 1.0)
    words = (
        "mine: a sample's loss is not finite in step 5, at a 32nd of the learning rate, too; take"
    )
    with pytest.raises(TrainingError, match=words):
        train(script, SETTINGS, 0.0, name="mine")
    assert [number for number, _, _ in script.asked] == [0, 1, 2, 3, *6 * [4]]


def test_parameters_that_are_not_finite_end_a_training(tmp_path):
    found = trainer()
    found._flow.parameters[:] = np.nan
    found._flow.refresh()
    file = CheckpointFile(tmp_path / "checkpoint.safetensors", seconds=1e9)
    with pytest.raises(
        TrainingError, match=r"not finite in step 1, .* take a smaller one; there is no"
    ):
        train(found, SETTINGS, 0.0, checkpoint=file)


def test_a_training_on_exact_samples_alone_tells_no_gap():
    script = Scripted(float)
    script.step = lambda number, samples, rate: np.empty(0)
    history = train(script, SETTINGS, 0.0, records=3)
    assert history.samples.tolist() == [0, 0, 0]
    assert history[["gap_nats", "gap_error", "spread_nats"]].isna().all(axis=None)


def test_a_training_that_diverges_at_any_learning_rate_is_ended():
    script = Scripted(lambda k: 500.0 if k < 2 else 0.5 if k < 10 else 101.0)
    words = (
        "mine: the gap was 0.5 nats and is 101 by step 12: the training diverges, at a 32nd of the "
        "learning rate, too; take a smaller one$"
    )
    with pytest.raises(TrainingError, match=words):
        train(script, SETTINGS, 0.0, records=6, name="mine")


class Unstable:
    """Gradient descent to 0, on a slope that is eight times as steep after six steps."""

    def __init__(self):
        self.x = np.array([8.0])

    def step(self, number, samples, rate):
        self.x -= 4 * rate * self.x if number < 6 else 32 * rate * self.x
        return np.full(samples, abs(self.x[0]))

    def state(self):
        return {"x": self.x}

    def restore(self, tensors):
        self.x[:] = tensors["x"]


def test_a_record_that_diverges_is_made_again_with_half_the_learning_rate(tmp_path, capsys):
    settings = TrainingSettings(steps=12, batch=32, learning_rate=0.45, constant=True)

    def unstable(**options):
        trainer = Unstable()
        history = train(trainer, settings, 0.0, records=4, name="mine", **options)
        return trainer.state(), history

    whole, history = unstable()
    told = capsys.readouterr().out
    assert "the training diverges; again from step 6, 0.5 x as fast" in told
    assert "again from step 6, 0.25 x as fast" in told
    assert "again from step 9, 0.125 x as fast" in told
    assert history.learning_rate.tolist() == [0.45, 0.45, 0.45 / 4, 0.45 / 8]
    # three steps by 1 - 32 x 0.45 / 4 grow, but not by 100
    assert whole["x"][0] == pytest.approx(8 * 0.8**6 * -(2.6**3) * -(0.8**3))
    # what is stopped after that goes on as fast, and with the lowest gap in mind
    asked = iter([False, False, True])
    file = CheckpointFile(tmp_path / "checkpoint.safetensors", seconds=1e9)
    with pytest.raises(TrainingStopped):
        unstable(checkpoint=file, asked_to_stop=lambda: next(asked))
    again, later = unstable(checkpoint=CheckpointFile(file.path, seconds=1e9))
    assert_equal(again, whole)
    pd.testing.assert_frame_equal(later, history, check_exact=True)


def test_a_gradient_is_shortened_to_twice_the_usual_length():
    found = trainer()
    for length, used in ((4.0, 4.0), (100.0, 8.0), (1.0, 1.0), (60.0, 2 * (4.2 - 0.05 * 3.2))):
        gradient = np.array([0.6 * length, -0.8 * length])
        found._shorten(gradient)
        np.testing.assert_allclose(gradient, [0.6 * used, -0.8 * used])
    found._usual[:] = 40  # the largest gradient of all counts, too
    gradient = np.array([0.0, 70.0])
    found._shorten(gradient)
    np.testing.assert_allclose(gradient, [0, 50])


def test_records_hold_the_mean_of_their_own_steps():
    script = Scripted(float)
    told = []
    history = train(script, SETTINGS, -1.0, records=3, progress=lambda *each: told.append(each))
    assert list(history.columns) == ["step", *NUMBERS]
    assert history.step.tolist() == [4, 8, 12]
    assert history.samples.tolist() == [4 * 32, 2 * 32 + 2 * 64, 64 + 3 * 128]
    # numbers of the steps, by their samples, and ln of the integral
    np.testing.assert_allclose(history.gap_nats + 1, [1.5, (4 + 5 + 2 * 13) / 6, (8 + 60) / 7])
    np.testing.assert_allclose(history.gap_error, history.spread_nats / np.sqrt(history.samples))
    assert history.spread_nats[0] == pytest.approx(np.std([0, 1, 2, 3]))
    rates = [SETTINGS.learning_rate_of(k) for k in (3, 7, 11)]
    assert history.learning_rate.tolist() == rates
    assert told == list(zip(history.step, history.gap_nats, strict=True))


def test_more_records_than_steps_are_one_for_each():
    history = train(Scripted(float), SETTINGS, 0.0, records=50)
    assert history.step.tolist() == list(range(1, 13))


def test_batches_double_at_half_and_at_three_quarters():
    settings = TrainingSettings(steps=100, batch=64)
    sizes = [settings.batch_of(k) for k in range(100)]
    assert sizes == [64] * 50 + [128] * 25 + [256] * 25


def test_learning_rate_rises_and_then_falls_to_zero():
    settings = TrainingSettings(steps=1000, learning_rate=0.5, warm_up=10)
    rates = np.array([settings.learning_rate_of(k) for k in range(1001)])
    np.testing.assert_allclose(rates[:10], 0.05 * np.arange(1, 11), rtol=2e-4)
    np.testing.assert_allclose(rates[10:], 0.5 * (1 - np.linspace(0.01, 1, 991) ** 2) ** 2)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"steps": 0}, "steps is 0; it must be at least 1"),
        ({"batch": 0}, "batch is 0; it must be a multiple of 32"),
        ({"batch": 48}, "batch is 48"),
    ],
)
def test_settings_of_no_training_are_refused(wrong, words):
    with pytest.raises(ValueError, match=words):
        TrainingSettings(**{"steps": 1, **wrong})


def test_long_gradients_are_shortened_before_adam_sees_them():
    found = trainer()
    found._largest = 1e-3
    found.step(0, 32, 0.0)
    # Adam's mean is a tenth of the first gradient
    assert np.linalg.norm(found.state()["mean"]) == pytest.approx(1e-4)


def test_sixty_steps_bring_the_gap_from_six_nats_to_less_than_half_a_nat():
    settings = TrainingSettings(steps=60, batch=128, warm_up=10)
    found = trainer()
    history = train(found, settings, TARGET.log_integral(), records=12)
    last = history.gap_nats.iloc[-1]
    assert history.gap_nats.iloc[0] > 6
    assert last < 0.45
    # a gap is no less than 0; and that of fresh samples, of both signs, is the same
    assert (history.gap_nats > -4 * history.gap_error).all()
    drawn = found._flow.draw(4096, seed=9)
    gaps = drawn.log_q + TARGET.energy(drawn.fields) + TARGET.log_integral()
    error = np.hypot(gaps.std() / 64, history.gap_error.iloc[-1])
    assert gaps.mean() == pytest.approx(last, abs=4 * error)


def test_steps_bring_the_gap_of_a_flow_by_patches_down_to_that_of_its_own_samples():
    found = of_patches()
    settings = TrainingSettings(steps=120, batch=128, learning_rate=1e-2, warm_up=1, constant=True)
    history = train(found, settings, TARGET.log_integral(), records=12)
    assert history.gap_nats.iloc[0] > 10
    last = history.gap_nats.iloc[-1]
    assert last < 4
    drawn = found._flow.draw(4096, seed=9)
    gaps = drawn.log_q + TARGET.energy(drawn.fields) + TARGET.log_integral()
    error = np.hypot(gaps.std() / 64, history.gap_error.iloc[-1])
    assert gaps.mean() == pytest.approx(last, abs=4 * error + 0.2)


def test_the_gap_of_normal_fields_from_independent_spins_is_that_of_the_integral():
    """β = 0: every field is normal around ±K with the variance K = 0.1, on its own."""
    target, architecture = DualIsing(4, 0.0), Architecture(4, couplings=2, hidden=8)
    parameters = start(architecture, target.spectrum, seed=1)
    flow = SublatticeFlow(architecture, target.spectrum, parameters)
    of = architecture.views(flow.parameters)
    of["modes"][:] = 0.0, 0.0
    for widened in (0.0, 0.1):
        of["spectrum"][:] = np.log(1 + widened) / 2
        flow.refresh()
        gaps = flow.step(4096, step=0, seed=1).loss + target.log_integral()
        x = np.linspace(-4, 4, 100_001)
        q = norm.logpdf(x, scale=np.sqrt(0.1 * (1 + widened)))
        p = np.logaddexp(*(norm.logpdf(x, mean, np.sqrt(0.1)) for mean in (0.1, -0.1))) - np.log(2)
        exact = 16 * np.trapezoid(np.exp(q) * (q - p), x)
        assert gaps.mean() == pytest.approx(exact, abs=4 * gaps.std() / 64 + 1e-5)
