"""Where trainings keep their checkpoints: under a name of all that decides the result."""

import hashlib
from pathlib import Path

from coarsegrain.errors import CoarsegrainError
from coarsegrain.training.checkpoint import CheckpointFile
from pipeline.spec import canonical_json


def checkpoint_file(folder: Path, name: str, key: str, code: str, minutes: str) -> CheckpointFile:
    """Where a training is kept in between.

    Args:
        folder: of its results; checkpoints are in one beside them.
        name: of the training, unique in the folder.
        key: all that decides its result but the code.
        code: digest of the code that trains.
        minutes: between two checkpoints, at least, as the command line says it.
    Raises:
        CoarsegrainError: these are no minutes.
    """
    try:
        seconds = 60 * float(minutes)
    except ValueError:
        raise CoarsegrainError(
            f"--checkpoint-minutes is {minutes!r}; it must be a number of minutes."
        ) from None
    digest = hashlib.sha256(canonical_json([key, code]).encode()).hexdigest()[:16]
    return CheckpointFile(folder / "checkpoints" / f"{name}.{digest}.safetensors", seconds)


def all_checkpoints(folder: Path, name: str) -> list[Path]:
    """A training's checkpoints, those of earlier versions of it, and what a kill left of one."""
    kept = folder / "checkpoints"
    return [*kept.glob(f"{name}.*.safetensors"), *kept.glob(f".{name}.*.partial-*")]
