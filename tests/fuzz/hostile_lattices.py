"""Read forged NetCDF files: sealed as ours are, but with anything inside.

    python tests/fuzz/hostile_lattices.py EMPTY_FOLDER FIRST LAST    random damage, by seed
    python tests/fuzz/hostile_lattices.py EMPTY_FOLDER NAME...       of FORGERIES

A program of its own, since HDF5 could crash or never return. Prints how each file was answered.
"""

import hashlib
import os
import signal
import sys
import zlib
from pathlib import Path

import h5py
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "workflow"))

from limits import judged

from coarsegrain.storage.lattices import SEAL, SEAL_LENGTH, _seal, read_lattices, write_lattices

SPINS = np.random.default_rng(1).choice(np.array([-1, 1], np.int8), size=(20, 8, 8))
BETAS = np.linspace(0.01, 0.6, 20)
FORGERIES = {}
SECONDS = 60  # of the clock, for one file


def forgery(make):
    FORGERIES[make.__name__] = make
    return make


@forgery
def external_storage(file):
    file["beta"] = BETAS[:1]
    file.create_dataset("spin", (1, 8, 8), "i1", external=[("/etc/passwd", 0, 64)])


@forgery
def external_link(file):
    file["beta"] = BETAS
    file["spin"] = h5py.ExternalLink("good.nc", "/spin")


@forgery
def external_link_to_a_pipe(file):
    file["beta"] = BETAS
    file["spin"] = h5py.ExternalLink("pipe", "/spin")


@forgery
def external_link_beside_the_lattices(file):
    good(file)
    file["more"] = h5py.ExternalLink("pipe", "/spin")


@forgery
def soft_link(file):
    good(file)
    file.move("spin", "other")
    file["spin"] = h5py.SoftLink("/other")


@forgery
def soft_link_to_itself(file):
    file["beta"] = BETAS
    file["spin"] = h5py.SoftLink("/spin")


@forgery
def group_that_holds_itself(file):
    good(file)
    file.create_group("more")["again"] = file["/"]


@forgery
def virtual(file):
    file["beta"] = BETAS
    layout = h5py.VirtualLayout((20, 8, 8), "i1")
    layout[:] = h5py.VirtualSource("good.nc", "spin", shape=(20, 8, 8))
    file.create_virtual_dataset("spin", layout)


@forgery
def virtual_over_a_pipe(file):
    file["beta"] = BETAS
    layout = h5py.VirtualLayout((20, 8, 8), "i1")
    layout[:] = h5py.VirtualSource("pipe", "spin", shape=(20, 8, 8))
    file.create_virtual_dataset("spin", layout)


@forgery
def two_gigabytes_in_one_chunk(file):
    file["beta"] = BETAS
    spins = file.create_dataset(
        "spin", (20, 8, 8), "i1", maxshape=(None, 8, 8), chunks=(2**25, 8, 8), compression="gzip"
    )
    spins.id.write_direct_chunk((0, 0, 0), zeros(2**31))


@forgery
def half_a_gigabyte_in_a_chunk_of_the_size_declared(file):
    n = 2**17
    file.create_dataset("beta", data=np.zeros(n), chunks=(n,), compression="gzip")
    spins = file.create_dataset("spin", (n, 64, 64), "i1", chunks=(n, 64, 64), compression="gzip")
    spins.id.write_direct_chunk((0, 0, 0), zeros(2**29))


@forgery
def quintillion_lattices(file):
    n = 2**60
    file.create_dataset("spin", (n, 8, 8), "i1", chunks=(1024, 8, 8))
    file.create_dataset("beta", (n,), "f8", chunks=(1024,))


@forgery
def twice_deflated(file):
    filters(file, [(h5py.h5z.FILTER_DEFLATE, (9,))] * 2)


@forgery
def filter_of_a_plugin(file):
    filters(file, [(32015, (1,))])


@forgery
def scale_and_offset(file):
    filters(file, [(h5py.h5z.FILTER_SCALEOFFSET, (2, 0))])


@forgery
def strings(file):
    file["beta"] = BETAS
    file.create_dataset("spin", data=np.array(["a"] * 20, object), dtype=h5py.string_dtype())


@forgery
def references(file):
    file["beta"] = BETAS
    file.create_dataset("spin", (20, 8, 8), h5py.ref_dtype)


@forgery
def lists_of_any_length(file):
    file["beta"] = BETAS
    file.create_dataset("spin", (20, 8, 8), h5py.vlen_dtype(np.int8))


