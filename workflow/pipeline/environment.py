"""The shell in which stages run: this interpreter, this checkout's code, a fixed thread count."""

import hashlib
import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

from pipeline.digest import WORKFLOW, code_digest, importers
from pipeline.gpus.claim import SHARING


def stage_shell(prefix: str) -> Any:
    """Snakemake's ``shell`` for the rules that run stages, with ``prefix`` before every command.

    Of a class of its own, since ``shell.prefix`` holds for all rules of a class: another workflow
    may import this one, even twice, with different numbers of threads.
    """
    from snakemake.shell import shell

    own: Any = type("shell", (shell,), {})
    own.prefix(prefix.replace("{", "{{").replace("}", "}}"))  # Snakemake fills in fields
    return own


def missing_conda() -> str:
    """What to do where ``--sdm conda`` finds no conda, or an empty string."""
    # as Snakemake asks for it: it may be a function of the shell
    asked = ["bash", "-c", "type conda"]
    if subprocess.run(asked, capture_output=True, check=False).returncode == 0:
        return ""
    return (
        "--sdm conda needs conda, and there is none in PATH. Install it (Miniforge has all that is "
        "needed) and activate it, or leave --sdm conda out: jobs then use the Python that runs "
        "Snakemake, and what is finished stays."
    )


#: Libraries that choose their code, and with it the last bits, by the processor are told to take
#: what every x86-64 processor has (docs/reproducibility.md). Elsewhere the names mean nothing.
ONE_ARITHMETIC = {
    "NPY_DISABLE_CPU_FEATURES": "X86_V3 X86_V4 AVX512_ICL AVX512_SPR",
    "OPENBLAS_CORETYPE": "Nehalem",
}


def digest_of_kernels(workflow: Path = WORKFLOW) -> str:
    """One digest of all modules of the library that are compiled, and of what these import."""
    modules = importers("coarsegrain.jit", "coarsegrain", workflow)
    digests = [code_digest(each, workflow) for each in modules]
    return hashlib.sha256(" ".join(digests).encode()).hexdigest()[:16]


def shell_prefix(threads: int, jobs_per_gpu: int = 1) -> str:
    """What every job's shell command begins with.

    PYTHONPATH points at this checkout, so that the code that runs is the code that was digested,
    also where the working directory holds modules of the same names (PYTHONSAFEPATH). ``python``
    is this interpreter, unless Snakemake has activated a conda environment for the job.
    Compiled kernels are kept under the digest of the code they were compiled from: numba's own
    cache does not notice edits in imported files and would run old machine code.

    Args:
        threads: numeric threads of one job; the order of sums, and so the last bits of results,
            depend on it.
        jobs_per_gpu: jobs that may share a GPU (``gpus``). A variable, not a word of every command:
            it decides no result, and a stage called by hand has the safe answer without it.
    """
    kernels = Path(".snakemake", "kernels", digest_of_kernels()).resolve()
    variables = {
        "PYTHONPATH": WORKFLOW,
        "PYTHONSAFEPATH": 1,
        "COARSEGRAIN_KERNEL_CACHE": 1,
        "NUMBA_CACHE_DIR": kernels,
        "OMP_NUM_THREADS": threads,
        "MKL_NUM_THREADS": threads,
        "OPENBLAS_NUM_THREADS": threads,
        **ONE_ARITHMETIC,
        SHARING: jobs_per_gpu,
    }
    exports = " ".join(f"{name}={shlex.quote(str(value))}" for name, value in variables.items())
    conda = shlex.quote(os.environ.get("CONDA_PREFIX", ""))
    folder = shlex.quote(str(Path(sys.executable).parent))
    path = f'[ "$CONDA_PREFIX" != {conda} ] || export PATH={folder}:"$PATH"'
    return f"export {exports}; {path}; "
