"""Records what a process of the pipeline really does: files it opens, spec keys it reads.

Python imports a module of this name by itself when it starts. A test puts it into ``workflow/`` of
a copy of the project, which every job has on its PYTHONPATH, and names a folder for the records in
COARSEGRAIN_RECORDING. Nothing here knows which module imports which, or which job needs which: the
interpreter's own audit events tell.
"""

import argparse
import atexit
import json
import os
import sys
import time
from importlib.util import source_from_cache

WORKFLOW = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(WORKFLOW)
FOLDER = os.environ.get("COARSEGRAIN_RECORDING")
# A process started by a stage belongs to the stage's job.
JOB = os.environ.setdefault("COARSEGRAIN_RECORDED_JOB", f"{os.getpid()}-{time.time_ns()}")
# These read files to tell of them, not to compute from them.
BOOKKEEPING = tuple(
    os.path.join(WORKFLOW, "pipeline", name) for name in ("digest.py", "sidecars.py")
)
IMPORT = "<frozen importlib"
JSON_ENCODER = os.sep + os.path.join("json", "encoder.py")

code: set[str] = set()  # project modules that were imported
read: set[str] = set()
written: set[str] = set()
given: set[str] = set()  # leaves of the spec, by dotted path
used: set[str] = set()  # those that the stage looked at


def listen(event, arguments):
    """Keep what the interpreter tells of files under the project."""
    if event == "open":
        path, _, flags = arguments
        if isinstance(path, str | bytes | os.PathLike) and isinstance(flags, int):
            keep(os.fsdecode(path), writes=bool(flags & (os.O_WRONLY | os.O_RDWR)))
    elif event == "os.rename":  # os.replace too
        written.add(inside(os.fsdecode(arguments[1])))


def inside(path):
    """A path relative to the project; empty if it is elsewhere."""
    whole = os.path.abspath(path)
    return whole[len(ROOT) + 1 :] if whole.startswith(ROOT + os.sep) else ""


def keep(path, *, writes):
    """Sort an opened file in."""
    relative = inside(path)
    if not relative:
        return
    if writes:
        written.add(relative)
        return
    reader = who_opens()
    if relative.endswith((".py", ".pyc")):
        if reader == "an import":
            code.add(source_from_cache(relative) if relative.endswith(".pyc") else relative)
    elif reader != "bookkeeping":
        read.add(relative)


def who_opens():
    """Which of these is the nearest caller: an import, bookkeeping, or other code."""
    frame = sys._getframe(2)
    while frame is not None:
        file = frame.f_code.co_filename
        if file.startswith(IMPORT):
            return "an import"
        if file in BOOKKEEPING:
            return "bookkeeping"
        frame = frame.f_back
    return "other code"


class Watched(dict):
    """A part of a spec that notes which of its leaves are looked at."""

    def __init__(self, values, prefix=""):
        super().__init__({key: watched(value, f"{prefix}{key}.") for key, value in values.items()})
        self._prefix = prefix
        given.update(prefix + key for key, value in self.items() if not is_branch(value))

    def _note(self, *keys):
        # what turns the whole spec into JSON does so to tell of it
        if sys._getframe(2).f_code.co_filename.endswith(JSON_ENCODER):
            return
        used.update(
            self._prefix + key
            for key in keys
            if key in dict.keys(self) and not is_branch(dict.__getitem__(self, key))
        )

    def __getitem__(self, key):
        self._note(key)
        return super().__getitem__(key)

    def get(self, key, default=None):
        """As a dict's."""
        self._note(key)
        return super().get(key, default)

    def pop(self, key, *default):
        """As a dict's."""
        self._note(key)
        return super().pop(key, *default)

    def __contains__(self, key):
        self._note(key)
        return super().__contains__(key)

    def __iter__(self):  # overridden, so that ** asks for every item
        return iter(list(dict.keys(self)))

    def keys(self):
        """As a dict's."""
        return list(dict.keys(self))

    def items(self):
        """As a dict's."""
        items = list(dict.items(self))
        self._note(*dict.keys(self))
        return items

    def values(self):
        """As a dict's."""
        self._note(*dict.keys(self))
        return list(dict.values(self))


def watched(value, prefix):
    """The same value; dicts, also those in lists, note what is looked at."""
    if isinstance(value, dict):
        return Watched(value, prefix)
    if isinstance(value, list):
        return [watched(each, prefix) for each in value]
    return value


def is_branch(value):
    """Whether keys of its own stand below it."""
    return isinstance(value, dict) or (
        isinstance(value, list) and any(isinstance(each, dict) for each in value)
    )


def parse_args(self, *arguments, **options):
    """As argparse's, with the stage's spec watched."""
    namespace = parse_args_of_argparse(self, *arguments, **options)
    if isinstance(getattr(namespace, "spec", None), dict):
        namespace.spec = Watched(namespace.spec)
        used.clear()  # looked at only while it was made
    return namespace


def write():
    """One file per process."""
    record = {
        "job": JOB,
        "command": sys.orig_argv[1:],
        "code": sorted(code),
        "read": sorted(read - {""}),
        "written": sorted(written - {""}),
        "given": sorted(given),
        "used": sorted(used),
    }
    path = os.path.join(FOLDER, f"{JOB}.{os.getpid()}.json")
    with open(path, "w") as file:
        json.dump(record, file)


if FOLDER:
    parse_args_of_argparse = argparse.ArgumentParser.parse_args
    argparse.ArgumentParser.parse_args = parse_args
    atexit.register(write)
    sys.addaudithook(listen)
