"""Markdown tables, the machine they were measured on, and the file that keeps them."""

import math
import os
import platform
import re
import shlex
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from statistics import median

_NEW_FILE = "# Benchmarks\n\nWritten by the programs in `benchmarks/`, each into its own section.\n"


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def spread(values: Sequence[float], digits: int = 3) -> str:
    """Median [smallest – largest], in that many significant digits."""
    middle, low, high = (rounded(f(values), digits) for f in (median, min, max))
    return f"{middle} [{low} – {high}]"


def rounded(value: float, digits: int = 3) -> str:
    """In so many significant digits, with thousands apart and without an exponent."""
    if value == 0:
        return "0"
    before_point = math.floor(math.log10(abs(value))) + 1
    return f"{round(value, digits - before_point):,.{max(digits - before_point, 0)}f}"


def machine(load_before: float, packages: Sequence[str]) -> str:
    """Date, processor, load, versions and command line."""
    cores = os.cpu_count() or 1
    load = os.getloadavg()[0]
    versions = ", ".join(f"{package} {version(package)}" for package in packages)
    return "\n".join(
        [
            f"- Date: {datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
            f"- Machine: {_processor()}, {cores} cores, {platform.system()} {platform.machine()}",
            f"- Processes waiting for a core, before and after: {load_before:.1f} and {load:.1f}"
            " (after a run of one or two processes on a calm machine: 1 to 2)",
            f"- Versions: Python {platform.python_version()}, {versions}",
            f"- Command: `python {shlex.join(sys.argv)}`",
        ]
    )


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        text = cpuinfo.read_text()
        fields = dict(re.findall(r"^(model name|cpu family|model|cpu MHz)\s*: (.*)$", text, re.M))
        if "model name" in fields:
            avx = ", AVX-512" if "avx512f" in text else ", AVX2" if "avx2" in text else ""
            family = f"family {fields.get('cpu family', '?')} model {fields.get('model', '?')}"
            return f"{fields['model name']} ({family}{avx})"
    return platform.processor() or platform.machine()


def keep(section: str, text: str, file: Path) -> None:
    """Put the text into its section of the file: between two comments, instead of what is there."""
    begin, end = f"<!-- begin: {section} -->", f"<!-- end: {section} -->"
    block = f"{begin}\n{text}\n{end}"
    old = file.read_text() if file.exists() else _NEW_FILE
    if begin in old:
        head, _, rest = old.partition(begin)
        new = head + block + rest.partition(end)[2]
    else:
        new = f"{old.rstrip()}\n\n{block}\n"
    file.write_text(new)
