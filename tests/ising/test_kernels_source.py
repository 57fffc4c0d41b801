"""kernels.cu without a GPU: compiled by NVRTC, and executed on the CPU, bit for bit as numba.

The kernels run through ``cupy_backend`` itself, on a CuPy that is made of numpy and a C compiler.
"""

import itertools
import sys

import numpy as np
import pytest
from fake_cupy import compile_as_c, fake_cupy
from nvrtc import compile_with_nvrtc

from coarsegrain import device
from coarsegrain.ising.sampler import cupy_backend, sample_lattices
from coarsegrain.ising.sampler.coupling import sample_exactly
from coarsegrain.ising.sampler.cupy_backend import SOURCE, compile_options, sample_exactly_on_gpu
from coarsegrain.ising.sampler.heat_bath import heat_bath_sweep
from coarsegrain.ising.sampler.layout import LANES, pack_spins, row_layout, unpack_spins
from coarsegrain.ising.sampler.thresholds import thresholds

SEED = 0xFEDCBA9876543210
BETAS = np.array([0.0, 0.01, 0.2, 0.4352, 0.45, 0.6, 1.5])


@pytest.fixture(scope="module", autouse=True)
def cupy_on_the_cpu(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "cupy", fake_cupy(tmp_path_factory.mktemp("kernels")))
        patch.setattr(device, "missing_for_a_gpu", lambda libraries: "")
        yield


def both(betas, L, **options):
    """The lattices by numba and by the CUDA source."""
    by_numba = sample_lattices(betas, L, seed=SEED, **options)
    return by_numba, sample_lattices(betas, L, seed=SEED, device="cuda", **options)


@pytest.mark.parametrize("L", [4, 6, 8, 10, 12, 24, 32, 34, 48, 62, 64])
def test_source_gives_the_lattices_of_numba(L):
    steps = 30 if L <= 32 else 8
    by_numba, by_source = both(np.tile(BETAS, 10), L, first_lattice=1000, steps=steps)
    np.testing.assert_array_equal(by_source, by_numba)


@pytest.mark.parametrize(("L", "steps"), [(66, 4), (128, 3), (130, 3)])
def test_source_gives_the_lattices_of_numba_with_several_words_per_row(L, steps):
    by_numba, by_source = both(np.repeat([0.01, 0.4352, 0.6], 3), L, first_lattice=5, steps=steps)
    np.testing.assert_array_equal(by_source, by_numba)


@pytest.mark.slow
def test_source_gives_the_lattices_of_numba_with_sixteen_words_per_row():
    by_numba, by_source = both([0.43, 0.45], 1024, steps=2)
    np.testing.assert_array_equal(by_source, by_numba)


@pytest.mark.parametrize("L", [8, 32])
def test_chains_of_the_default_length_agree(L):
    by_numba, by_source = both(np.linspace(0.3, 0.5, 300), L)
    np.testing.assert_array_equal(by_source, by_numba)


@pytest.mark.parametrize("shards", [1, 3, 7])
@pytest.mark.parametrize("method", ["hybrid", "exact"])
def test_shards_do_not_show(shards, method):
    betas = np.linspace(0.0, 0.4, 100)
    expected = sample_lattices(betas, 10, seed=SEED, first_lattice=2**31, method=method)
    edges = np.linspace(0, 100, shards + 1).astype(int)
    parts = [
        sample_lattices(betas[a:b], 10, seed=SEED, first_lattice=2**31 + int(a), method=method,
                        device="cuda")
        for a, b in itertools.pairwise(edges)
    ]  # fmt: skip
    np.testing.assert_array_equal(np.concatenate(parts), expected)


@pytest.mark.parametrize(
    ("L", "beta_max"), [(4, 0.44), (6, 0.44), (10, 0.44), (32, 0.4), (34, 0.3), (48, 0.3),
                        (64, 0.25), (66, 0.25), (130, 0.2)]
)  # fmt: skip
def test_exact_samples_and_their_sweeps_are_those_of_numba(L, beta_max):
    beta = np.linspace(0.0, beta_max, 100 if L <= 32 else 6)
    k0, k1 = np.uint64(SEED & 0xFFFFFFFF), np.uint64(SEED >> 32)
    spins, sweeps = sample_exactly(beta, 7, k0, k1, row_layout(L))
    by_source = sample_exactly_on_gpu(beta, 7, SEED, L)
    np.testing.assert_array_equal(by_source[0], spins)
    np.testing.assert_array_equal(by_source[1], sweeps)


