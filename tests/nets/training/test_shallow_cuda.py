"""shallow.cu: compiled by NVRTC, and executed without a GPU and on one, bit for bit as numba.

Without a GPU it runs through ``shallow_cuda`` itself, on a CuPy made of numpy and a C compiler.
"""

import importlib
import re
import sys
import types
from typing import NamedTuple

import numpy as np
import pytest
from fake_cupy import compile_as_c, fake_cupy
from nvrtc import compile_with_nvrtc

from coarsegrain.errors import DeviceError
from coarsegrain.nets.network import Layer, Network
from coarsegrain.nets.training import Member, TrainingSettings, glorot_network
from coarsegrain.nets.training.cpu.shallow import ShallowTrainer
from coarsegrain.nets.training.gpu import shallow_cuda as module
from coarsegrain.nets.training.gpu.shallow_cuda import SOURCE, ShallowCudaTrainer
from coarsegrain.nets.training.gpu.shallow_layout import GLOBAL, REGISTERS, SHARED, Sizes
from coarsegrain.nets.training.trainer import OneByOne
from coarsegrain.training.batches import epoch_order

PRECISIONS = ["float32", "float64"]
SHARED_BYTES = 227 * 1024  # that a block may ask for, on an H100


class Case(NamedTuple):
    """A net, the training lattices and the batch."""

    inputs: int
    units: int
    n: int
    batch: int
    members: int = 1
    l1: float = 1e-3
    learning_rate: float = 1e-2

    @property
    def settings(self):
        return TrainingSettings(
            loss="hinge", l1=self.l1, learning_rate=self.learning_rate, adam_betas=(0.9, 0.999),
            adam_epsilon=1e-7, batch_size=self.batch, epochs=9,
        )  # fmt: skip

    def make_members(self, values=(-1, 0, 1)):
        """Members with targets of these values, and starts and seeds of their own."""
        rng = np.random.default_rng(abs(hash(self[:5])))

        def data(n):
            inputs = rng.choice(np.array([-1, 1], dtype=np.int8), size=(n, self.inputs))
            targets = rng.choice(np.array(values, dtype=np.int8), size=(n, self.units))
            return inputs, targets

        sizes, seeds = [self.inputs, self.units], range(self.members)
        starts = [glorot_network(sizes, ["linear"], biases=False, seed=seed) for seed in seeds]
        return [Member(start, data(self.n), data(23), seed) for seed, start in enumerate(starts)]


CASES = [
    Case(1024, 512, 25, 10),
    Case(64, 32, 100, 10, members=3),
    Case(64, 32, 60, 50, members=2),
    Case(64, 32, 20, 1),
    Case(36, 18, 50, 10, members=3),
    Case(36, 18, 130, 64),
    Case(16, 8, 40, 7, members=3),
    Case(16, 8, 40, 50),  # one batch, smaller than it may be
    Case(100, 33, 300, 300),
    Case(1056, 4, 30, 10),  # more inputs than a word per lane has bits
    Case(4096, 5, 23, 10, members=2),
]


@pytest.fixture
def cupy_on_the_cpu(tmp_path_factory, monkeypatch):
    def use(**options):
        cupy = fake_cupy(tmp_path_factory.mktemp("kernels"), **options)
        monkeypatch.setitem(sys.modules, "cupy", cupy)

    use()
    return use


def both(members, settings, precision):
    """The trainers by numba and by the CUDA source."""
    by_numba = [ShallowTrainer(each, settings, precision=precision, threads=1) for each in members]
    return OneByOne(by_numba), ShallowCudaTrainer(members, settings, precision=precision)


