"""A spoilt file of a compiled kernel costs compiling again, and nothing else."""

import os
import subprocess
import sys

import pytest

from checkouts import PROJECT

CODE = """
from coarsegrain.jit import kernel

@kernel
def twice(x):
    return 2 * x

print(twice(3), twice(1.5), sum(twice.stats.cache_hits.values()))
"""


@pytest.fixture
def answer(tmp_path):
    """What a new process prints: two answers, and how many kernels it found compiled."""
    (tmp_path / "doubling.py").write_text(CODE)

    def run(folder=tmp_path / "kernels"):
        done = subprocess.run(
            [sys.executable, "doubling.py"],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(PROJECT / "workflow"),
                 "COARSEGRAIN_KERNEL_CACHE": "1", "NUMBA_CACHE_DIR": str(folder)},
            capture_output=True,
            text=True,
            check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout.split()

    return run


def flipped(content):
    return content[:-99] + bytes([content[-99] ^ 1]) + content[-98:]


SPOILT = {
    "empty": lambda _: b"",
    "cut short": lambda content: content[: len(content) // 2],
    "zeros": lambda content: bytes(len(content)),
    "one bit": flipped,
}


@pytest.mark.slow
def test_a_spoilt_kernel_is_compiled_again_and_never_run(answer, tmp_path):
    assert answer() == ["6", "3.0", "0"]
    assert answer() == ["6", "3.0", "2"]
    files = list((tmp_path / "kernels").rglob("*.nbc"))
    assert len(files) == 2
    for spoil in SPOILT.values():
        for file in files:
            file.write_bytes(spoil(file.read_bytes()))
        assert answer() == ["6", "3.0", "0"]
        assert answer() == ["6", "3.0", "2"]
    first, second = (file.read_bytes() for file in files)
    files[0].write_bytes(second)  # as of two processes that write at a time
    files[1].write_bytes(first)
    assert answer() == ["6", "3.0", "0"]
    assert not list((tmp_path / "kernels").rglob("*.tmp.*"))


HASHING = """
import sys
from coarsegrain.jit import kernel

@kernel
def hashed(x):
    return hash((x, 1.5))

print(hashed(3) == hash((3, 1.5)), sum(hashed.stats.cache_hits.values()))
print("numba.np.linalg" in sys.modules, "scipy.linalg" in sys.modules)
"""


def test_machine_code_from_disk_runs_without_what_it_was_compiled_with(answer, tmp_path):
    compiler = "print('numba.np.linalg' in sys.modules, 'scipy.linalg' in sys.modules)"
    (tmp_path / "doubling.py").write_text(f"import sys{CODE}{compiler}")
    assert answer() == ["6", "3.0", "0", "True", "True"]
    assert answer() == ["6", "3.0", "2", "False", "False"]


def test_machine_code_that_hashes_finds_the_random_key_of_its_process(answer, tmp_path):
    (tmp_path / "doubling.py").write_text(HASHING)
    assert answer() == ["True", "0", "True", "True"]
    assert answer() == ["True", "1", *answer()[2:]]


def test_where_no_kernel_can_be_kept_it_is_compiled_and_runs(answer, tmp_path):
    (tmp_path / "file").touch()
    assert answer(tmp_path / "file/kernels") == ["6", "3.0", "0"]
