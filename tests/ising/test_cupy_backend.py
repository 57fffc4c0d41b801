"""The GPU backend: its errors and batches without a GPU, its bits with one."""

import sys
import types

import numpy as np
import pytest
from fake_cupy import fake_cupy

from coarsegrain import device
from coarsegrain.errors import CoarsegrainError, DeviceError
from coarsegrain.ising.sampler import sample_lattices

BETAS = np.linspace(0.0, 0.4, 200)


def gpu_is_there() -> bool:
    return not device.missing_for_a_gpu(("cupy",))


needs_gpu = [
    pytest.mark.gpu,
    pytest.mark.skipif(not gpu_is_there(), reason="no CuPy or no CUDA device"),
]


@pytest.fixture
def no_cupy(monkeypatch):
    monkeypatch.setitem(sys.modules, "cupy", None)  # importing it fails


@pytest.fixture
def driver(monkeypatch):
    """A driver that finds a GPU; what CuPy is, each test says."""
    monkeypatch.setattr(device, "_missing_driver", lambda: "")


@pytest.mark.usefixtures("driver", "no_cupy")
def test_cuda_without_cupy_is_an_error_with_a_way_out():
    with pytest.raises(CoarsegrainError, match=r"CuPy, .* is not installed .*; use auto or cpu\."):
        sample_lattices([0.4], 8, seed=1, device="cuda")


@pytest.mark.usefixtures("driver", "no_cupy")
def test_auto_without_cupy_takes_the_cpu_and_says_so(capsys):
    spins = sample_lattices([0.4], 8, seed=1, device="auto")
    np.testing.assert_array_equal(spins, sample_lattices([0.4], 8, seed=1))
    assert "device: cpu (CuPy, which computes there, is not installed" in capsys.readouterr().out


@pytest.mark.usefixtures("driver")
def test_auto_with_cuda_samples_there_and_says_so(capsys, monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "cupy", fake_cupy(tmp_path))
    spins = sample_lattices([0.4], 8, seed=1, device="auto")
    np.testing.assert_array_equal(spins, sample_lattices([0.4], 8, seed=1))
    assert capsys.readouterr().out == "device: cuda; asked for: auto\n"


@pytest.mark.usefixtures("no_cupy")
def test_cpu_neither_needs_nor_looks_for_cupy(capsys):
    sample_lattices([0.4], 8, seed=1)
    assert capsys.readouterr().out == ""


@pytest.mark.usefixtures("driver")
@pytest.mark.parametrize("method", ["hybrid", "exact"])
def test_exhausted_memory_halves_the_batch_says_so_and_changes_no_bit(
    method, monkeypatch, tmp_path, capsys
):
    # The device promises room for all and has room for 200·8² / 4 − 1 spins: 49 lattices.
    monkeypatch.setitem(sys.modules, "cupy", fake_cupy(tmp_path, array_bytes=200 * 8**2 // 4 - 1))
    done = []
    options = {"seed": 5, "method": method, "first_lattice": 3}
    spins = sample_lattices(BETAS, 8, device="cuda", progress=done.append, **options)
    np.testing.assert_array_equal(spins, sample_lattices(BETAS, 8, **options))
    assert done == [25, 50, 75, 100, 125, 150, 175, 200]
    said = capsys.readouterr().out
    for before, after in ((200, 100), (100, 50), (50, 25)):
        assert f"memory is full at {before} lattices at once; going on with {after}." in said


@pytest.mark.usefixtures("driver")
def test_a_batch_is_what_the_device_says_is_free(monkeypatch, tmp_path, capsys):
    per_lattice = 8**2 + 8 * (4 + 3)
    free = int(60.5 * per_lattice / 0.8)
    monkeypatch.setitem(sys.modules, "cupy", fake_cupy(tmp_path, free_bytes=free))
    done = []
    spins = sample_lattices(BETAS, 8, seed=5, device="cuda", progress=done.append)
    assert done == [60, 120, 180, 200]
    assert capsys.readouterr().out == ""
    np.testing.assert_array_equal(spins, sample_lattices(BETAS, 8, seed=5))


@pytest.mark.usefixtures("driver")
def test_memory_for_not_even_one_lattice_is_an_error_with_a_way_out(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "cupy", fake_cupy(tmp_path, array_bytes=63))
    with pytest.raises(DeviceError, match=r"does not hold a single lattice of L = 8 .* use cpu\."):
        sample_lattices(BETAS, 8, seed=5, device="cuda")


@pytest.mark.usefixtures("driver")
def test_a_compiler_that_fails_is_an_error_with_a_way_out(monkeypatch, tmp_path):
    cupy = fake_cupy(tmp_path)

    def fail(**_):
        raise OSError("libnvrtc.so.13: cannot open shared object file")

    monkeypatch.setattr(cupy, "RawModule", lambda **_: types.SimpleNamespace(compile=fail))
    monkeypatch.setitem(sys.modules, "cupy", cupy)
    with pytest.raises(DeviceError, match=r"kernels\.cu cannot be compiled for L = 8 .*libnvrtc"):
        sample_lattices([0.4], 8, seed=1, device="cuda")


class TestOnTheGPU:
    pytestmark = needs_gpu

    @pytest.mark.parametrize("L", [4, 6, 8, 10, 32, 34, 48, 64, 66, 130])
    def test_hybrid_lattices_are_those_of_numba(self, L):
        betas = np.tile([0.0, 0.01, 0.2, 0.4352, 0.6], 40 if L <= 64 else 4)
        options = {"seed": 2**40 + 1, "first_lattice": 77}
        by_cuda = sample_lattices(betas, L, device="cuda", **options)
        np.testing.assert_array_equal(by_cuda, sample_lattices(betas, L, **options))

    @pytest.mark.parametrize(("L", "beta_max"), [(4, 0.44), (10, 0.44), (32, 0.42), (66, 0.3)])
    def test_exact_lattices_are_those_of_numba(self, L, beta_max):
        betas = np.linspace(0.0, beta_max, 200)
        options = {"seed": 9, "first_lattice": 77, "method": "exact"}
        by_cuda = sample_lattices(betas, L, device="cuda", **options)
        np.testing.assert_array_equal(by_cuda, sample_lattices(betas, L, **options))

    def test_many_lattices_are_those_of_numba(self):
        betas = np.full(20_000, 0.4352)
        by_cuda = sample_lattices(betas, 32, seed=1, device="cuda")
        np.testing.assert_array_equal(by_cuda, sample_lattices(betas, 32, seed=1))