def train_epoch(trainers, members, epoch, steps_before=None):
    """What the trainers tell of an epoch: hinge and loss, those of validation, penalty."""
    n, batch = len(members[0].data[0]), trainers[1]._settings.batch_size
    orders = [epoch_order(member.seed, epoch, n) for member in members]
    steps = steps_before or [(epoch - 1) * -(-n // batch)] * len(members)
    return [
        np.column_stack([each.run_epoch(orders, steps), each.evaluate(), each.penalties()])
        for each in trainers
    ]


def differences(trainers, told, number):
    """Which results of the trainers differ in a bit."""
    found = [] if told[0].tobytes() == told[1].tobytes() else ["losses"]
    for k in range(number):
        states = [each.state(k) for each in trainers]
        assert list(states[0]) == list(states[1])
        for name, values in states[0].items():
            assert states[1][name].dtype == values.dtype
            if states[1][name].tobytes() != values.tobytes():
                found.append(f"{name} of member {k}")
    return found


def differences_after_epochs(case, precision, epochs=2, **options):
    members = case.make_members(**options)
    trainers = both(members, case.settings, precision)
    for epoch in range(1, epochs + 1):
        told = train_epoch(trainers, members, epoch)
    return differences(trainers, told, len(members))


def same_as_numba(case, precision):
    assert differences_after_epochs(case, precision) == []


@pytest.mark.usefixtures("cupy_on_the_cpu")
@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("case", CASES, ids=str)
def test_source_trains_the_weights_of_numba(case, precision):
    same_as_numba(case, precision)


@pytest.mark.parametrize(
    ("inputs", "precision", "shared_bytes", "storage"),
    [
        (1024, "float32", SHARED_BYTES, REGISTERS),
        (512, "float64", SHARED_BYTES, REGISTERS),
        (1024, "float64", SHARED_BYTES, SHARED),
        (4096, "float32", 48 * 1024, SHARED),
        (4096, "float32", 48 * 1024 - 1, GLOBAL),
        (16, "float32", 0, REGISTERS),
    ],
)
def test_weights_of_a_unit_stay_where_they_fit(inputs, precision, shared_bytes, storage):
    assert Sizes(inputs, 8, 10, precision, shared_bytes).storage == storage


@pytest.mark.parametrize("precision", PRECISIONS)
def test_weights_in_global_memory_train_the_same(precision, cupy_on_the_cpu):
    cupy_on_the_cpu(shared_bytes=16 * 1024)
    case = Case(2048, 6, 23, 10, members=2)
    trainer = ShallowCudaTrainer(case.make_members(), case.settings, precision=precision)
    assert trainer._sizes.storage == GLOBAL
    same_as_numba(case, precision)


# Changes so small or so large that the fast division would be wrong: then it is not taken.
OUT_OF_RANGE = {
    "no gradient, no penalty": ({"l1": 0.0}, {"values": (0,)}),
    "tiny gradients": ({"l1": 1e-15}, {"values": (0,)}),
    "tiny second moments": ({"l1": 1e-9}, {"values": (0,)}),
    "second moments below normal numbers": ({"l1": 1e-18}, {"values": (0,)}),
    "first moments below normal numbers": ({"l1": 3e-38}, {"values": (0,)}),
    "tiny changes": ({"learning_rate": 1e-22}, {}),
    "large second moments": ({"l1": 1e6}, {}),
    "large changes": ({"learning_rate": 1e9}, {}),
}


@pytest.mark.usefixtures("cupy_on_the_cpu")
@pytest.mark.parametrize("what", OUT_OF_RANGE)
@pytest.mark.parametrize("precision", PRECISIONS)
def test_numbers_out_of_the_fast_range_train_the_same(what, precision):
    changes, options = OUT_OF_RANGE[what]
    case = Case(64, 32, 50, 10, **changes)
    assert differences_after_epochs(case, precision, epochs=3, **options) == []


def members_on_the_kink():
    """Each unit's output is one input, so that 1 - t y is exactly 0 or 2; others are 0."""
    case = Case(64, 32, 40, 8, l1=0.5)
    (member,) = case.make_members(values=(-1, 1))
    weight = np.zeros((64, 32))
    weight[np.arange(32), np.arange(32)] = 1
    return [Member(Network((Layer(weight),)), member.data, member.validation, 0)], case.settings


@pytest.mark.usefixtures("cupy_on_the_cpu")
@pytest.mark.parametrize("precision", PRECISIONS)
def test_the_kink_of_the_hinge_and_weights_of_zero_train_the_same(precision):
    members, settings = members_on_the_kink()
    trainers = both(members, settings, precision)
    assert differences(trainers, train_epoch(trainers, members, 1), 1) == []


@pytest.mark.usefixtures("cupy_on_the_cpu")
@pytest.mark.parametrize("precision", PRECISIONS)
def test_members_at_different_steps_train_as_if_alone(precision):
    case = CASES[1]
    members = case.make_members()
    trainers = both(members, case.settings, precision)
    told = train_epoch(trainers, members, 4, steps_before=[0, 70, 30])
    assert differences(trainers, told, 3) == []


@pytest.mark.usefixtures("cupy_on_the_cpu")
@pytest.mark.parametrize("precision", PRECISIONS)
def test_members_that_are_kept_go_on_as_if_nothing_had_been(precision):
    case = CASES[1]
    members = case.make_members()
    trainers = both(members, case.settings, precision)
    train_epoch(trainers, members, 1)
    for kept in ([2, 0], [1]):
        for each in trainers:
            each.keep(kept)
        members = [members[k] for k in kept]
        assert differences(trainers, train_epoch(trainers, members, 2), len(members)) == []


@pytest.mark.usefixtures("cupy_on_the_cpu")
@pytest.mark.parametrize("precision", PRECISIONS)
def test_a_restored_state_goes_on_as_if_never_interrupted(precision):
    case = CASES[4]
    members = case.make_members()
    on_cpu, first = both(members, case.settings, precision)
    train_epoch((on_cpu, first), members, 1)
    second = ShallowCudaTrainer(members, case.settings, precision=precision)
    for k in range(3):
        second.restore(k, on_cpu._members[k].state())  # checkpoints of a CPU will do
    told = train_epoch((first, second), members, 2)
    assert differences((first, second), told, 3) == []


@pytest.mark.usefixtures("cupy_on_the_cpu")
def test_layers_are_the_weights_in_the_nets_order():
    case = CASES[4]
    members = case.make_members()
    trainer = ShallowCudaTrainer(members, case.settings, precision="float32")
    for k, member in enumerate(members):
        (layer,) = trainer.layers(k)
        np.testing.assert_array_equal(
            layer.weight, member.network.layers[0].weight.astype(np.float32)
        )
        assert (layer.bias, layer.activation) == (None, "linear")


WRONG = {
    "order of the sum over lanes": ("half = 16; half; half /= 2", "half = 1; half < 32; half *= 2"),
    "who gets which sum": ("takes_second ? first : second", "takes_second ? second : first"),
    "order of the sum over blocks": (
        "UNROLL for (int k = 0; k < 32; ++k)",
        "UNROLL for (int k = 31; k >= 0; --k)",
    ),
    "a fused multiply-add": (
        "constants.beta1 * AT(m, block) + constants.one_minus_beta1 * g",
        "multiply_add(constants.beta1, AT(m, block), constants.one_minus_beta1 * g)",
    ),
    "grouping of a product": (
        "constants.one_minus_beta2 * (g * g)",
        "constants.one_minus_beta2 * g * g",
    ),
    "grouping of the output": ("MINE(sum[0]) - sum_of_all;", "(MINE(sum[0]) - sum_of_all);"),
    "forgotten padding": ("LANE >= IN_LAST_BLOCK ? 0", "LANE > 31 ? 0"),
    "sign of ties": ("MINE(has_target) ? -output : zero", "-output"),
    "slope of ties": ("MINE(has_target) && margin", "margin"),
    "lattices beyond the batch": ("rest = size - start < GROUP ? size - start", "rest = 0 ? 0"),
    "losses added up in another precision": ("loss += (double)", "loss = (float)loss +"),
    "a missing digit": ("UNROLL for (int d = 0; d < DIGITS; ++d) {\n                u32 old",
                        "UNROLL for (int d = 1; d < DIGITS; ++d) {\n                u32 old"),
    "the field of a count": ("r = (k + i) % FIELD,", "r = i % (FIELD / 2),"),
    "the member": ("(size_t)slots[here.member] * UNITS", "(size_t)slots[0] * UNITS"),
}  # fmt: skip


@pytest.fixture
def broken(tmp_path, monkeypatch, cupy_on_the_cpu):
    def use(right, wrong):
        source = SOURCE.read_text()
        assert source.count(right) == 1
        path = tmp_path / "broken.cu"
        path.write_text(source.replace(right, wrong))
        monkeypatch.setattr(module, "SOURCE", path)

    return use


@pytest.mark.parametrize("what", WRONG)
def test_a_mistake_in_the_source_does_not_go_unnoticed(what, broken):
    broken(*WRONG[what])
    case = Case(100, 10, 45, 10, members=3)
    members = case.make_members()
    trainers = both(members, case.settings, "float32")
    train_epoch(trainers, members, 1)
    for each in trainers:
        each.keep([2, 1])
    told = train_epoch(trainers, [members[2], members[1]], 2)
    assert differences(trainers, told, 2)


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("margin >= 0;", "margin > 0;"),  # the slope at the kink
        ("if (weight != 0) g +=", "g +="),  # the sign of a weight of 0
    ],
)
def test_a_mistake_at_the_kink_does_not_go_unnoticed(right, wrong, broken):
    broken(right, wrong)
    members, settings = members_on_the_kink()
    trainers = both(members, settings, "float32")
    assert differences(trainers, train_epoch(trainers, members, 1), 1)


