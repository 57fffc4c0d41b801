"""A small stage that something happens to at its n-th touch of the file system.

    python sweep.py <folder> <what happens: kill | stop | full | interrupt>

runs the stage again and again in child processes, n = 0, 1, 2, … until one ends undisturbed. Python
tells of every touch (opening, renaming, removing, listing, …) just before it is made, so these are
all moments that other processes can tell apart.
"""

import errno
import json
import os
import signal
import sys
from pathlib import Path

from pipeline import sidecars
from pipeline.stage import Input, Outcome, Output, Spec, run

TOUCHES = (
    "open", "os.rename", "os.mkdir", "os.remove", "os.rmdir", "os.scandir", "os.listdir",
    "os.truncate", "os.utime",
)  # fmt: skip
sidecars.LIBRARIES = ()  # asking for ten versions takes longer than all the rest
UNDISTURBED = 3  # exit status of a run that ended before its moment came


def main(*, source: Input, first: Output, second: Output, spec: Spec) -> Outcome:
    """Write each output in two steps.

    Spec: word.
    """
    number = source.read_text()
    for path in (first, second):
        path.write_text("half")
        path.write_text(f"{spec['word']} {number} {path.suffix}\n" * 3)
    return Outcome({}, no_longer_needed=[first.parent / "kept/until_now"])


def stage(folder, word):
    """Run it as its rule would."""
    os.chdir(folder)
    run(
        main,
        [
            "--source", "source", "--first", "out/net.bin", "--second", "out/net.history.csv",
            "--spec", json.dumps({"word": word}),
        ],
    )  # fmt: skip


def happening(what):
    """What happens, as a function."""
    if what == "kill":
        return lambda: os.kill(os.getpid(), signal.SIGKILL)
    if what == "stop":
        return lambda: os.kill(os.getpid(), signal.SIGSTOP)
    error = {"full": OSError(errno.ENOSPC, "No space left on device"),
             "interrupt": KeyboardInterrupt()}[what]  # fmt: skip

    def raised():
        raise error

    return raised


def is_here(path):
    """Whether a path is one of the stage's, not of Python's libraries; descriptors count, too."""
    return isinstance(path, int) or not os.path.isabs(path)


def start(folder, word, moment=None, what="kill"):
    """Start the stage in a child process, to which something happens at a moment."""
    child = os.fork()
    if child:
        return child
    status = 70
    try:
        log = os.open(Path(folder, "log"), os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(log, 1)
        os.dup2(log, 2)
        touches = iter(range(1_000_000))
        happens = happening(what)

        def touched(event, arguments):
            if event in TOUCHES and is_here(arguments[0]) and next(touches) == moment:
                happens()

        if moment is not None:
            sys.addaudithook(touched)
        stage(folder, word)
        status = UNDISTURBED if moment is not None and next(touches) <= moment else 0
    except (SystemExit, KeyboardInterrupt) as ended:
        os.write(2, f"{getattr(ended, 'code', 'interrupted')}\n".encode())
        status = 1
    except BaseException as error:  # would be a traceback
        os.write(2, f"TRACEBACK {error!r}\n".encode())
    finally:
        os._exit(status)
