"""Files come back as they were written, or are refused with a sentence."""

import os
import string
import time
import tracemalloc
from typing import NamedTuple

import h5py
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from safetensors.numpy import save_file

from coarsegrain.errors import StorageError
from coarsegrain.storage.hdf5 import write_attributes
from coarsegrain.storage.lattices import _seal, read_lattices, write_lattices
from coarsegrain.storage.tables import read_table, write_rows, write_table
from coarsegrain.storage.weights import read_weights, write_weights

ATTRIBUTES = {"sampler": "Wolff + heat bath", "steps": 40, "seed": str(2**64 - 1), "share": 0.1}


def spins(n=20, rows=8, cols=8):
    return np.random.default_rng(1).choice(np.array([-1, 1], np.int8), size=(n, rows, cols))


def betas(n=20):
    return np.linspace(0.01, 0.6, n)


def weights():
    rng = np.random.default_rng(2)
    return {"0.weight": rng.normal(size=(6, 3)).astype(np.float32), "0.bias": rng.normal(size=3)}


def table():
    return pd.DataFrame({"beta": [0.1, 1 / 3, np.nan], "net": ["a", "", "c, d"], "n": [1, 2, 3]})


class Format(NamedTuple):
    name: str
    write: object
    read: object
    same: object


def same_lattices(found):
    return (
        np.array_equal(found.spins, spins())
        and np.array_equal(found.betas, betas())
        and found.attributes == ATTRIBUTES
    )


def same_weights(found):
    tensors, metadata = found
    return metadata == {"net": "CG-8-4", "loss": "hinge"} and all(
        np.array_equal(tensors[name], array) for name, array in weights().items()
    )


FORMATS = [
    Format(
        "set.nc",
        lambda path: write_lattices(path, spins(), betas(), ATTRIBUTES),
        read_lattices,
        same_lattices,
    ),
    Format(
        "net.safetensors",
        lambda path: write_weights(path, weights(), {"net": "CG-8-4", "loss": "hinge"}),
        read_weights,
        same_weights,
    ),
    Format("table.csv", lambda path: write_table(path, table()), read_table, table().equals),
]
SEALED = FORMATS[:2]


def by_name(each):
    return each.name


@pytest.fixture(params=FORMATS, ids=by_name)
def any_format(request):
    return request.param


def refused(read, path):
    """The sentence ``read`` refuses ``path`` with."""
    with pytest.raises(StorageError) as error:
        read(path)
    assert str(path) in str(error.value)
    assert str(error.value).endswith(".")
    assert "\n" not in str(error.value)
    return str(error.value)


def test_what_is_written_is_read_back(any_format, tmp_path):
    path = tmp_path / any_format.name
    any_format.write(path)
    assert any_format.same(any_format.read(path))


def test_writing_replaces_the_file_that_is_there(any_format, tmp_path):
    path = tmp_path / any_format.name
    path.write_bytes(b"something longer than what comes " * 10000)
    any_format.write(path)
    assert any_format.same(any_format.read(path))


def test_equal_content_gives_equal_bytes(any_format, tmp_path):
    first, second = tmp_path / f"a-{any_format.name}", tmp_path / f"b-{any_format.name}"
    any_format.write(first)
    time.sleep(1.1)  # HDF5 keeps times in seconds where it keeps them
    any_format.write(second)
    assert first.read_bytes() == second.read_bytes()


@settings(max_examples=30, deadline=None)
@given(
    found=hnp.arrays(
        np.int8, st.tuples(st.integers(1, 5), *[st.just(6)] * 2), elements=st.integers(-1, 1)
    ),
    attributes=st.dictionaries(
        st.text(string.ascii_lowercase, min_size=1, max_size=8),
        st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
        | st.integers(-(2**63), 2**63 - 1)
        | st.floats(allow_nan=False),
        max_size=4,
    ),
)
def test_any_lattices_and_attributes_are_read_back(found, attributes, tmp_path_factory):
    path = tmp_path_factory.mktemp("any") / "set.nc"
    write_lattices(path, found, np.full(len(found), 0.4), attributes)
    read = read_lattices(path)
    assert np.array_equal(read.spins, found)
    assert (read.spins.dtype, read.betas.dtype) == (np.int8, np.float64)
    assert read.attributes == attributes
    assert {k: type(v) for k, v in read.attributes.items()} == {
        k: type(v) for k, v in attributes.items()
    }


