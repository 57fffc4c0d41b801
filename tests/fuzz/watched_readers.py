"""Read every format, whole and spoilt, in a process where anything else is an error.

    python tests/fuzz/watched_readers.py EMPTY_FOLDER

A program of its own: Python has no way to take an audit hook back.
"""

import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "workflow"))

from coarsegrain.errors import CoarsegrainError
from coarsegrain.nets.network import Layer, Network, read_network, write_network
from coarsegrain.storage.json_files import read_json
from coarsegrain.storage.lattices import read_lattices, write_lattices
from coarsegrain.storage.tables import read_table, write_table
from pipeline.config_file import read_config_file
from pipeline.sidecars import read_record, sidecar_path, write_sidecar

PROJECT = Path(__file__).resolve().parents[2]
FORBIDDEN = {
    "pickle.find_class", "marshal.load", "marshal.loads", "exec", "compile", "os.system",
    "os.exec", "os.posix_spawn", "os.fork", "subprocess.Popen", "ctypes.dlopen", "socket.connect",
    "os.remove", "os.rename", "os.mkdir", "os.chmod", "os.symlink",
}  # fmt: skip


def main(folder):
    lattices, net, table = (folder / name for name in ("a.nc", "a.safetensors", "a.csv"))
    plain, config = folder / "a.json", folder / "config.yaml"
    spins = np.ones((4, 8, 8), np.int8)
    write_lattices(lattices, spins, np.full(4, 0.4), {"steps": 3, "sampler": "Wolff"})
    write_network(net, Network((Layer(np.ones((4, 2))),)))
    write_table(table, pd.DataFrame({"beta": [0.1], "net": ["a"]}))
    plain.write_text(json.dumps({"a": [1.5]}))
    config.write_bytes((PROJECT / "config.yaml").read_bytes())
    write_sidecar(lattices, content=lattices, stage="s", spec={}, code="c", inputs={}, facts={})

    readers = [
        (read_lattices, lattices, lattices),
        (read_network, net, net),
        (read_table, table, table),
        (read_json, plain, plain),
        (read_config_file, config, config),
        (read_record, lattices, sidecar_path(lattices)),
    ]
    for read, path, _ in readers:  # all imports happen here
        read(path)
        try:
            read(folder / "absent")
        except CoarsegrainError:
            continue

    watched = []

    def watch(event, arguments):
        if not watched:
            return
        if event in FORBIDDEN:
            raise AssertionError(f"{event}{arguments}")
        if event == "open" and (str(arguments[0]) != watched[0] or "w" in (arguments[1] or "")):
            raise AssertionError(f"opened {arguments}")

    sys.addaudithook(watch)
    spoilt = b"\x80\x04cbuiltins\nprint\n."  # what pickle would make a function of
    read_, refused = 0, 0
    for read, path, opened in readers:
        watched[:] = [str(opened)]
        read(path)
        watched.clear()
        read_ += 1
        opened.write_bytes(spoilt if opened is not config else b"a: !!python/name:print\n")
        watched[:] = [str(opened)]
        try:
            read(path)
        except CoarsegrainError:
            refused += 1
        watched.clear()
    print(f"read {read_} formats, refused {refused}")
    watched[:] = [""]
    try:
        sys.audit("pickle.find_class", "builtins", "print")  # as unpickling tells of it
    except AssertionError:
        print("the watch works")
    watched.clear()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
