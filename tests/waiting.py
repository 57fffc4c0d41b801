"""Waiting for what happens, however slow or busy the machine is."""

import time

# Seconds. For what never happens; so long that no machine is too slow for what does.
LIMIT = 40 * 60


def wait_until(condition, *, process=None, told=lambda: ""):
    """Wait until something holds; return its value.

    Args:
        condition: asked again and again.
        process: what must not end before; then it is no use to wait.
        told: what to say if it is in vain.
    """
    end = time.monotonic() + LIMIT
    while True:
        over = process is not None and process.poll() is not None
        value = condition()  # after that: the last thing a process does counts
        if value:
            return value
        assert not over, f"the process has ended:\n{told()}"
        assert time.monotonic() < end, f"this does not happen:\n{told()}"
        time.sleep(0.05)


def read_if_there(path):
    """The text of a file that may not be there yet, or not at the moment."""
    try:
        return path.read_text()
    except FileNotFoundError:
        return ""
