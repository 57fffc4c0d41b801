"""Write the conda environments from the pip locks beside this file: python envs/write_conda.py

They name what the stages import, in the locks' versions; what these need in turn is left to conda,
or to a pin file (envs/README.md). ``make lock`` calls this; edit here, not in the YAML files.
"""

import re
import sys
from pathlib import Path

# The Python that the locks are resolved and tested with.
PYTHON = "3.11"
# What the stages import, as PyPI calls it; h5netcdf reads and writes through h5py.
LIBRARIES = [
    "numpy", "scipy", "pandas", "numba", "llvmlite", "torch", "h5netcdf", "h5py",
    "safetensors", "scikit-image", "matplotlib", "cmcrameri", "threadpoolctl", "tqdm", "pyyaml",
]  # fmt: skip
# conda-forge's name where it is another one: pyplot without a desktop's windows is enough.
CONDA_NAMES = {"torch": "pytorch", "matplotlib": "matplotlib-base", "cupy-cuda13x": "cupy"}

CPU = """\
# Written by envs/write_conda.py from requirements.lock: the stages' environment for `--sdm conda`.
# "cpu*": the same build of PyTorch everywhere, also where the solver sees a GPU.
"""
GPU = """\
# Written by envs/write_conda.py from both locks: the environment of the rules that use a GPU, with
# `device: cuda`. cupy brings NVRTC along; the driver is the machine's, 580 or newer for CUDA 13.
# "cuda*": never silently PyTorch's CPU build. Where the solver sees no GPU, as on a cluster's login
# node, tell it what the driver will offer: CONDA_OVERRIDE_CUDA=13.0
"""


def locked(lock: Path) -> dict[str, str]:
    """Version of every distribution in a pip lock, by its name in small letters."""
    lines = re.findall(r"^([\w.-]+)==(\S+)", lock.read_text(), flags=re.MULTILINE)
    return {name.lower().replace("_", "-"): version for name, version in lines}


def environment(folder: Path, device: str) -> str:
    """The YAML text for ``device``, ``cpu`` or ``cuda``, from the locks in ``folder``."""
    versions = locked(folder / "requirements.lock")
    if missing := set(LIBRARIES) - versions.keys():
        sys.exit(f"requirements.lock lacks {', '.join(missing)}: see requirements.in, make lock")
    libraries = [f"{CONDA_NAMES.get(name, name)} =={versions[name]}" for name in LIBRARIES]
    specs = [f"python {PYTHON}.*", *libraries]
    specs = [f"{spec} {device}*" if spec.startswith("pytorch ") else spec for spec in specs]
    if device == "cuda":
        versions = locked(folder / "requirements-gpu.lock")
        # cuda-version holds all of CUDA's libraries to one release, that of the locked NVRTC
        release = ".".join(versions["nvidia-cuda-nvrtc"].split(".")[:2])
        specs += [f"cupy =={versions['cupy-cuda13x']}", f"cuda-version =={release}"]
    lines = ["channels:", "  - conda-forge", "dependencies:", *(f"  - {spec}" for spec in specs)]
    return (GPU if device == "cuda" else CPU) + "\n".join(lines) + "\n"


if __name__ == "__main__":
    here = Path(__file__).resolve().parent
    for name, device in (("cpu", "cpu"), ("gpu", "cuda")):
        (here / f"{name}.yaml").write_text(environment(here, device))