@settings(max_examples=50, deadline=None)
@given(
    tensors=st.dictionaries(
        st.text(string.ascii_letters + "._0", min_size=1, max_size=8),
        hnp.arrays(
            st.sampled_from([np.float32, np.float64, np.int64, np.uint8]),
            hnp.array_shapes(min_dims=0, min_side=0),
        ).filter(lambda array: np.isfinite(array).all()),
        min_size=1,
        max_size=4,
    ),
    metadata=st.dictionaries(
        st.text(max_size=8), st.text(st.characters(exclude_categories=["Cs"])), max_size=4
    ),
)
def test_any_weights_and_metadata_are_read_back(tensors, metadata, tmp_path_factory):
    path = tmp_path_factory.mktemp("any") / "net.safetensors"
    write_weights(path, tensors, metadata)
    read, found = read_weights(path)
    assert found == metadata
    assert list(read) == sorted(tensors)
    for name, array in tensors.items():
        assert read[name].dtype == array.dtype
        assert read[name].shape == array.shape
        assert read[name].tobytes() == array.tobytes()


def test_transposed_weights_are_stored_as_they_look(tmp_path):
    transposed = np.arange(6.0).reshape(2, 3).T
    write_weights(tmp_path / "w", {"w": transposed}, {})
    assert np.array_equal(read_weights(tmp_path / "w")[0]["w"], transposed)


def test_columns_of_a_table_keep_their_types(tmp_path):
    frame = table().assign(kept=[True, False, True], name=["x", None, "y"])
    write_table(tmp_path / "t.csv", frame)
    pd.testing.assert_frame_equal(read_table(tmp_path / "t.csv"), frame)


def test_table_without_rows_keeps_its_columns(tmp_path):
    write_table(tmp_path / "t.csv", table().iloc[:0])
    assert list(read_table(tmp_path / "t.csv")) == ["beta", "net", "n"]


@settings(max_examples=100, deadline=None)
@given(numbers=st.lists(st.floats(), min_size=1))
def test_floats_of_a_table_come_back_exactly(numbers, tmp_path_factory):
    path = tmp_path_factory.mktemp("any") / "table.csv"
    write_table(path, pd.DataFrame({"x": np.asarray(numbers)}))
    assert np.array_equal(read_table(path)["x"].to_numpy(float), numbers, equal_nan=True)


def test_single_precision_in_a_table_comes_back_as_the_equal_double(tmp_path):
    numbers = np.random.default_rng(3).random(100, dtype=np.float32)
    write_table(tmp_path / "t.csv", pd.DataFrame({"x": numbers}))
    assert np.array_equal(read_table(tmp_path / "t.csv")["x"], numbers.astype(np.float64))


def test_table_has_unix_lines_and_no_index(tmp_path):
    write_table(tmp_path / "t.csv", pd.DataFrame({"beta": [0.1], "net": ["a"]}))
    assert (tmp_path / "t.csv").read_bytes() == b"beta,net\n0.1,a\n"


def test_table_that_lacks_a_column_is_refused_by_its_name(tmp_path):
    write_table(tmp_path / "t.csv", table())
    assert list(read_table(tmp_path / "t.csv", ["n", "beta"])) == ["beta", "net", "n"]
    sentence = refused(lambda path: read_table(path, ["beta", "epoch"]), tmp_path / "t.csv")
    assert "no column epoch (it has beta, net, n)" in sentence


def test_ten_thousand_lattices_are_written_in_half_a_second(tmp_path):
    many = spins(10_000, 32, 32)
    start = time.process_time()
    write_lattices(tmp_path / "set.nc", many, betas(10_000), {})
    assert time.process_time() - start < 0.5
    assert (tmp_path / "set.nc").stat().st_size < many.nbytes / 4


def test_reading_lattices_takes_little_more_memory_than_they_have(tmp_path):
    write_lattices(tmp_path / "set.nc", spins(20_000, 32, 32), betas(20_000), {})
    read_lattices(tmp_path / "set.nc")  # imports, caches
    tracemalloc.start()
    found = read_lattices(tmp_path / "set.nc")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1.1 * found.spins.nbytes + 2**21


def test_lattices_open_in_any_reader_of_netcdf(tmp_path):
    write_lattices(tmp_path / "set.nc", spins(), betas(), ATTRIBUTES)
    with xr.open_dataset(tmp_path / "set.nc") as file:
        assert file["spin"].dims == ("sample", "row", "col")
        assert np.array_equal(file.coords["beta"], betas())


