"""The same training by torch, for a GPU.

Chains draw from the same Philox words as on a CPU (``cpu.units``), so a training starts out with
the same states. Sums are in the order that torch's products have, so a unit whose probability is
within rounding of its random number may differ, and from there on trainings part: the results are
other samples of the same distribution.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional

from coarsegrain.rbm.machine import FreeMachine, Machine, TiedMachine
from coarsegrain.rbm.training.adam import adam_step
from coarsegrain.rbm.training.settings import TrainingSettings

Spins = npt.NDArray[np.int8]

VISIBLE, HIDDEN = 0, 1
LANES, UNITS, COLUMNS = 32, 64, 64
_LOW = 0xFFFFFFFF
_MULTIPLIERS = 0xD2511F53, 0xCD9E8D57
_WEYL = 0x9E3779B9, 0xBB67AE85


def philox4x32(counter: list[torch.Tensor], key: tuple[int, int]) -> list[torch.Tensor]:
    """Philox4x32-10 (``coarsegrain.philox``) on int64 tensors that hold 32-bit words."""
    c0, c1, c2, c3 = counter
    k0, k1 = key
    for _ in range(10):
        product_0, product_1 = c0 * _MULTIPLIERS[0], c2 * _MULTIPLIERS[1]
        c0, c1 = ((product_1 >> 32) & _LOW) ^ c1 ^ k0, product_1 & _LOW
        c2, c3 = ((product_0 >> 32) & _LOW) ^ c3 ^ k1, product_0 & _LOW
        k0, k1 = (k0 + _WEYL[0]) & _LOW, (k1 + _WEYL[1]) & _LOW
    return [c0, c1, c2, c3]


class TorchTrainer:
    """Weights, moments, chains and data of a machine as tensors."""

    def __init__(
        self, start: Machine, data: Spins, settings: TrainingSettings, seed: int, device: str
    ) -> None:
        """Start chains from the first lattices of the data; see the trainers for CPUs."""
        torch.backends.cuda.matmul.allow_tf32 = False
        torch.backends.cudnn.allow_tf32 = False
        self._start, self._settings, self._device = start, settings, device
        self._key = seed & _LOW, (seed >> 32) & _LOW
        weights = start.kernels if isinstance(start, TiedMachine) else start.weights
        self._w = torch.tensor(weights, dtype=torch.float32, device=device)
        self._mean, self._square = torch.zeros_like(self._w), torch.zeros_like(self._w)
        flat = np.ascontiguousarray(data.reshape(len(data), -1))
        self._data = torch.from_numpy(flat).to(device)
        rows = np.arange(settings.chains) % len(flat)
        self._v = self._data[torch.from_numpy(rows).to(device)].to(torch.float32)
        self._h = self._draw(self._fields(self._v), 0, HIDDEN)

    def _draw(self, fields: torch.Tensor, step: int, stream: int) -> torch.Tensor:
        """±1 units in these fields: +1 where (f + ½)(1 + e^(-2x)) < 2²³."""
        words = self._words(fields.shape[1], step, stream)
        f = (words >> 9).to(torch.float32) + 0.5
        e = torch.exp((-2 * fields).clamp(-80, 80))
        return torch.where(f + f * e < 2.0**23, 1.0, -1.0)

    def _words(self, units: int, step: int, stream: int) -> torch.Tensor:
        """Random words (chains, units), those that the kernels for CPUs take."""
        tensor: dict[str, Any] = {"dtype": torch.int64, "device": self._device}
        chains = self._settings.chains
        same = torch.zeros((1, 1), **tensor)
        if isinstance(self._start, FreeMachine):
            quarter = -(-units // COLUMNS) * COLUMNS // 4
            counter = torch.arange(quarter, **tensor)[None, :]
            row = torch.arange(chains, **tensor)[:, None]
            words = philox4x32([counter, same + stream, same + step, row], self._key)
            return torch.cat(words, dim=1)[:, :units]
        blocks, groups = -(-chains // LANES), -(-units // UNITS)
        counters = UNITS * LANES // 4
        counter = torch.arange(groups * counters, **tensor)[None, :]
        block = torch.arange(blocks, **tensor)[:, None]
        words = philox4x32([counter, same + stream, same + step, block], self._key)
        # of a group of units: word r of counter q is number r · counters + q
        by_group = torch.stack([each.reshape(blocks, groups, counters) for each in words], dim=2)
        by_unit = by_group.reshape(blocks, groups * UNITS, LANES)
        return by_unit.transpose(1, 2).reshape(blocks * LANES, -1)[:chains, :units]

    def _fields(self, v: torch.Tensor) -> torch.Tensor:
        """Fields on the hidden units, (n, n_hidden)."""
        if isinstance(self._start, FreeMachine):
            return v @ self._w
        windows = self._padded(v)
        return functional.conv2d(
            windows, self._w[:, None], stride=self._start.stride
        ).flatten(1)  # fmt: skip

    def _visible_fields(self, h: torch.Tensor) -> torch.Tensor:
        """Fields on the visible units, (n, n_visible): what the fields' derivative sends back."""
        if isinstance(self._start, FreeMachine):
            return h @ self._w.T
        v = torch.zeros((len(h), self._start.n_visible), device=self._device, requires_grad=True)
        (y,) = torch.autograd.grad(self._fields(v), v, h)
        return y

    def _padded(self, v: torch.Tensor) -> torch.Tensor:
        """Lattices with as many sites around them as windows reach over the edges."""
        machine = self._start
        assert isinstance(machine, TiedMachine)
        n, L = machine.kernels.shape[1], machine.L
        before = -machine.offset
        rows = torch.arange(-before, L + n - machine.stride - before, device=self._device) % L
        lattices = v.reshape(len(v), L, L)
        return lattices[:, rows][:, :, rows][:, None]

    def gradient(self, update: int, rows: npt.NDArray[np.int64]) -> tuple[float, float]:
        """See the trainers for CPUs."""
        steps = self._settings.gibbs_steps
        for step in range(update * steps + 1, (update + 1) * steps + 1):
            self._v = self._draw(self._visible_fields(self._h), step, VISIBLE)
            x = self._fields(self._v)
            self._h = self._draw(x, step, HIDDEN)
        data = self._data[torch.from_numpy(rows).to(self._device)].to(torch.float32)
        of_data, energy_of_data = self._statistics(data)
        of_model, energy_of_model = self._statistics(self._v)
        self._g = of_model - of_data
        return energy_of_data, energy_of_model

    def _statistics(self, v: torch.Tensor) -> tuple[torch.Tensor, float]:
        """Mean of v tanh x, summed over places, and of x tanh x."""
        w = self._w.requires_grad_(True)
        x = self._fields(v)
        means = torch.tanh(x.detach())
        (g,) = torch.autograd.grad(x, w, means / len(v))
        self._w = w.detach()
        return g, float((x.detach() * means).sum(dtype=torch.float64)) / len(v)

    def update(self, update: int, rows: npt.NDArray[np.int64]) -> tuple[float, float]:
        """``gradient``, then a step of Adam (``rbm.training.adam``)."""
        energies = self.gradient(update, rows)
        step = {
            name: float(value)
            for name, value in adam_step(self._settings, update)._asdict().items()
        }
        self._mean = step["beta1"] * self._mean + step["rest1"] * self._g
        self._square = step["beta2"] * self._square + step["rest2"] * self._g**2
        size = step["rate"] / (self._square.sqrt() + step["epsilon"])
        moved = self._w - size * (self._mean * step["correction"])
        self._w = torch.sign(moved) * (moved.abs() - size * step["l1"]).clamp(min=0)
        return energies

    def last_gradient(self) -> npt.NDArray[np.float32]:
        """Of the last update, in the shape of the weights."""
        return self._g.cpu().numpy()

    def chains(self) -> Spins:
        """The chains' visible units, (chains, n_visible) int8, ±1."""
        return self._v.to(torch.int8).cpu().numpy()

    def machine(self) -> Machine:
        """The machine as it is now."""
        weights = self._w.cpu().numpy().copy()
        if isinstance(self._start, TiedMachine):
            return TiedMachine(weights, self._start.L, self._start.stride)
        return FreeMachine(weights)

    def state(self) -> dict[str, npt.NDArray[np.generic]]:
        """What decides the next updates: weights, moments, and the chains' units."""
        tensors = {"weights": self._w, "mean": self._mean, "square": self._square}
        units = {"visible": self._v, "hidden": self._h}
        return {name: each.cpu().numpy().copy() for name, each in tensors.items()} | {
            name: each.to(torch.int8).cpu().numpy().view(np.uint8).copy()
            for name, each in units.items()
        }

    def restore(self, tensors: Mapping[str, npt.NDArray[np.generic]]) -> None:
        """Take over what ``state`` gave."""
        self._w, self._mean, self._square = (
            torch.tensor(tensors[name], device=self._device)
            for name in ("weights", "mean", "square")
        )
        self._v, self._h = (
            torch.tensor(tensors[name].view(np.int8), dtype=torch.float32, device=self._device)
            for name in ("visible", "hidden")
        )
