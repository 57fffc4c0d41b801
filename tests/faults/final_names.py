"""Who touches files under their final names, as the kernel tells it: inotify."""

import ctypes
import os
import struct
from pathlib import Path

MODIFY, MOVED_TO, CREATE, OVERFLOW, NEW_FOLDER = 0x2, 0x80, 0x100, 0x4000, 0x40000000
EVENT = struct.Struct("iIII")


class FinalNames:
    """Watches folders from now on. It misses nothing: the kernel queues all that happens.

    A file is half-written in other programs' eyes if it is there under its final name while bytes
    are still added to it. A name that only ever appears by renaming, and is never written to,
    always stands for whole bytes; whether they are the right ones is seen when it appears.
    """

    def __init__(self, folders):
        libc = ctypes.CDLL(None, use_errno=True)
        self._file = libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        assert self._file >= 0
        self._folders = {}
        for folder in folders:
            watch = libc.inotify_add_watch(
                self._file, os.fsencode(folder), MODIFY | MOVED_TO | CREATE
            )
            assert watch >= 0, os.strerror(ctypes.get_errno())
            self._folders[watch] = Path(folder)

    def told(self):
        """What happened since: (what, path) for names that are not hidden.

        A number after # is the kernel's for a file that has no name.
        """
        told, pieces = [], b""
        while True:
            try:
                pieces = os.read(self._file, 1 << 20)
            except BlockingIOError:
                return told
            while pieces:
                watch, what, _, length = EVENT.unpack_from(pieces)
                assert not what & OVERFLOW
                name = os.fsdecode(pieces[EVENT.size : EVENT.size + length].rstrip(b"\0"))
                pieces = pieces[EVENT.size + length :]
                if not name.startswith((".", "#")) and not what & NEW_FOLDER:
                    told.append((what, self._folders[watch] / name))