@pytest.mark.parametrize("shape", [(5, 6, 6), (3, 8, 4), (1200, 32, 32)])
def test_lattices_are_written_as_xarray_writes_them_to_the_byte(shape, tmp_path):
    write_lattices(tmp_path / "set.nc", spins(*shape), betas(shape[0]), ATTRIBUTES)
    chunks = (min(shape[0], 2**20 // (shape[1] * shape[2])), *shape[1:])
    packed = {"zlib": True, "complevel": 1}
    xr.Dataset(
        {"spin": (("sample", "row", "col"), spins(*shape))},
        coords={"beta": ("sample", betas(shape[0]))},
    ).to_netcdf(
        tmp_path / "xarray.nc",
        engine="h5netcdf",
        encoding={
            "spin": {**packed, "chunksizes": chunks},
            "beta": {**packed, "chunksizes": shape[:1], "_FillValue": None},
        },
    )
    write_attributes(tmp_path / "xarray.nc", ATTRIBUTES)
    _seal(tmp_path / "xarray.nc")
    assert (tmp_path / "set.nc").read_bytes() == (tmp_path / "xarray.nc").read_bytes()


ROW = {
    "name": st.text(st.characters(codec="utf-8", exclude_characters="\0")),
    "n": st.integers(-(2**63), 2**63 - 1),
    "x": st.floats(),
    "single": st.floats(width=32).map(np.float32),
    "passed": st.booleans(),
}


@given(st.lists(st.tuples(*ROW.values()), min_size=1, max_size=5))
def test_rows_are_written_as_tables_to_the_byte(tmp_path_factory, values):
    rows = [dict(zip(ROW, each)) for each in values]
    folder = tmp_path_factory.mktemp("tables")
    write_rows(folder / "rows.csv", rows)
    write_table(folder / "table.csv", pd.DataFrame(rows))
    assert (folder / "rows.csv").read_bytes() == (folder / "table.csv").read_bytes()


@pytest.mark.parametrize("rows", [[{}], [{" ": 1}], [{"a": 1}, {"b": 1}]])
def test_rows_with_columns_that_no_table_has_are_not_written(tmp_path, rows):
    with pytest.raises(ValueError, match="the table for"):
        write_rows(tmp_path / "rows.csv", rows)
    assert not (tmp_path / "rows.csv").exists()


def test_step_between_two_decimations_is_half_a_square(tmp_path):
    for rows, cols in ((8, 4), (4, 8)):
        write_lattices(tmp_path / "set.nc", spins(3, rows, cols), betas(3), {})
        assert read_lattices(tmp_path / "set.nc").spins.shape == (3, rows, cols)


def test_missing_file_is_refused(any_format, tmp_path):
    assert "does not exist" in refused(any_format.read, tmp_path / any_format.name)


def test_folder_is_refused(any_format, tmp_path):
    refused(any_format.read, tmp_path)


@pytest.mark.parametrize(
    "content", [b"", b"\n", b"\0" * 5000, b"# a\ntext, file\n", os.urandom(3000) + b"\n"]
)
def test_foreign_file_is_refused(any_format, content, tmp_path):
    path = tmp_path / any_format.name
    path.write_bytes(content)
    refused(any_format.read, path)


def test_one_format_is_refused_by_the_readers_of_the_others(tmp_path):
    for written in FORMATS:
        path = tmp_path / written.name
        written.write(path)
        for other in FORMATS:
            if other is not written:
                refused(other.read, path)


def test_foreign_netcdf_and_safetensors_are_refused(tmp_path):
    xr.Dataset({"t": ("x", [1.0])}).to_netcdf(tmp_path / "other.nc", engine="h5netcdf")
    assert "no set of lattices" in refused(read_lattices, tmp_path / "other.nc")
    save_file({"w": np.ones(3)}, tmp_path / "other.safetensors", metadata={"format": "np"})
    assert "no set of weights" in refused(read_weights, tmp_path / "other.safetensors")


@pytest.mark.parametrize("eighth", range(8))
@pytest.mark.parametrize("each", SEALED, ids=by_name)
def test_truncated_file_is_refused(each, eighth, tmp_path):
    path = tmp_path / each.name
    each.write(path)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) * eighth // 8])
    refused(each.read, path)
    path.write_bytes(whole[: -1 - eighth])
    refused(each.read, path)


def test_table_cut_inside_a_line_is_refused(tmp_path):
    write_table(tmp_path / "t.csv", table())
    whole = (tmp_path / "t.csv").read_bytes()
    for length in range(len(whole)):
        (tmp_path / "t.csv").write_bytes(whole[:length])
        if not whole[:length].endswith(b"\n"):
            refused(read_table, tmp_path / "t.csv")


def test_table_with_cells_too_few_or_too_many_is_refused(tmp_path):
    for text in ("a,b\n1\n", "a,b\n1,2,3\n", "a,b\n1,2\n\n", "a,a\n1,2\n", "a,\n1,2\n", 'a\n"1\n'):
        (tmp_path / "t.csv").write_text(text)
        refused(read_table, tmp_path / "t.csv")


def mutated(whole, seed):
    """``whole`` with a few bits flipped, bytes replaced, or a piece cut out or doubled."""
    rng = np.random.default_rng(seed)
    content = bytearray(whole)
    for _ in range(rng.integers(1, 4)):
        at = int(rng.integers(len(content)))
        kind = rng.integers(4)
        if kind < 2:
            content[at] ^= 1 << int(rng.integers(8))
        elif kind == 2:
            content[at] = int(rng.integers(256))
        else:
            piece = content[at : at + int(rng.integers(1, 9))]
            content[at : at + len(piece)] = piece * int(rng.choice([0, 2]))
    return bytes(content)


@pytest.mark.parametrize("each", SEALED, ids=by_name)
def test_damaged_file_is_refused_or_read_back_equal(each, tmp_path):
    path = tmp_path / each.name
    each.write(path)
    whole, refusals = path.read_bytes(), []
    for seed in range(400):
        path.write_bytes(mutated(whole, seed))
        try:
            assert each.same(each.read(path)), f"seed {seed}: read back, but not as written"
        except StorageError as error:
            refusals.append(str(error))
    assert len(refusals) > 300
    assert all(str(path) in sentence for sentence in refusals)


def test_damaged_table_is_refused_or_has_the_columns_asked_for(tmp_path):
    write_table(tmp_path / "t.csv", table())
    whole, refusals = (tmp_path / "t.csv").read_bytes(), []
    for seed in range(400):
        (tmp_path / "t.csv").write_bytes(mutated(whole, seed))
        try:
            assert {"beta", "n"} <= set(read_table(tmp_path / "t.csv", ["beta", "n"]))
        except StorageError as error:
            refusals.append(str(error))
    assert len(refusals) > 50
    assert all("t.csv" in sentence for sentence in refusals)


def sealed(path, arrays):
    """A sealed HDF5 file with ``arrays``: what only another program of ours could write."""
    with h5py.File(path, "w") as file:
        for name, array in arrays.items():
            file.create_dataset(name, data=array)
    _seal(path)
    return path


BAD_SETS = {
    "no variable spin": {"beta": betas()},
    "no variable beta": {"spin": spins()},
    "spin as float64": {"spin": spins().astype(float), "beta": betas()},
    "beta as float32": {"spin": spins(), "beta": betas().astype(np.float32)},
    "2 dimensions": {"spin": spins()[0], "beta": betas()},
    "neither square": {"spin": spins(20, 6, 8), "beta": betas()},
    "no spins": {"spin": spins()[:0], "beta": betas()[:0]},
    "spins other than": {"spin": 2 * spins(), "beta": betas()},
    "beta of shape (19,)": {"spin": spins(), "beta": betas()[1:]},
    "negative": {"spin": spins(), "beta": -betas()},
    "not a number": {"spin": spins(), "beta": betas() * np.nan},
}


@pytest.mark.parametrize("fragment", BAD_SETS)
def test_arrays_that_are_no_set_of_lattices_are_refused(fragment, tmp_path):
    arrays = BAD_SETS[fragment]
    assert fragment in refused(read_lattices, sealed(tmp_path / "set.nc", arrays))
    if {"spin", "beta"} <= set(arrays):
        with pytest.raises(ValueError, match=r"set\.nc"):
            write_lattices(tmp_path / "set.nc", arrays["spin"], arrays["beta"], {})


def test_huge_declared_lattices_are_refused_before_memory_is_taken(tmp_path):
    path, n = tmp_path / "set.nc", 4_000_000
    with h5py.File(path, "w") as file:
        file.create_dataset("spin", shape=(n, 1024, 1024), dtype=np.int8, chunks=(1, 1024, 1024))
        file.create_dataset("beta", shape=(n,), dtype=np.float64, chunks=(1000,))
    _seal(path)
    tracemalloc.start()
    assert "more than its size can hold" in refused(read_lattices, path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**24


def test_huge_declared_weights_are_refused(tmp_path):
    header = b'{"w":{"dtype":"F32","shape":[1000000000000],"data_offsets":[0,4000000000000]}}'
    for length in (len(header), 2**40):
        (tmp_path / "w").write_bytes(length.to_bytes(8, "little") + header + b"\0" * 64)
        refused(read_weights, tmp_path / "w")


@pytest.mark.parametrize(
    ("tensors", "fragment"),
    [
        ({}, "no arrays"),
        ({"w": np.array([1.0, np.nan])}, "not finite"),
        ({"w": np.array([1.0, np.inf], np.float32)}, "not finite"),
        ({"w": np.ones(2, np.float16)}, "float16"),
        ({"w": np.array(["a"])}, "<U1"),
    ],
)
def test_arrays_that_are_no_weights_are_not_written(tensors, fragment, tmp_path):
    with pytest.raises(ValueError, match=fragment):
        write_weights(tmp_path / "w", tensors, {})
    assert not (tmp_path / "w").exists()


def test_weights_that_are_not_finite_are_refused(tmp_path):
    write_weights(tmp_path / "w", {"w": np.array([1.5, 2.5])}, {})
    content = (tmp_path / "w").read_bytes()
    nan = np.array(np.nan).tobytes()
    (tmp_path / "w").write_bytes(content.replace(np.array(2.5).tobytes(), nan))
    assert "not finite" in refused(read_weights, tmp_path / "w")
