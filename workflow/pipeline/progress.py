"""Progress of long work: a bar on a terminal, a line now and then in a log."""

import sys
import time
from collections.abc import Callable

from tqdm import tqdm

SECONDS_BETWEEN_LINES = 10.0


def reporter(what: str, total: int, unit: str) -> Callable[..., None]:
    """A function to call with the number done so far and, if there is one, a figure to show.

    Args:
        what: the work, e.g. ``"Model-1, member 0"``.
        total: the number at which it is done.
        unit: what is counted, e.g. ``"epochs"``.
    """
    if sys.stderr.isatty():
        bar = tqdm(total=total, desc=what, unit=f" {unit}")

        def on_terminal(done: int, figure: float | None = None) -> None:
            bar.update(done - bar.n)
            if figure is not None:
                bar.set_postfix_str(f"{figure:.5f}")

        return on_terminal

    begin = last = time.monotonic()

    def in_log(done: int, figure: float | None = None) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last < SECONDS_BETWEEN_LINES and done < total:
            return
        last = now
        shown = "" if figure is None else f", objective {figure:.5f}"
        print(f"{what}: {done} of {total} {unit} in {now - begin:.0f} s{shown}", flush=True)

    return in_log
