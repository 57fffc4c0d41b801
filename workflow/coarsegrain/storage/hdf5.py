"""Arrays and attributes of an HDF5 file as plain data, looked at before anything is read.

An HDF5 file may say that its arrays lie in other files (external links, external storage, virtual
datasets), that a filter found on this machine unpacks them, or that a few bytes unpack to a chunk
of gigabytes. Nothing of that is ours, so it is refused before HDF5 follows it.
"""

import math
from collections.abc import Mapping
from pathlib import Path

import h5py
import numpy as np
from h5py import h5a, h5d, h5l, h5t, h5z

Attribute = str | int | float

FILTERS = (h5z.FILTER_DEFLATE, h5z.FILTER_SHUFFLE)
MOST_ATTRIBUTES = 100
LONGEST_TEXT = 2**16  # bytes
# Written into every NetCDF file by the library; it is not ours.
HIDDEN = "_NCProperties"


def dataset(file: h5py.File, name: str) -> h5py.Dataset | None:
    """The dataset of that name in the file itself, not read yet; None if there is none.

    Raises:
        ValueError: the numbers lie elsewhere, or are packed as ours never are; a clause says how.
    """
    links = file.id.links  # file[name] would follow a link into another file
    if not links.exists(name.encode()):
        return None
    if links.get_info(name.encode()).type != h5l.TYPE_HARD:
        raise ValueError(f"{name} is a link to another place")
    found = file[name]
    if not isinstance(found, h5py.Dataset):
        return None
    properties = found.id.get_create_plist()
    if properties.get_layout() == h5d.VIRTUAL or properties.get_external_count():
        raise ValueError(f"the numbers of {name} lie in other files")
    filters = [properties.get_filter(k)[0] for k in range(properties.get_nfilters())]
    if not set(filters) <= set(FILTERS) or len(set(filters)) < len(filters):
        raise ValueError(f"{name} is packed with filters {filters}, not with deflate")
    return found


def chunk_sites(found: h5py.Dataset) -> int:
    """How many numbers are unpacked at a time; 0 if they are not packed."""
    return math.prod(found.chunks) if found.chunks else 0


def write_attributes(path: Path, values: Mapping[str, Attribute]) -> None:
    """Add attributes to an HDF5 file.

    Text is written with a fixed length. Text of variable length, which HDF5 libraries write if not
    told otherwise, lies in a heap that HDF5 reads forever if a forged file says so. The order is
    that of the names: equal attributes, equal bytes.
    """
    with h5py.File(path, "r+") as file:
        for name, value in sorted(values.items()):
            if isinstance(value, str):
                text = value.encode()
                kind = h5py.string_dtype("utf-8", max(1, len(text)))
                file.attrs.create(name, np.array(text, kind), dtype=kind)
            else:
                file.attrs[name] = value


def attributes(file: h5py.File) -> dict[str, Attribute]:
    """All attributes of the file: text, integers and floats.

    Raises:
        ValueError: there are too many, or one is something else; a clause says so.
    """
    if len(file.attrs) > MOST_ATTRIBUTES:
        raise ValueError(f"it has {len(file.attrs)} attributes, at most {MOST_ATTRIBUTES} are ours")
    found: dict[str, Attribute] = {}
    for number in range(len(file.attrs)):
        attribute = h5a.open(file.id, index=number)
        name = attribute.name.decode()
        if name == HIDDEN:
            continue
        kind = attribute.get_type()
        plain = kind.get_class() in (h5t.INTEGER, h5t.FLOAT) or (
            kind.get_class() == h5t.STRING and not kind.is_variable_str()
        )
        if not plain or attribute.shape != () or attribute.get_storage_size() > LONGEST_TEXT:
            raise ValueError(f"its attribute {name!r} is neither a short text nor a number")
        value = np.asarray(file.attrs[name]).item()
        found[name] = value.decode() if isinstance(value, bytes) else value
    return dict(sorted(found.items()))
