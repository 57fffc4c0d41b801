"""What to do about an error of the library, which itself knows no workflow and no config."""

from coarsegrain.errors import (
    CoarsegrainError,
    ForbiddenFileError,
    MissingFileError,
    StorageError,
    TrainingError,
)

AGAIN = "run snakemake again: only this file and what depends on it are remade"
# The first class that fits.
REMEDIES: dict[type[CoarsegrainError], str] = {
    MissingFileError: AGAIN,
    ForbiddenFileError: "check its permissions (ls -l)",
    StorageError: f"delete it and {AGAIN}",
    TrainingError: "lower the learning rate or the penalty (learning_rate or l1 in the config)",
}


def with_remedy(error: CoarsegrainError) -> str:
    """The sentence of an error, and what to do about it."""
    for kind, remedy in REMEDIES.items():
        if isinstance(error, kind):
            return f"{str(error).removesuffix('.')}; {remedy}."
    return str(error)
