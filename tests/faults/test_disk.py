"""What a disk refuses is told in sentences."""

import errno
import os
import subprocess

import pytest

from coarsegrain.errors import CoarsegrainError
from pipeline.disk import check_can_be_written, problem_of


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (OSError(errno.ENOSPC, "x"), "the disk is full; free some space and run again"),
        (OSError(errno.EDQUOT, "x"), "your share of the disk (quota) is used up; free"),
        # as HDF5 says it, without a number of the error's own
        (OSError("Can't write data (errno = 28, error message = 'x')"), "the disk is full; free"),
        (OSError(errno.EROFS, "x", "out/a"), "out/a: read-only file system; mount it for writing"),
        (OSError(errno.EACCES, "x", "out/a"), "out/a: permission denied; change its permissions"),
        (OSError(errno.EIO, "x", "out/a"), "out/a: input/output error."),
        (OSError("h5py says no."), "h5py says no."),
    ],
)
def test_what_is_wrong_with_a_disk_is_told_in_words(error, sentence):
    assert problem_of(error).startswith(sentence)
    assert problem_of(error).endswith(".")


def test_folders_that_can_be_written_or_made_are_passed_without_a_trace(tmp_path):
    check_can_be_written([tmp_path, tmp_path / "not/yet/there"])
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(os.getuid() != 0, reason="only root may mount file systems")
@pytest.mark.parametrize(
    ("options", "told"), [("size=4k", "the disk is full"), ("ro", "read-only file system")]
)
def test_a_folder_that_cannot_be_written_is_named(tmp_path, options, told):
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", tmp_path], check=True)
    try:
        with pytest.raises(CoarsegrainError) as error:
            check_can_be_written([tmp_path / "results/lattices"])
    finally:
        subprocess.run(["umount", tmp_path], check=True)
    assert str(error.value).startswith(f"Nothing can be written to {tmp_path}: {told}")
