"""What ``device: auto`` is: settled once for a run, before any spec is made of it.

Sums depend on the device in their last bits, so a training's spec names it; "auto" there would make
everything anew where ``cpu`` gives the same bytes, and nothing where a GPU gives others.
"""

import os

from coarsegrain.device import missing_for_a_gpu

#: Tells processes that Snakemake starts for single jobs, and that read the rules again, what it is.
SETTLED = "COARSEGRAIN_AUTO_DEVICE"


def settled_device(device: str, *, plans: bool, cluster: bool) -> tuple[str, str]:
    """The device that jobs are told, ``cpu`` or ``cuda``, and why ``auto`` is no GPU, if it is not.

    Args:
        device: that of the config.
        plans: whether this process plans a run. Else it was started for one job and goes by what
            the one that planned it found, wherever it runs itself.
        cluster: whether other machines run the jobs. No GPU is asked for then, so ``auto`` is
            ``cpu``.
    """
    if device != "auto":
        return device, ""
    missing = ""
    if plans:
        missing = "jobs run on other machines" if cluster else _missing()
        os.environ[SETTLED] = "cpu" if missing else "cuda"
    return os.environ.get(SETTLED, "cpu"), missing


def _missing() -> str:
    """What is missing for a GPU here. CuPy is asked for first: to ask torch takes seconds."""
    return missing_for_a_gpu(("cupy",)) or missing_for_a_gpu(("torch",))
