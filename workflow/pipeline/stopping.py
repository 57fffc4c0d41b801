"""Signals that ask a training to stop with a checkpoint."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def asked_to_stop(what: str = "epoch") -> Iterator[Callable[[], bool]]:
    """Until its end, SIGTERM and Ctrl-C ask to stop after the epoch; asked again, stop at once.

    Args:
        what: after which the training can stop, in the message.
    """
    asked: list[int] = []

    def on_signal(number: int, frame: object) -> None:
        if asked:
            raise KeyboardInterrupt
        asked.append(number)
        print(f"asked to stop: after this {what}, with a checkpoint", flush=True)

    before = {
        number: signal.signal(number, on_signal) for number in (signal.SIGTERM, signal.SIGINT)
    }
    try:
        yield lambda: bool(asked)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
