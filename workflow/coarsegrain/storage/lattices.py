"""Sets of lattices as NetCDF4 files, sealed against damage.

HDF5 can loop forever or return other numbers when single bits of a file are flipped. So a seal,
one line with the SHA-256 of everything before it, follows the HDF5 data and is checked before the
HDF5 library sees the file. Readers of NetCDF and HDF5 ignore bytes after the end of the data.
"""

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import h5py
import numpy as np
import numpy.typing as npt

from coarsegrain.storage.hdf5 import Attribute, attributes, chunk_sites, dataset, write_attributes
from coarsegrain.storage.refusal import refusal, refusing

DIMENSIONS = ("sample", "row", "col")
CHUNK_SITES = 2**20  # sites per compressed chunk: 1 MiB
SEAL = b"\ncoarsegrain sha256 "
SEAL_LENGTH = len(SEAL) + 64 + 1
# Deflate codes at most 258 bytes in 2 bits: no file holds more than this times its size.
MOST_COMPRESSION = 1032


@dataclass(frozen=True)
class Lattices:
    """A set of lattices.

    Attributes:
        spins: (n, rows, cols) int8, ±1; 0 marks a tie of the majority rule.
        betas: (n,) float64, the inverse temperature each was sampled at, J = k_B = 1.
        attributes: how they were made: sampler, steps, seed (as text: it has 64 bits), ….
    """

    spins: npt.NDArray[np.int8]
    betas: npt.NDArray[np.float64]
    attributes: dict[str, Attribute]


def write_lattices(
    path: Path,
    spins: npt.NDArray[np.int8],
    betas: npt.NDArray[np.float64],
    attributes: Mapping[str, Attribute],
) -> None:
    """Write a set of lattices; equal content gives equal bytes.

    Args:
        path: the file, replaced if it is there.
        spins: (n, rows, cols) int8 in {−1, 0, +1}.
        betas: (n,) float64.
        attributes: kept with the lattices; integers of up to 63 bits, larger ones as text.
    Raises:
        ValueError: the arrays are no set of lattices.
    """
    problem = _problem_of_layout(
        {"spin": (spins.dtype, spins.shape), "beta": (betas.dtype, betas.shape)}
    ) or _problem_of_values(spins, betas)
    if problem:
        raise ValueError(f"the set of lattices for {path} {problem}.")
    import h5netcdf

    n, rows, cols = spins.shape
    samples = min(n, max(1, CHUNK_SITES // (rows * cols)))
    packed = {"compression": "gzip", "compression_opts": 1}
    # As xarray writes it, to the byte: its import, with that of pandas, takes longer than sampling.
    with h5netcdf.File(path, "w") as file:
        file.dimensions = dict(zip(DIMENSIONS, spins.shape))
        spin = file.create_variable(
            "spin", DIMENSIONS, spins.dtype, chunks=(samples, rows, cols), **packed
        )
        spin.attrs["coordinates"] = "beta"
        beta = file.create_variable("beta", DIMENSIONS[:1], betas.dtype, chunks=(n,), **packed)
        spin[...], beta[...] = spins, betas
    write_attributes(path, attributes)
    _seal(path)


def read_lattices(path: Path) -> Lattices:
    """Read a set of lattices that ``write_lattices`` wrote.

    Raises:
        StorageError: the file is missing, damaged or no set of lattices; the sentence names it.
    """
    with refusing(path, "a set of lattices"):
        _check_seal(path)
        with h5py.File(path, "r") as file:
            found = {name: dataset(file, name) for name in ("spin", "beta")}
            arrays = {name: each for name, each in found.items() if each is not None}
            problem = _problem_of_layout(
                {name: (each.dtype, each.shape or ()) for name, each in arrays.items()}
            ) or _problem_of_size(arrays["spin"], arrays["beta"], path.stat().st_size)
            if problem:
                raise refusal(path, problem)
            spins, betas = arrays["spin"][...], arrays["beta"][...]
            kept = attributes(file)
    problem = _problem_of_values(spins, betas)
    if problem:
        raise refusal(path, problem)
    return Lattices(spins, betas, kept)


def _problem_of_layout(arrays: Mapping[str, tuple[np.dtype, tuple[int, ...]]]) -> str | None:
    """What is wrong with the types and shapes of ``spin`` and ``beta``, if anything."""
    for name, dtype in (("spin", np.int8), ("beta", np.float64)):
        if name not in arrays:
            return f"holds no variable {name}, so it is no set of lattices"
        if arrays[name][0] != dtype:
            return f"holds {name} as {arrays[name][0]}, not as {np.dtype(dtype)}"
    spins, betas = arrays["spin"][1], arrays["beta"][1]
    if len(spins) != 3:
        return f"holds spin with {len(spins)} dimensions, not with 3 (sample, row, col)"
    if 0 in spins:
        return f"holds no spins: its shape is {spins}"
    if max(spins[1:]) not in (min(spins[1:]), 2 * min(spins[1:])):
        return f"holds lattices of {spins[1]} x {spins[2]} sites, neither square nor half a square"
    if betas != spins[:1]:
        return f"holds {spins[0]} lattices, but beta of shape {betas}"
    return None


def _problem_of_size(spins: h5py.Dataset, betas: h5py.Dataset, size: int) -> str | None:
    """Whether so many numbers fit into a file of ``size`` bytes, and each piece into memory."""
    n, rows, cols = spins.shape
    if spins.size + 8 * betas.size > MOST_COMPRESSION * size:
        return f"declares {n} lattices of {rows} x {cols}, more than its size can hold"
    if chunk_sites(spins) > max(CHUNK_SITES, rows * cols) or chunk_sites(betas) > n:
        return "is packed in larger pieces than ours are"
    return None


def _problem_of_values(spins: npt.NDArray[np.int8], betas: npt.NDArray[np.float64]) -> str | None:
    if spins.min() < -1 or spins.max() > 1:
        return "holds spins other than −1, +1 and 0 (a tie)"
    if not (np.isfinite(betas).all() and betas.min() >= 0):
        return "holds a beta that is negative or not a number"
    return None


def _seal(path: Path) -> None:
    with path.open("r+b") as file:
        digest = _digest(file, path.stat().st_size)
        file.seek(0, os.SEEK_END)
        file.write(SEAL + digest + b"\n")


def _check_seal(path: Path) -> None:
    with path.open("rb") as file:
        content = path.stat().st_size - SEAL_LENGTH
        file.seek(max(content, 0))
        seal = file.read(SEAL_LENGTH)  # looked at first: a huge file without one costs nothing
        file.seek(0)
        if not seal.startswith(SEAL) or seal != SEAL + _digest(file, content) + b"\n":
            raise refusal(path, "is cut short, damaged, or no set of lattices of coarsegrain")


def _digest(file: BinaryIO, length: int) -> bytes:
    """Hexadecimal SHA-256 of the first ``length`` bytes, read in pieces."""
    sha256 = hashlib.sha256()
    for start in range(0, length, 2**20):
        sha256.update(file.read(min(2**20, length - start)))
    return sha256.hexdigest().encode()