@forgery
def compound(file):
    file["beta"] = BETAS
    file["spin"] = np.zeros((20, 8, 8), [("up", "i1")])


@forgery
def big_endian(file):
    file["beta"] = BETAS.astype(">f8")
    file["spin"] = SPINS


@forgery
def group_instead(file):
    file["beta"] = BETAS
    file.create_group("spin")


@forgery
def nothing_instead(file):
    file["beta"] = BETAS
    file["spin"] = h5py.Empty("i1")


@forgery
def many_attributes(file):
    good(file)
    for k in range(5000):
        file.attrs[f"a{k}"] = k


@forgery
def large_attribute(file):
    good(file)
    file.attrs.create("a", np.zeros(2**24, np.uint8))


@forgery
def long_text(file):
    good(file)
    file.attrs["a"] = np.bytes_(b"x" * 2**20)


@forgery
def text_of_variable_length(file):
    good(file)
    file.attrs["a"] = "x"


@forgery
def text_that_is_none(file):
    good(file)
    kind = h5py.string_dtype("utf-8", 2)
    file.attrs.create("a", np.array(b"\xff\xfe", kind), dtype=kind)


@forgery
def reference_as_attribute(file):
    good(file)
    file.attrs["a"] = file["spin"].ref


@forgery
def name_with_escape_codes(file):
    good(file)
    file.attrs["\x1b[31m\n"] = file["spin"].ref


def good(file):
    file["beta"] = BETAS
    file["spin"] = SPINS


def filters(file, chosen):
    file["beta"] = BETAS
    properties = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    properties.set_chunk((20, 8, 8))
    for number, values in chosen:
        properties.set_filter(number, h5py.h5z.FLAG_OPTIONAL, values)
    space = h5py.h5s.create_simple((20, 8, 8))
    h5py.h5d.create(file.id, b"spin", h5py.h5t.NATIVE_INT8, space, properties)


def zeros(number):
    """So many zeros, deflated: equal blocks, then the empty last one and the checksum."""
    packer, piece = zlib.compressobj(9), bytes(2**20)
    first, block = (packer.compress(piece) + packer.flush(zlib.Z_FULL_FLUSH) for _ in range(2))
    checksum = (number % 65521) << 16 | 1
    return first + block * (number // 2**20 - 1) + b"\x03\0" + checksum.to_bytes(4, "big")


def damaged(whole, seed):
    """``whole`` with a few bits, bytes or numbers changed, or a piece cut out or doubled."""
    rng = np.random.default_rng(seed)
    content = bytearray(whole)
    for _ in range(rng.integers(1, 4)):
        at = int(rng.integers(len(content)))
        kind = rng.integers(5)
        if kind < 2:
            content[at] ^= 1 << int(rng.integers(8))
        elif kind == 2:
            content[at] = int(rng.integers(256))
        elif kind == 3:
            number = (0, 2**64 - 1, 2**63 - 1, 2**32, 1000)[rng.integers(5)]
            content[at : at + 8] = number.to_bytes(8, "little")
        else:
            piece = content[at : at + int(rng.integers(1, 9))]
            content[at : at + len(piece)] = piece * int(rng.choice([0, 2]))
    return bytes(content)


def main(folder, *what):
    os.chdir(folder)
    path = Path("set.nc").resolve()
    write_lattices(path, SPINS, BETAS, {"sampler": "Wolff + heat bath", "steps": 40, "x": 0.5})
    whole = path.read_bytes()[:-SEAL_LENGTH]
    if what[0] in FORGERIES:
        Path("good.nc").write_bytes(path.read_bytes())
        os.mkfifo("pipe")
        for name in what:
            print(f"{name}\t", end="", flush=True)  # the last one told is the one that killed
            libver = "latest" if "attribute" in name or "text" in name else None
            with h5py.File(path, "w", libver=libver) as file:
                FORGERIES[name](file)
            _seal(path)
            signal.alarm(SECONDS)
            answer = judged(read_lattices, path)
            print(answer if isinstance(answer, str) else "read")
        return
    read = 0
    for seed in range(*map(int, what)):
        content = damaged(whole, seed)
        path.write_bytes(content + SEAL + hashlib.sha256(content).hexdigest().encode() + b"\n")
        print(f"seed {seed}", flush=True)
        signal.alarm(SECONDS)
        answer = judged(read_lattices, path)
        assert not isinstance(answer, str) or str(path) in answer
        read += not isinstance(answer, str)
    print(f"{read} read")


if __name__ == "__main__":
    main(*sys.argv[1:])