@pytest.mark.parametrize("what", [each for each in OUT_OF_RANGE if "changes" not in each])
def test_a_fast_division_out_of_its_range_does_not_go_unnoticed(what, broken):
    broken("!in_range(all, any)", "0")
    changes, options = OUT_OF_RANGE[what]
    case = Case(64, 32, 50, 10, **changes)
    assert differences_after_epochs(case, "float32", epochs=3, **options)


@pytest.mark.parametrize("what", [each for each in OUT_OF_RANGE if "below" in each])
def test_moments_below_normal_numbers_do_not_stay_unnoticed(what, broken):
    broken("return x < tiny && -x < tiny ? zero : x;", "(void)zero; (void)tiny; return x;")
    changes, options = OUT_OF_RANGE[what]
    assert differences_after_epochs(Case(64, 32, 50, 10, **changes), "float32", **options)


# For any square, one product and one e: both ways to the change of a weight.
COMPARISON = """
KERNEL compare(u32 *wrong, u32 first) {
    u32 number = first + 32 * (blockIdx.x * WARPS + threadIdx.x / 32);
    LANES {
        u32 bits = number + LANE, other = bits * 2654435761u;
        float square = ldexpf(1 + (bits & 0x7fffff) * 0x1p-23f, (int)(bits >> 23 & 63) - 63);
        float product = ldexpf(1 + (other & 0x7fffff) * 0x1p-23f, (int)(other >> 23 & 63) - 63);
        float e = other >> 29 & 1 ? 0 : (other >> 8) * 0x1p-40f;
        if (other >> 31) product = -product;
        float change = product / (square_root(square) + e);
        if (!in_range(bits_of(product) & bits_of(square), bits_of(product) | bits_of(square)) ||
            bits_of(fast_change(product, square, e)) != bits_of(change))
            atomicAdd(wrong, 1u);
    }
}
"""