@pytest.mark.parametrize("L", [10, 32, 34])
def test_sweeps_alone_are_those_of_the_heat_bath(L, tmp_path):
    n, layout = LANES, row_layout(L)
    spins = np.random.default_rng(L).choice(np.array([-1, 1], np.int8), size=(n, L, L))
    words = np.zeros((1, layout.word_rows, layout.words_per_row, LANES), np.uint64)
    pack_spins(spins, words, layout)
    t = thresholds(np.linspace(0.0, 0.6, n))
    k0, k1 = np.uint64(3), np.uint64(4)
    state = words[0].copy()  # the layout of the GPU is that of one group
    for step in range(5, 9):
        args = (t.against_2, t.against_4, np.uint64(step), np.uint64(9), k0, k1, layout)
        heat_bath_sweep(words[0], *args)

    cupy = fake_cupy(tmp_path)
    module = cupy.RawModule(code=SOURCE.read_text(), backend="nvrtc", options=macros(L))
    module.compile()
    numbers = [np.uint32(k) for k in (n, 9, 5, 4, 3, 4)]
    sweeps = module.get_function("heat_bath_sweeps")
    sweeps((2,), (LANES // 2,), (state, t.against_2, t.against_4, *numbers))
    np.testing.assert_array_equal(state, words[0])
    back = np.zeros_like(spins)
    unpack_spins(words, back, layout)
    assert (back != spins).any()


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("k1 += 0xBB67AE85u", "k1 -= 0xBB67AE85u"),  # Philox
        ("undecided &= ~(threshold_bits", "undecided |= ~(threshold_bits"),  # comparison
        ("g |= (g & seam) >> span(w);", "g |= (g & seam) >> 1;"),  # the cluster across the seam
        ("bottom ? exchange_halves(down)", "!bottom ? exchange_halves(down)"),  # bonds
        ("odd ^ vertical_odd;", "odd | vertical_odd;"),  # local field
        ("undecided &= two | four;", "undecided &= two & four;"),  # heat bath
    ],
)
def test_a_wrong_operator_in_the_source_does_not_go_unnoticed(right, wrong, tmp_path, monkeypatch):
    source = SOURCE.read_text()
    assert right in source
    broken = tmp_path / "broken.cu"
    broken.write_text(source.replace(right, wrong))
    monkeypatch.setattr(cupy_backend, "SOURCE", broken)
    folder = tmp_path / "libraries"
    folder.mkdir()
    monkeypatch.setitem(sys.modules, "cupy", fake_cupy(folder))
    # One step: some of these would make a second one run for ever.
    by_numba, by_source = both(np.full(50, 0.4352), 10, steps=1)
    assert (by_source != by_numba).any()


def macros(L: int) -> tuple[str, ...]:
    return tuple(f"-D{name}={value}" for name, value in compile_options(L).items())


@pytest.mark.parametrize("architecture", [80, 90])
@pytest.mark.parametrize("L", [32, 34, 64, 130])
def test_source_compiles_for_the_gpu_without_a_warning(L, architecture):
    compiled, log, ptx = compile_with_nvrtc(
        SOURCE.read_text(), f"--gpu-architecture=sm_{architecture}", *macros(L)
    )
    assert compiled, log  # down to machine code: registers and shared memory suffice
    assert "error" not in log
    assert "warning" not in log, log
    for kernel in ("cold_start", "advance", "heat_bath_sweeps", "exact", "unpack_spins"):
        assert f".entry {kernel}(" in ptx
    assert ".f32" not in ptx  # integers only
    assert ".f64" not in ptx


def test_source_that_is_no_cuda_does_not_compile():
    compiled, log, _ = compile_with_nvrtc(
        SOURCE.read_text().replace("KERNEL advance(u64 *words", "KERNEL advance(u65 *words"),
        "--gpu-architecture=compute_90", *macros(32),
    )  # fmt: skip
    assert not compiled
    assert "u65" in log


def test_source_is_plain_c_for_every_way_to_fill_words(tmp_path):
    for L in (4, 62, 66, 4096):
        compile_as_c(SOURCE.read_text(), macros(L), tmp_path)  # warnings are errors
