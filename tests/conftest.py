"""What all tests share: settings, and one finished smoke run."""

import os
import shutil
import signal

import pytest
from filelock import FileLock
from hypothesis import settings

from checkouts import KERNELS, PROJECT, Checkout
from pipeline.environment import digest_of_kernels

# Every kernel is compiled once, by whichever test needs it first, and kept where the runs of this
# checkout keep theirs. Before any module with kernels is imported.
os.environ["COARSEGRAIN_KERNEL_CACHE"] = "1"
os.environ["NUMBA_CACHE_DIR"] = str(PROJECT / KERNELS / digest_of_kernels())

# One numeric thread, as the pipeline has by default: with more, tests side by side get slow.
for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[variable] = "1"

# The same examples on every run: a failure is then the change's, not chance's.
settings.register_profile("repeatable", derandomize=True, database=None)
settings.load_profile("repeatable")

# A shell that starts tests in the background has them ignore Ctrl-C, and so all that they start.
signal.signal(signal.SIGINT, signal.default_int_handler)

# Python imports it in every job, from workflow/ of a copy.
RECORDER = PROJECT / "tests" / "staleness" / "recorder" / "sitecustomize.py"


# What takes longest comes first, so that no worker is left alone with it.
LONGEST = ("cluster", "staleness")


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: not set(LONGEST).intersection(item.path.parts))


@pytest.fixture
def checkout(tmp_path):
    return Checkout.at(tmp_path)


def recorded(name, start, tmp_path_factory, **options):
    """A checkout in which the smoke preset has run, and a folder of what its jobs really did.

    Workers that run tests side by side share it, so tests must not even dry-run in it.

    Args:
        name: of the run.
        start: makes the checkout in a folder.
        options: of ``Checkout.smoke``.
    """
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    done, records, ended = shared / name, shared / f"{name}-records", shared / f"{name}-has-ended"
    with FileLock(shared / f"{name}.lock"):
        if not ended.exists():
            records.mkdir()
            checkout = start(done)
            checkout.take_kernels(Checkout(PROJECT))
            recorder = done / "workflow" / RECORDER.name
            shutil.copy(RECORDER, recorder)
            run = checkout.smoke(variables={"COARSEGRAIN_RECORDING": str(records)}, **options)
            recorder.unlink()
            assert run.returncode == 0, run.stdout
            ended.touch()
    return Checkout(done), records


@pytest.fixture(scope="session")
def recorded_smoke_run(tmp_path_factory):
    """The smoke preset, from nothing."""
    return recorded("smoke", Checkout.at, tmp_path_factory)


@pytest.fixture(scope="session")
def all_studies(tmp_path_factory):
    """Settings laid over the smoke preset."""
    path = tmp_path_factory.mktemp("settings") / "studies.yaml"
    path.write_text("studies: [autoencoder, rbm, neuralrg]\n")
    return path


@pytest.fixture(scope="session")
def recorded_run_of_all(recorded_smoke_run, all_studies, tmp_path_factory):
    """Studies B and C, added to the finished run of study A."""
    start = recorded_smoke_run[0].copied
    return recorded("all", start, tmp_path_factory, changes=[all_studies])


@pytest.fixture(scope="session")
def smoke_run(recorded_smoke_run, tmp_path_factory):
    """A checkout in which the smoke preset has run, for tests that leave it as it is."""
    return recorded_smoke_run[0].copied(tmp_path_factory.mktemp("smoke") / "run")


@pytest.fixture
def copy(smoke_run, tmp_path):
    """A copy of the finished run, to edit, damage and go on from."""
    return smoke_run.copied(tmp_path / "copy")


@pytest.fixture
def warm_checkout(checkout, smoke_run):
    """A checkout in which nothing has run, but kernels are compiled."""
    checkout.take_kernels(smoke_run)
    return checkout