def number_of_wrong_changes(number):
    """Of so many squares, spread over all that are in range."""
    cupy, sizes = importlib.import_module("cupy"), Sizes(64, 32, 10, "float32", SHARED_BYTES)
    code = SOURCE.read_text() + COMPARISON
    kernels = cupy.RawModule(code=code, backend="nvrtc", options=sizes.options)
    kernels.compile()
    wrong = cupy.zeros(1, dtype=np.uint32)
    for first in range(0, 2**29, 2**29 // 64):
        arguments = (wrong, np.uint32(first))
        kernels.get_function("compare")((number // 64 // 128,), (128,), arguments)
    return int(wrong.get()[0])


@pytest.mark.usefixtures("cupy_on_the_cpu")
def test_the_fast_change_is_that_of_division_and_square_root():
    assert number_of_wrong_changes(2**22) == 0


COMPILED = [
    Sizes(1024, 512, 10, "float32", SHARED_BYTES),
    Sizes(1024, 512, 50, "float32", SHARED_BYTES),
    Sizes(1024, 512, 10, "float64", SHARED_BYTES),
    Sizes(36, 18, 7, "float32", SHARED_BYTES),
    Sizes(64, 32, 1, "float64", SHARED_BYTES),
    Sizes(4096, 2048, 10, "float32", SHARED_BYTES),
    Sizes(4096, 2048, 300, "float64", 0),
]


@pytest.mark.parametrize("architecture", [80, 90])
@pytest.mark.parametrize("sizes", COMPILED, ids=str)
def test_source_compiles_for_the_gpu_without_a_warning(sizes, architecture):
    compiled, log, ptx = compile_with_nvrtc(
        SOURCE.read_text() + COMPARISON, f"--gpu-architecture=sm_{architecture}", *sizes.options
    )
    assert compiled, log  # down to machine code: registers and shared memory suffice
    assert log.strip("\0\n") == ""
    for kernel in ("put_in_order", "train", "evaluate", "compare"):
        assert f".entry {kernel}(" in ptx


@pytest.mark.parametrize("sizes", COMPILED, ids=str)
def test_every_operation_rounds_by_itself(sizes):
    _, _, ptx = compile_with_nvrtc(
        SOURCE.read_text(), "--gpu-architecture=compute_90", *sizes.options
    )
    operations = set(
        re.findall(r"\b(?:add|sub|mul|fma|div|sqrt|rcp|rsqrt)\.[.a-z0-9]*f(?:32|64)\b", ptx)
    )
    estimates = {"rcp.approx.ftz.f32", "rsqrt.approx.ftz.f32"}
    # Without .rn, the next compiler would be free to fuse a product and a sum.
    assert {each for each in operations if ".rn." not in each} <= estimates
    # The source's own fused operations: seven a weight in float32 (six of the fast division and
    # square root), one in float64. One more would be a contraction.
    weights = min(sizes.blocks, 32)
    own = {"float32": 7, "float64": 1}[sizes.precision] * weights
    assert len(re.findall(r"\bfma\.rn\.f(?:32|64)\b", ptx)) == own


def test_source_is_plain_c(tmp_path):
    for sizes in COMPILED:
        compile_as_c(SOURCE.read_text(), sizes.options, tmp_path)  # warnings are errors


@pytest.mark.usefixtures("cupy_on_the_cpu")
def test_members_of_unequal_sizes_are_refused_in_a_sentence():
    case = Case(16, 8, 40, 10)
    members = case.make_members() + case._replace(n=41).make_members()
    with pytest.raises(ValueError, match=r"must have equally many lattices .* \[\(40, 23\), \(41"):
        ShallowCudaTrainer(members, case.settings, precision="float32")


def test_no_cupy_is_an_error_with_a_way_out(monkeypatch):
    monkeypatch.setitem(sys.modules, "cupy", None)  # importing it fails
    case = Case(16, 8, 40, 10)
    with pytest.raises(DeviceError, match=r"CuPy cannot be imported .* or use cpu\."):
        ShallowCudaTrainer(case.make_members(), case.settings, precision="float32")


def test_too_little_memory_is_an_error_with_a_way_out(cupy_on_the_cpu):
    cupy_on_the_cpu(array_bytes=8 * 64 * 4)
    case = Case(16, 8, 40, 10, members=2)
    with pytest.raises(DeviceError, match=r"does not hold .* 2 nets of 16 inputs .* or use cpu\."):
        ShallowCudaTrainer(case.make_members(), case.settings, precision="float32")


@pytest.mark.usefixtures("cupy_on_the_cpu")
def test_a_compiler_that_fails_is_an_error_with_a_way_out(monkeypatch):
    def fail():
        raise OSError("libnvrtc.so.13: cannot open shared object file")

    failing = types.SimpleNamespace(compile=fail)
    monkeypatch.setattr(sys.modules["cupy"], "RawModule", lambda **_: failing)
    case = Case(16, 8, 40, 10)
    with pytest.raises(DeviceError, match=r"shallow\.cu cannot be compiled .* 8 units .*libnvrtc"):
        ShallowCudaTrainer(case.make_members(), case.settings, precision="float32")


def gpu_is_there() -> bool:
    try:
        runtime = importlib.import_module("cupy").cuda.runtime
        return bool(runtime.getDeviceCount())
    except (ImportError, RuntimeError):
        return False


needs_gpu = [
    pytest.mark.gpu,
    pytest.mark.skipif(not gpu_is_there(), reason="no CuPy or no CUDA device"),
]


class TestTheFastChangeOnTheGPU:
    pytestmark = needs_gpu

    def test_for_every_square_in_range_it_is_that_of_division_and_square_root(self):
        assert number_of_wrong_changes(2**29) == 0


@pytest.mark.parametrize("precision", PRECISIONS)
class TestOnTheGPU:
    pytestmark = needs_gpu

    @pytest.mark.parametrize("case", CASES, ids=str)
    def test_weights_are_those_of_numba(self, case, precision):
        same_as_numba(case, precision)

    @pytest.mark.parametrize("n", [1003, 2000])
    def test_weights_of_many_steps_are_those_of_numba(self, n, precision):
        same_as_numba(Case(1024, 512, n, 10, members=3, l1=1e-5, learning_rate=1e-3), precision)

    @pytest.mark.parametrize("inputs", [4096, 16384])
    def test_weights_of_large_lattices_are_those_of_numba(self, inputs, precision):
        same_as_numba(Case(inputs, 70, 100, 10, l1=1e-5, learning_rate=1e-3), precision)

    @pytest.mark.parametrize("what", OUT_OF_RANGE)
    def test_numbers_out_of_the_fast_range_train_the_same(self, what, precision):
        changes, options = OUT_OF_RANGE[what]
        case = Case(64, 32, 50, 10, **changes)
        assert differences_after_epochs(case, precision, epochs=3, **options) == []

    def test_the_kink_of_the_hinge_and_weights_of_zero_train_the_same(self, precision):
        members, settings = members_on_the_kink()
        trainers = both(members, settings, precision)
        assert differences(trainers, train_epoch(trainers, members, 1), 1) == []
